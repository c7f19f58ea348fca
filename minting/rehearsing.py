"""A drop's sale with a crowd, on a chain of its own, and its report as a row."""

from collections.abc import Callable

from django.conf import settings

from generation.models import Drop
from minting import services
from minting.chain import node, rehearsal
from minting.chain.rehearsal import Options
from minting.models import Rehearsal


def rehearse(drop: Drop, options: Options, say: Callable[[str], None]) -> Rehearsal:
    """Run it; the row says whether it passed, and why not.

    Raises
    ------
    NotPlannedError
        There is no commitment, or no phase.
    NodeError, ChainError, StageError
        The rehearsal itself came to nothing; no row is kept.
    """
    digest = services.terms_digest(drop)
    plan = services.plan_rehearsal(drop)
    program = node.anvil(settings.NODE_MODULES)
    report = rehearsal.rehearse(plan, options, program, say)
    report["storage"] = services.measure_storage(drop)
    return services.record_rehearsal(drop=drop, report=report, digest=digest)
