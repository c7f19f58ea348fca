"""A government from real contracts to rows. Oracle: what governor and bounds answer themselves."""

from typing import Any

import pytest
from django.core.management import call_command

from minting import indexer, services
from minting.chain import governor
from minting.chain.abi import compiled
from minting.chain.bounds import STEP, share_name
from minting.chain.governor import State
from minting.chain.logs import LogError
from minting.models import (
    Block,
    BoundsChange,
    Cursor,
    GovernorProposal,
    GovernorStep,
    GovernorVote,
)
from minting.provenance.keccak import keccak256
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain
from tests.fixtures.government import ABSTAIN, AGAINST, FOR, TERMS, Government

pytestmark = pytest.mark.usefixtures("chain_settings")
CHANGE = (STEP, 0, 100_000)


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def standing(government: Government, number: int) -> services.Standing:
    indexer.poll()
    row = GovernorProposal.objects.get(number=f"0x{number:064x}")
    [found] = services.standings(
        governance=government.row, proposals=[row], clock=government.chain.block_number()
    )
    return found


def everything() -> list[list[Any]]:
    tables: list[Any] = [GovernorProposal, GovernorVote, GovernorStep, BoundsChange]
    return [list(one.objects.in_order().values_list("tx_hash", "log_index")) for one in tables]


def check(government: Government, number: int) -> State:
    """Our state is the contract's; returns it."""
    ours = standing(government, number)
    assert list(State)[government.ask("state", number)] == ours.state
    assert government.ask("proposalVotes", number) == tuple(ours.tally)
    if ours.proposal.snapshot < government.chain.block_number():
        assert government.ask("quorum", ours.proposal.snapshot) == ours.quorum
    return ours.state


def test_a_proposal_lives_as_the_contract_says(government: Government, chain: Chain) -> None:
    seen = []
    number = government.propose("Slower", CHANGE)
    seen.append(check(government, number))
    for _ in range(TERMS.delay):
        chain.mine()
        seen.append(check(government, number))
    chain.mine()
    government.act(ALICE, "castVoteWithReason", number, FOR, "It jumps too much")
    for _ in range(TERMS.period):
        seen.append(check(government, number))
        chain.mine()
    seen.append(check(government, number))
    government.queue("Slower", CHANGE)
    seen.append(check(government, number))
    government.wait()
    seen.append(check(government, number))
    government.execute("Slower", CHANGE)
    seen.append(check(government, number))

    assert list(dict.fromkeys(seen)) == [
        State.PENDING,
        State.ACTIVE,
        State.SUCCEEDED,
        State.QUEUED,
        State.EXECUTED,
    ]


@pytest.mark.parametrize(
    ("ballots", "expected"),
    [
        ({}, State.DEFEATED),
        ({BOB: FOR}, State.DEFEATED),
        ({BOB: FOR, ALICE: AGAINST}, State.DEFEATED),
        ({ALICE: ABSTAIN}, State.DEFEATED),
        ({BOB: FOR, ALICE: ABSTAIN}, State.SUCCEEDED),
        ({BOB: AGAINST, ALICE: FOR}, State.SUCCEEDED),
    ],
)
def test_ballots_decide_as_the_contract_counts_them(
    government: Government, chain: Chain, ballots: dict[str, int], expected: State
) -> None:
    number = government.propose("Slower", CHANGE)
    chain.mine(TERMS.delay + 1)
    for wallet, support in ballots.items():
        government.act(wallet, "castVote", number, support)
    chain.mine(TERMS.period)

    assert check(government, number) == expected


def test_its_proposer_takes_it_back(government: Government) -> None:
    number = government.propose("Slower", CHANGE)
    government.act(ALICE, "cancel", *government.calls(CHANGE), keccak256(b"Slower"))

    assert check(government, number) == State.CANCELED


def test_what_is_carried_out_at_the_timelock_is_executed(
    government: Government, chain: Chain
) -> None:
    number = government.propose("Slower", CHANGE)
    chain.mine(TERMS.delay + 1)
    government.act(ALICE, "castVote", number, FOR)
    chain.mine(TERMS.period)
    government.queue("Slower", CHANGE)
    government.wait()
    own, digest = bytes.fromhex(government.row.governor[2:]), keccak256(b"Slower")
    salt = bytes(a ^ b for a, b in zip(own.ljust(32, b"\0"), digest, strict=True))
    call = compiled("TimelockController").call(
        "executeBatch", *government.calls(CHANGE), bytes(32), salt
    )
    chain.succeed(call, government.row.timelock, OWNER)

    assert check(government, number) == State.EXECUTED
    assert not GovernorStep.objects.filter(about=f"0x{number:064x}", kind="executed").exists()


def test_another_quorum_holds_for_proposals_after_it(government: Government, chain: Chain) -> None:
    data = government.governor.call("updateQuorumNumerator", 100)
    calls = ([government.row.governor], [0], [data])
    before = government.propose("Slower", CHANGE)
    government.act(ALICE, "propose", *calls, "All of us")
    digest = keccak256(b"All of us")
    number = government.ask("hashProposal", *calls, digest)
    chain.mine(TERMS.delay + 1)
    for one in (before, number):
        government.act(ALICE, "castVote", one, FOR)
    chain.mine(TERMS.period)
    government.act(BOB, "queue", *calls, digest)
    government.wait()
    government.act(BOB, "execute", *calls, digest)
    after = government.propose("Slower still", CHANGE)
    chain.mine(TERMS.delay + 1)
    government.act(ALICE, "castVote", after, FOR)
    chain.mine(TERMS.period)

    assert check(government, before) == State.SUCCEEDED
    assert check(government, after) == State.DEFEATED
    assert standing(government, after).quorum == 4
    assert services.quorum_percent(government.row) == 100


def test_ballots_and_reasons_are_kept(government: Government, chain: Chain) -> None:
    number = government.propose("Slower", CHANGE)
    chain.mine(TERMS.delay + 1)
    government.act(ALICE, "castVoteWithReason", number, AGAINST, "It is fine")
    government.act(BOB, "castVoteWithReasonAndParams", number, ABSTAIN, "Perhaps", b"\1\2")
    indexer.poll()

    rows = GovernorVote.objects.in_order().values_list("voter", "support", "weight", "reason")
    assert list(rows) == [(ALICE, AGAINST, 3, "It is fine"), (BOB, ABSTAIN, 1, "Perhaps")]


def test_bounds_hold_from_the_block_in_which_they_are_carried_out(
    government: Government, chain: Chain
) -> None:
    collection = government.row.contract.collection
    option = services.options_of(collection)[0]
    long = "a name that does not fit into 31 letters"
    government.decide("Slower", CHANGE, (share_name(*option), 0, 100_000), (long, -1, 2_500_000))
    indexer.poll()
    done = chain.block_number()

    found = services.bounds_at(collection, done)

    assert found == {
        STEP: (0.0, 0.1),
        share_name(*option): (0.0, 0.1),
        "0x" + keccak256(long.encode()).hex(): (-0.000001, 2.5),
    }
    assert services.bounds_at(collection, done - 1) == {}
    raw = chain.read(government.row.bounds, compiled("ParameterBounds").call("names"))
    names = compiled("ParameterBounds").answer("names", raw)
    rows = BoundsChange.objects.in_order().values_list("name", flat=True)
    assert ["0x" + name.hex() for name in names] == list(rows)


def test_later_bounds_take_the_place_of_earlier_ones(government: Government) -> None:
    collection = government.row.contract.collection
    government.decide("Slower", CHANGE)
    first = government.chain.block_number()
    government.decide("Faster", (STEP, 0, 300_000))
    indexer.poll()

    assert services.bounds_at(collection, first) == {STEP: (0.0, 0.1)}
    assert services.bounds_at(collection, first + 99) == {STEP: (0.0, 0.3)}


def test_a_reorganisation_takes_a_decision_back(government: Government, chain: Chain) -> None:
    government.decide("Slower", CHANGE)
    indexer.poll()
    head = chain.block_number()
    assert services.bounds_at(government.row.contract.collection, head)

    chain.reorganise(1)
    chain.mine()
    indexer.poll()

    assert services.bounds_at(government.row.contract.collection, head + 1) == {}
    row = GovernorProposal.objects.get()
    [found] = services.standings(governance=government.row, proposals=[row], clock=head + 1)
    assert found.state == State.QUEUED


def test_a_reorganisation_takes_everything_back(government: Government, chain: Chain) -> None:
    before = chain.block_number()
    government.decide("Slower", CHANGE)
    indexer.poll()

    chain.reorganise(chain.block_number() - before)
    chain.mine()
    indexer.poll()

    for model in (GovernorProposal, GovernorVote, GovernorStep, BoundsChange):
        kept = model.objects.filter(block__number__gt=before)
        assert not kept.exists()


def test_reading_the_governor_again_leaves_the_same_rows(government: Government) -> None:
    government.decide("Slower", CHANGE)
    indexer.poll()
    tables: list[Any] = [GovernorProposal, GovernorVote, GovernorStep, BoundsChange]
    before = [
        list(model.objects.in_order().values_list("tx_hash", "log_index")) for model in tables
    ]

    call_command("reindex", contract=government.row.governor)

    after = [list(model.objects.in_order().values_list("tx_hash", "log_index")) for model in tables]
    assert before == after
    assert all(before)


def test_reading_twice_changes_nothing(government: Government) -> None:
    government.decide("Slower", CHANGE)
    indexer.poll()
    indexer.poll()

    assert GovernorProposal.objects.count() == BoundsChange.objects.count() == 1
    cursor = Cursor.objects.get(governance=government.row)
    assert cursor.number == government.chain.block_number()


def test_blocks_of_proposals_are_kept(government: Government, chain: Chain) -> None:
    government.decide("Slower", CHANGE)
    indexer.poll()
    numbers = set(BoundsChange.objects.values_list("block__number", flat=True))
    chain.mine(3 * indexer.REORG_WINDOW)
    indexer.poll()

    assert numbers <= set(Block.objects.values_list("number", flat=True))


def test_no_description_stops_the_reading(government: Government) -> None:
    said = b"\xff\xfe no text \x00 at all"
    government.propose(said, CHANGE)
    indexer.poll()

    row = GovernorProposal.objects.get()
    assert "no text" in row.description
    assert "\0" not in row.description
    assert row.description_hash == "0x" + keccak256(said).hex()


@pytest.mark.parametrize(
    "change",
    [
        {"topics": []},
        {"topics": ["0x" + "12" * 32]},
        {"topics": [governor.TOPICS["cast"]]},
        {"topics": [governor.TOPICS["created"]], "data": "0x" + "ff" * 320},
        {"topics": [governor.TOPICS["called off"]]},
        {"data": "0x12"},
        {"logIndex": None},
    ],
)
def test_a_damaged_log_is_refused(change: dict[str, Any]) -> None:
    raw = {
        "address": OWNER,
        "blockNumber": "0x1",
        "blockHash": "0x",
        "transactionHash": "0x",
        "logIndex": "0x0",
        "topics": [governor.TOPICS["executed"]],
        "data": "0x" + "0" * 64,
    }
    governor.decode_governor([raw])

    with pytest.raises(LogError):
        governor.decode_governor([raw | change])


def test_topics_are_those_of_the_compiled_contracts() -> None:
    names = {
        "HoldersGovernor": {
            "created": "ProposalCreated",
            "cast": "VoteCast",
            "cast with parameters": "VoteCastWithParams",
            "queued": "ProposalQueued",
            "executed": "ProposalExecuted",
            "canceled": "ProposalCanceled",
            "quorum": "QuorumNumeratorUpdated",
        },
        "TimelockController": {"carried out": "CallExecuted", "called off": "Cancelled"},
        "ParameterBounds": {"bounds": "BoundsChanged"},
    }

    found = {
        name: compiled(contract).topic(event)
        for contract, events in names.items()
        for name, event in events.items()
    }

    assert found == governor.TOPICS
