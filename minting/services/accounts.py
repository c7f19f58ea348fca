"""The account that belongs to a token, and what a chain needs so that it can be created."""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from eth_utils.address import to_checksum_address

from minting.chain import accounts
from minting.chain.client import Client
from minting.models import Contract, Token
from minting.services.making import place

# An account may hold a whole collection; a page shows some of it.
MOST_WORKS = 24


@dataclass(frozen=True)
class TokenAccount:
    """Where a token's account is, and some of the same collection's works that it holds."""

    address: str
    implementation: str
    registry: str
    works: list[Token]


def account_implementation() -> str:
    """The contract that accounts are clones of: the one in the settings, else ours."""
    named = settings.ACCOUNT_IMPLEMENTATION
    return str(to_checksum_address(named)) if named else accounts.own_implementation()


def find_account(token: Token) -> TokenAccount:
    """A token's account, by calculation; it is there only once somebody has created it."""
    implementation = account_implementation()
    address = accounts.account_address(
        implementation=implementation,
        chain_id=token.contract.chain_id,
        contract=token.contract.address,
        token_id=token.token_id,
    )
    held = Token.objects.filter(contract=token.contract_id, owner=address)
    works = list(held.order_by("token_id")[:MOST_WORKS])
    return TokenAccount(address, implementation, accounts.REGISTRY, works)


@transaction.atomic
def request_accounts(*, contract: Contract, node: Client) -> list[str]:
    """Have the registry and our implementation created where the chain lacks them; which ones.

    ChainError if the node cannot be asked.
    """
    missing = {
        address: call
        for address, call in accounts.creations().items()
        if node.call("eth_getCode", address, "latest") == "0x"
    }
    place(contract, missing)
    return list(missing)
