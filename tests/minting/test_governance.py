"""Holders decide: founded, handed over, voted and carried out on a real node."""

from dataclasses import replace
from typing import Any

import pytest

from generation.models import Checkpoint, Collection
from generation.services import create_collection
from minting import services
from minting.chain import contracts, governance
from minting.chain.abi import compiled
from minting.chain.governance import FoundingTerms, TermsError
from minting.models import ChainTransaction, Contract, Governance
from minting.provenance.keccak import keccak256
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain, drop_body
from tests.fixtures.outbox import pump

TERMS = FoundingTerms(delay=1, period=10, threshold=1, quorum_percent=50, wait_s=3600)
PRICE_WEI = 10**15
PSI = b"truncation_psi".ljust(32, b"\0")
FOR = 1

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def collection(small_checkpoint: Checkpoint) -> Collection:
    """Its works vote; Alice has three of four votes, Bob one."""
    made = create_collection(slug="voters", name="Voters", story="", checkpoint=small_checkpoint)
    services.plan_contract(collection=made, has_votes=True)
    return made


@pytest.fixture
def contract(collection: Collection, chain: Chain) -> Contract:
    services.request_deploy(collection=collection)
    pump()
    contract = Contract.objects.get()
    chain.put_on_sale(contract.address, drop_body(count=4), price_wei=PRICE_WEI)
    for wallet, quantity in ((ALICE, 3), (BOB, 1)):
        call = contracts.mint(1, 0, quantity)
        chain.succeed(call, contract.address, wallet, quantity * PRICE_WEI)
        delegate = compiled(contracts.WITH_VOTES).call("delegate", wallet)
        chain.succeed(delegate, contract.address, wallet)
    return contract


def ask(chain: Chain, name: str, address: str, function: str, *arguments: Any) -> Any:
    interface = compiled(name)
    return interface.answer(function, chain.read(address, interface.call(function, *arguments)))


def found(contract: Contract) -> Governance:
    services.request_founding(collection=contract.collection, terms=TERMS)
    pump()  # the founding
    pump()  # what is handed over
    return Governance.objects.get()


def test_a_government_stands_where_it_is_said_to(contract: Contract, chain: Chain) -> None:
    row = found(contract)

    assert ask(chain, "HoldersGovernor", row.governor, "timelock") == row.timelock.lower()
    assert ask(chain, "ParameterBounds", row.bounds, "owner") == row.timelock.lower()
    assert ask(chain, "TimelockController", row.timelock, "getMinDelay") == TERMS.wait_s
    assert ask(chain, "HoldersGovernor", row.governor, "votingPeriod") == TERMS.period
    receipt = ChainTransaction.objects.get(kind=ChainTransaction.Kind.FOUNDING)
    assert row.founded_block == receipt.block_number


def test_money_goes_to_the_holders_from_then_on(contract: Contract, chain: Chain) -> None:
    row = found(contract)
    before = chain.balance_wei(row.timelock)

    chain.succeed(contracts.withdraw(1), contract.address, OWNER)

    assert chain.balance_wei(row.timelock) - before == 4 * PRICE_WEI
    assert chain.ask(contract.address, "treasury") == row.timelock.lower()
    assert chain.ask(contract.address, "royaltyInfo", 1, 10_000) == (row.timelock.lower(), 500)
    contract.refresh_from_db()
    assert contract.treasury == row.timelock


def test_what_holders_decide_is_carried_out(contract: Contract, chain: Chain) -> None:
    row = found(contract)
    bounds, governor = compiled("ParameterBounds"), compiled("HoldersGovernor")
    calls = ([row.bounds], [0], [bounds.call("setBounds", PSI, 500_000, 1_000_000)])

    chain.succeed(governor.call("propose", *calls, "Bound psi"), row.governor, ALICE)
    digest = keccak256(b"Bound psi")
    number = ask(chain, "HoldersGovernor", row.governor, "hashProposal", *calls, digest)
    chain.mine(2)
    chain.succeed(governor.call("castVote", number, FOR), row.governor, ALICE)
    chain.mine(TERMS.period)
    chain.succeed(governor.call("queue", *calls, digest), row.governor, BOB)
    early = chain.refusal(governor.call("execute", *calls, digest), row.governor, BOB)
    chain.call("evm_increaseTime", hex(TERMS.wait_s + 1))
    chain.mine()
    chain.succeed(governor.call("execute", *calls, digest), row.governor, BOB)

    assert "TimelockUnexpectedOperationState" in early
    assert ask(chain, "ParameterBounds", row.bounds, "boundsOf", PSI) == (500_000, 1_000_000)


def test_founding_twice_is_founding_once(contract: Contract, chain: Chain) -> None:
    row = found(contract)
    other = FoundingTerms(delay=9, period=99, threshold=9, quorum_percent=9, wait_s=9)

    again = services.request_founding(collection=contract.collection, terms=other)
    pump()

    assert again == row
    assert again.period == TERMS.period
    kinds = ChainTransaction.Kind
    for kind in (kinds.FOUNDING, kinds.TREASURY, kinds.ROYALTY):
        assert ChainTransaction.objects.filter(kind=kind, state="confirmed").count() == 1


def test_a_collection_without_votes_has_no_government(
    small_checkpoint: Checkpoint, chain: Chain
) -> None:
    plain = create_collection(slug="plain", name="Plain", story="", checkpoint=small_checkpoint)
    with pytest.raises(services.NotDeployedError):
        services.request_founding(collection=plain, terms=TERMS)
    services.request_deploy(collection=plain)
    pump()

    with pytest.raises(services.NoVotesError):
        services.request_founding(collection=plain, terms=TERMS)

    assert not Governance.objects.exists()


def test_nothing_is_handed_over_to_holders_who_cannot_propose(contract: Contract) -> None:
    asked = replace(TERMS, threshold=2**70)

    with pytest.raises(TermsError, match="and there are 0"):
        services.request_founding(collection=contract.collection, terms=asked)

    assert not Governance.objects.exists()
    assert not ChainTransaction.objects.filter(kind=ChainTransaction.Kind.FOUNDING).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"delay": -1},
        {"delay": 10**6},
        {"period": 0},
        {"period": 10**6},
        {"threshold": -1},
        {"quorum_percent": 101},
        {"wait_s": -1},
        {"wait_s": 10**7},
    ],
)
def test_impossible_terms_are_refused(wrong: dict[str, int]) -> None:
    given = {"delay": 1, "period": 1, "threshold": 1, "quorum_percent": 1, "wait_s": 1}

    with pytest.raises(TermsError):
        FoundingTerms(**given | wrong)


def test_a_founding_fits_in_a_transaction() -> None:
    # EIP-3860: 49,152 bytes at most
    assert len(governance.deployment(ALICE, TERMS)) < 49_152
