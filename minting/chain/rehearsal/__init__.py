"""A drop's sale before it is one: on a chain that is thrown away, with a crowd, bots and faults."""

from minting.chain.rehearsal.plan import Options, Plan
from minting.chain.rehearsal.run import rehearse
from minting.chain.rehearsal.stage import StageError

__all__ = ["Options", "Plan", "StageError", "rehearse"]
