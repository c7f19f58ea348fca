"""Evolution on a real node beside its Python, with the real Uniswap."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minting.chain import contracts, evolving, painted
from minting.chain.abi import compiled
from minting.chain.evolving import EpochLog, InteractionLog, PositionLog, ProvenLog
from minting.chain.logs import LogError
from minting.chain.node import LOCAL_CHAIN_ID
from minting.evolution import epochs, levels, network
from minting.evolution.epochs import Leaf
from minting.evolution.latents import latents_of
from minting.evolution.rules import NOBODY
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain, running_chain
from tests.fixtures.evolving import (
    INTERACTIONS,
    PERIOD_S,
    POSITION,
    SHARE,
    STAKE,
    VOLUME,
    Evolving,
    open_collection,
)
from tests.fixtures.painting import label, shipped
from tests.fixtures.solidity import build
from tests.minting.uniswap import POSITIONS, SPACING, WIDE

ETHER = 10**18
SNAPSHOT = epochs.snapshot_hash({"block": 1})
MANY = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WORDS = st.integers(0, 2**256 - 1)
# Words as pools say them, signed or not, of every size.
SAID = st.one_of(
    WORDS,
    st.integers(-900_000, 900_000).map(lambda one: one % 2**256),
    st.integers(0, 256).map(lambda n: 2**n - 1),
)
BYTES = st.integers(0, 255)
LATENTS = st.binary(min_size=32, max_size=32)


@pytest.fixture
def world(chain: Chain) -> Evolving:
    return open_collection(chain)


class Arithmetic:
    """The contract's arithmetic in many cases at once."""

    def __init__(self, chain: Chain) -> None:
        self.interface, creation = build("contracts/test/evolution/Arithmetic.sol")
        self.chain = chain
        self.address = chain.succeed(creation).contract_address

    def ask(self, name: str, *arguments: Any) -> Any:
        assert self.address is not None
        raw = self.chain.read(self.address, self.interface.call(name, *arguments))
        return self.interface.answer(name, raw)


@pytest.fixture(scope="module")
def arithmetic() -> Iterator[Arithmetic]:
    # On a node of its own: a deployment that nobody reverts would stay in everybody's.
    with running_chain() as chain:
        yield Arithmetic(chain)


@given(cases=st.lists(st.tuples(WORDS, BYTES, BYTES), min_size=20, max_size=60))
@MANY
def test_levels_are_the_contracts(arithmetic: Arithmetic, cases: list[Any]) -> None:
    found = arithmetic.ask("levels", *zip(*cases, strict=True))

    assert list(found) == [levels.level(*case) for case in cases]


@given(cases=st.lists(st.tuples(SAID, SAID, SAID, SAID), min_size=20, max_size=60))
@MANY
def test_quantities_are_the_contracts(arithmetic: Arithmetic, cases: list[Any]) -> None:
    found = arithmetic.ask("quantities", cases)

    assert [tuple(one) for one in found] == [
        (
            levels.age(a, b),
            levels.share(a, b, c),
            levels.in_range(a, levels.signed(b), levels.signed(c), levels.signed(d)),
        )
        for a, b, c, d in cases
    ]


@given(
    works=st.lists(
        st.tuples(LATENTS, st.lists(BYTES, min_size=8, max_size=8)), min_size=1, max_size=12
    ),
    directions=st.lists(LATENTS, min_size=8, max_size=8),
)
@MANY
def test_moved_latents_are_the_contracts(
    arithmetic: Arithmetic, works: list[Any], directions: list[bytes]
) -> None:
    starts, own = zip(*works, strict=True)

    found = arithmetic.ask("moves", starts, own, directions)

    moved = levels.move(
        np.stack([np.frombuffer(one, np.uint8) for one in starts]),
        np.array(own, np.uint8),
        np.stack([np.frombuffer(one, np.int8) for one in directions]),
    )
    assert list(found) == [one.tobytes() for one in moved]


def expected_latents(world: Evolving, token_id: int, own: tuple[int, ...]) -> bytes:
    start = np.frombuffer(latents_of(label().attributes, world.word(token_id)), np.uint8)
    moved = levels.move(start[None], np.array([own], np.uint8), world.law.directions)
    return bytes(moved[0])


def provide(world: Evolving) -> None:
    """Alice has a position in range under work 1, and half of the pair."""
    world.exchange.add_range(ALICE, -SPACING, SPACING, 10 * ETHER)
    world.send(evolving.name_position(POSITION, 1, 1))
    world.exchange.add_shares(ALICE, ETHER, ETHER)
    world.exchange.add_shares(BOB, ETHER, ETHER)


def publish(world: Evolving, quantities: dict[int, tuple[int, int]]) -> list[Leaf]:
    epoch = world.ask("epochCount") + 1
    found = epochs.leaves(world.law, epoch, SNAPSHOT, quantities)
    world.send(evolving.publish(epochs.root(found), SNAPSHOT), OWNER)
    return found


def prove(world: Evolving, found: list[Leaf], token_id: int) -> None:
    [proof] = epochs.proofs(found, [token_id])
    [leaf] = [one for one in found if one.token_id == token_id]
    world.send(evolving.prove(leaf, proof), BOB)


def test_the_picture_is_what_python_draws_of_what_happened(world: Evolving) -> None:
    provide(world)
    found = publish(world, {n: (n * ETHER, 5 * n) for n in (1, 2, 3)})
    prove(world, found, 1)
    world.send(evolving.interact(1))
    world.chain.succeed(compiled("Staking").call("stake", [1]), world.staking, ALICE)
    world.wait(10 * PERIOD_S)

    own = world.levels(1)

    rules = world.law.rules
    liquidity = world.exchange.position(world.exchange.positions, -SPACING, SPACING)
    half = levels.share(*shares(world), works=3)
    expected = (ETHER, 5, 1, 10 * PERIOD_S, liquidity, half)
    assert own == tuple(
        rule.level(quantity) for rule, quantity in zip(rules, expected, strict=True)
    )
    assert all(own)
    latents = expected_latents(world, 1, own)
    about = json.loads(base64.b64decode(world.uri(1).split(",")[1]))
    assert world.ask("latentsOf", 1, world.word(1)) == latents
    assert about["image"] == world.ask_painter("picture", latents)
    pixels = network.draw(shipped(), np.frombuffer(latents, np.uint8)[None])
    assert world.ask_painter("draw", latents) == pixels.tobytes()
    assert about["attributes"][-6:] == [
        {
            "trait_type": rule.name,
            "value": level,
            "display_type": "number",
            "max_value": rule.highest,
        }
        for rule, level in zip(rules, own, strict=True)
    ]
    assert latents != latents_of(label().attributes, world.word(1))


def shares(world: Evolving) -> tuple[int, int]:
    """What Alice has of the pair, and all of it."""
    held = world.exchange.ask_pair("balanceOf", ALICE)
    return held, world.exchange.ask_pair("totalSupply")


def test_liquidity_counts_while_trades_meet_it(world: Evolving) -> None:
    provide(world)
    before = world.levels(1)[POSITION]
    world.exchange.add_range(BOB, -WIDE, WIDE, ETHER)

    world.exchange.send(world.exchange.v3_trade(BOB, 30 * ETHER))
    outside = world.levels(1)[POSITION]
    world.exchange.send(world.exchange.v3_trade(BOB, 30 * ETHER, is_first=False))
    tick = world.exchange.ask_pool("slot0")[1]

    assert before > 0
    assert outside == 0
    assert world.levels(1)[POSITION] == (before if -SPACING <= tick < SPACING else 0)


def test_a_position_or_work_that_is_sold_counts_no_more(world: Evolving) -> None:
    provide(world)
    call = POSITIONS.call("transferFrom", ALICE, BOB, 1)

    world.chain.succeed(call, world.exchange.positions, ALICE)
    sold = world.levels(1)[POSITION]
    world.chain.succeed(contracts.call("transferFrom", ALICE, BOB, 1), world.collection, ALICE)

    assert sold == 0
    assert world.levels(1)[POSITION] > 0
    assert world.levels(2)[SHARE] > 0


def test_only_its_owner_names_a_position(world: Evolving) -> None:
    world.exchange.add_range(BOB, -SPACING, SPACING, ETHER)

    reason = world.chain.refusal(evolving.name_position(POSITION, 1, 1), world.evolution, ALICE)

    assert reason == f"NotYourPosition(positionId=1, caller={ALICE.lower()})"
    assert world.ask("positionOf", POSITION, 1) == 0


def test_what_an_epoch_does_not_say_is_refused(world: Evolving) -> None:
    found = publish(world, {n: (n * ETHER, 5 * n) for n in (1, 2, 3)})
    [first, second] = epochs.proofs(found, [1, 2])

    reasons = [
        world.chain.refusal(call, world.evolution)
        for call in (
            evolving.prove(found[0], second),
            evolving.prove(Leaf(1, 1, SNAPSHOT, (9, 9)), first),
            evolving.prove(Leaf(2, 1, SNAPSHOT, found[0].levels), first),
        )
    ]

    assert reasons == [
        "NotInTheEpoch(tokenId=1, epoch=1)",
        "NotInTheEpoch(tokenId=1, epoch=1)",
        "UnknownEpoch(epoch=2)",
    ]
    assert world.levels(1)[VOLUME] == 0


def test_a_wallet_signs_and_anybody_sends(world: Evolving) -> None:
    holder = Account.from_key(b"\7" * 32)
    transfer = contracts.call("transferFrom", ALICE, holder.address, 1)
    world.chain.succeed(transfer, world.collection, ALICE)
    terms = {
        "chain_id": LOCAL_CHAIN_ID,
        "evolution": world.evolution,
        "holder": holder.address,
        "token_id": 1,
        "count": 1,
        "deadline": 2**40,
    }
    typed = evolving.typed_interaction(**terms)
    signature = holder.sign_message(encode_typed_data(full_message=typed)).signature

    world.send(evolving.interact_for(1, 2**40, bytes(signature)), BOB)

    again = world.chain.refusal(
        evolving.interact_for(1, 2**40, bytes(signature)), world.evolution, BOB
    )
    assert evolving.read_state(world.chain, world.evolution, 1).interactions == 1
    assert again == f"BadSignature(tokenId=1, holder={holder.address.lower()})"


def test_the_law_and_the_state_are_read_back(world: Evolving) -> None:
    found = publish(world, {1: (ETHER, 5)})
    prove(world, found, 1)
    world.send(evolving.interact(1))

    state = evolving.read_state(world.chain, world.evolution, 1)

    header = world.chain.header("latest")
    assert header is not None
    assert evolving.read_law(world.chain, world.evolution) == world.law
    assert state.proven == (*found[0].levels, 0, 0, 0, 0, 0, 0)
    assert (state.epoch, state.interactions, state.interacted_at) == (1, 1, header.timestamp)


def test_logs_tell_what_happened(world: Evolving) -> None:
    provide(world)
    found = publish(world, {1: (ETHER, 5), 2: (0, 1)})
    prove(world, found, 2)
    world.send(evolving.interact(3))
    chain = world.chain

    raw = chain.logs(world.evolution, 0, chain.block_number(), list(evolving.topics()))
    logs = evolving.decode_evolution(raw)

    assert [vars(log) | {"place": None} for log in logs] == [
        vars(PositionLog(None, POSITION, 1, 1)),  # type: ignore[arg-type]
        vars(EpochLog(None, 1, epochs.root(found), SNAPSHOT)),  # type: ignore[arg-type]
        vars(ProvenLog(None, 2, 1, found[1].levels)),  # type: ignore[arg-type]
        vars(InteractionLog(None, 3, ALICE, 1)),  # type: ignore[arg-type]
    ]
    with pytest.raises(LogError):
        evolving.decode_evolution([raw[0] | {"data": "0x00"}])
    with pytest.raises(LogError):
        evolving.decode_evolution([raw[0] | {"topics": ["0x" + "00" * 32]}])


def test_logs_alone_tell_what_the_contract_keeps(world: Evolving) -> None:
    provide(world)
    for epoch in (1, 2):
        found = publish(world, {n: (n * epoch * ETHER, n) for n in (1, 2, 3)})
        prove(world, found, 1)
        prove(world, found, epoch + 1)
        world.send(evolving.interact(epoch))
        world.wait(PERIOD_S)
        world.send(evolving.interact(1))
        world.wait(PERIOD_S)
        world.send(evolving.name_position(POSITION, epoch + 1, 1))
    chain = world.chain

    raw = chain.logs(world.evolution, 0, chain.block_number(), list(evolving.topics()))
    kept = evolving.replay(evolving.decode_evolution(raw))

    assert list(kept.roots.values()) == [tuple(world.ask("epochOf", epoch)) for epoch in (1, 2)]
    assert kept.positions == {(POSITION, 3): 1}
    for token_id in (1, 2, 3):
        state = evolving.read_state(chain, world.evolution, token_id)
        assert kept.proven[token_id] == (state.epoch, state.proven[:2])
        assert kept.interactions.get(token_id, 0) == state.interactions
        named = kept.positions.get((POSITION, token_id), 0)
        assert named == world.ask("positionOf", POSITION, token_id)


def test_after_a_reorganisation_the_picture_is_the_old_one(fresh_chain: Chain) -> None:
    world = open_collection(fresh_chain)
    provide(world)
    before = world.uri(1), world.levels(1), world.ask("stateOf", 1)
    start = fresh_chain.block_number()
    found = publish(world, {1: (2 * ETHER, 50)})
    prove(world, found, 1)
    world.send(evolving.interact(1))
    world.send(evolving.name_position(POSITION, 1, 0))
    between = world.uri(1)

    fresh_chain.reorganise(fresh_chain.block_number() - start)

    assert between != before[0]
    assert (world.uri(1), world.levels(1), world.ask("stateOf", 1)) == before
    assert world.ask("epochCount") == 0
    found = publish(world, {1: (2 * ETHER, 50)})
    prove(world, found, 1)
    world.send(evolving.interact(1))
    world.send(evolving.name_position(POSITION, 1, 0))
    assert world.uri(1) == between


def test_the_same_rules_lead_to_the_same_address(world: Evolving) -> None:
    again = painted.evolution(world.collection, world.law)

    assert again.address == world.evolution
    assert set(compiled(painted.EVOLVING).libraries.values()) <= set(contracts.libraries())


def test_works_age_without_anybody_paying(world: Evolving) -> None:
    world.chain.succeed(compiled("Staking").call("stake", [2]), world.staking, ALICE)
    young = world.uri(2), world.levels(2)[STAKE]

    world.wait(40 * PERIOD_S)

    assert young[1] == 0
    assert world.levels(2)[STAKE] == world.law.rules[STAKE].level(40 * PERIOD_S) == 6
    assert world.uri(2) != young[0]


def test_interactions_need_their_time(world: Evolving) -> None:
    world.send(evolving.interact(1))

    early = world.chain.refusal(evolving.interact(1), world.evolution, ALICE)
    world.wait(PERIOD_S)
    world.send(evolving.interact(1))

    assert early.startswith("TooEarly(tokenId=1, nextAt=")
    assert world.levels(1)[INTERACTIONS] == 2
    assert NOBODY not in (world.evolution, world.painter)
