"""A government of holders: on the way to the chain, and what is handed over to it."""

from dataclasses import asdict

from django.db import transaction

from generation.models import Collection
from minting.chain import bounds, contracts, governance
from minting.chain.bounds import Option, Range
from minting.chain.client import Receipt
from minting.chain.governance import FoundingTerms, TermsError
from minting.chain.logs import ZERO_ADDRESS
from minting.models import BoundsChange, ChainTransaction, Contract, Cursor, Governance
from minting.services.chain import load_signer
from minting.services.outbox import intend
from minting.services.stakes import NotDeployedError

Kind = ChainTransaction.Kind


class NoVotesError(Exception):
    """The works of the collection do not vote, and a contract cannot learn it."""

    def __init__(self, collection: Collection) -> None:
        super().__init__(
            f"the works of {collection.slug} have no votes; that is decided at its start"
        )
        self.collection = collection


@transaction.atomic
def request_founding(*, collection: Collection, terms: FoundingTerms) -> Governance:
    """The government of the collection's holders, on its way to the chain if it is not there yet.

    Once it is there, the treasury and the royalties go to its timelock, for good. Terms hold from
    the first request on, unless that one is refused. TermsError if no wallet could propose.
    """
    contract = Contract.objects.select_for_update().deployed().filter(collection=collection).first()
    if contract is None:
        raise NotDeployedError(collection)
    if not contract.has_votes:
        raise NoVotesError(collection)
    asked = ChainTransaction.objects.filter(contract=contract, kind=Kind.FOUNDING)
    if asked.exclude(state=ChainTransaction.State.REVERTED).exists():
        return contract.governance
    works = contract.tokens.exclude(owner=ZERO_ADDRESS).count()
    if terms.threshold > max(works, 1):
        raise TermsError(f"to propose takes {terms.threshold:,} works, and there are {works:,}")
    row, _ = Governance.objects.update_or_create(contract=contract, defaults=asdict(terms))
    call = governance.deployment(contract.address, terms)
    intend(kind=Kind.FOUNDING, contract=contract, call=call, sender=load_signer().address)
    return row


def place_government(*, intent: ChainTransaction, receipt: Receipt) -> None:
    """The founding is in a block: hand the money over. Part of the caller's transaction."""
    contract = intent.contract
    assert receipt.contract_address is not None
    found = governance.founded(receipt.contract_address)
    rows = Governance.objects.filter(contract=contract)
    rows.update(**found._asdict(), founded_block=receipt.block_number)
    Cursor.objects.create(governance=rows.get(), number=receipt.block_number - 1)
    calls = {
        Kind.TREASURY: contracts.call("setTreasury", found.timelock),
        Kind.ROYALTY: contracts.call("setRoyalty", found.timelock, contract.royalty_bps),
    }
    for kind, call in calls.items():
        intend(kind=kind, contract=contract, call=call, sender=intent.sender)


def hand_treasury_over(*, intent: ChainTransaction) -> None:
    """From here on withdrawals go to the timelock. Part of the caller's transaction."""
    timelock = Governance.objects.get(contract=intent.contract).timelock
    Contract.objects.filter(pk=intent.contract_id).update(treasury=timelock)


def options_of(collection: Collection) -> list[Option]:
    """Attribute and value of everything that the newest parameters give a share."""
    newest = collection.parameter_sets.order_by("-number", "-pk").first()
    if newest is None:
        return []
    shares = newest.body["distributions"]
    return [
        (attribute, value) for attribute in sorted(shares) for value in sorted(shares[attribute])
    ]


def bounds_at(collection: Collection, block_number: int) -> dict[str, Range]:
    """Name -> least and most, as shares of one, of what holders had bounded after a block.

    Names as ``minting.chain.bounds`` has them; a hash of nothing known stays hexadecimal. The ends
    are what was voted, sensible or not. Empty without a government.
    """
    changes = BoundsChange.objects.filter(governance__contract__collection=collection)
    last = changes.until(block_number).in_order()
    ends = {row.name: (row.low, row.high) for row in last}
    options = options_of(collection) if ends else []
    return {
        bounds.unpack(bytes.fromhex(name[2:]), options): bounds.as_range(*end)
        for name, end in ends.items()
    }
