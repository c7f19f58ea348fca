"""What public chains have already, for a local one."""

from django.db import transaction

from minting.chain import accounts
from minting.chain.node import LOCAL_CHAIN_ID
from minting.models import Contract
from minting.services.making import place
from minting.services.market import request_marketplace


@transaction.atomic
def furnish_chain(*, contract: Contract) -> None:
    """Seaport, and what accounts of tokens need, each once; nothing on another chain."""
    if contract.chain_id == LOCAL_CHAIN_ID:
        request_marketplace(contract=contract)
        place(contract, accounts.creations())
