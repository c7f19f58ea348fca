"""Bringing drops that are drawn on the fly nearer to being final, a step at a time."""

from django.conf import settings

from minting import services
from minting.chain.client import Client
from minting.chain.node import LOCAL_CHAIN_ID
from minting.models import Commitment


def advance() -> None:
    """Ask for every step that is due. Called twice, it asks once.

    Raises
    ------
    WrongChainError, TransportError
        Nothing was asked for; everything stays due.
    """
    drops = services.living_drops()
    if not drops:
        return
    with services.connect() as node:
        node.check_chain(settings.CHAIN_ID)
        head = node.block_number()
        for drop in drops:
            commitment = Commitment.objects.get(drop=drop)
            head = _reach(node, head, services.awaited_block(commitment) + 1)
            services.next_step(commitment, head)
            services.announcement(drop)


def _reach(node: Client, head: int, wanted: int) -> int:
    """Others make the blocks of a chain; on the local one there may be nobody else."""
    if head >= wanted or settings.CHAIN_ID != LOCAL_CHAIN_ID:
        return head
    node.call("anvil_mine", hex(wanted - head))
    return node.block_number()


def choose_block() -> int:
    """A block to come that a commitment sent now is in time for."""
    with services.connect() as node:
        node.check_chain(settings.CHAIN_ID)
        return node.block_number() + settings.CHAIN_REVEAL_BLOCKS
