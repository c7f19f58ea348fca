"""Works that their contract paints, from a node alone: their law, their levels, their pictures."""

import json
from pathlib import Path
from typing import Any

import pytest

from minting.chain import contracts, evolving
from minting.chain.abi import compiled
from minting.chain.client import Client
from minting.evolution import epochs
from minting.verification import run
from minting.verification.findings import Finding, State
from minting.verification.run import Request
from tests.contracts.test_evolution import prove, provide, publish
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain
from tests.fixtures.evolving import INTERACTIONS, PERIOD_S, Evolving, open_collection
from tests.fixtures.liar import lying_node

ETHER = 10**18
PAINTED = ("painter", "evolution", "levels", "painted works")


@pytest.fixture
def world(chain: Chain) -> Evolving:
    """Everything that can move a work has happened to the first one."""
    world = open_collection(chain)
    provide(world)
    prove(world, publish(world, {n: (n * ETHER, 5 * n) for n in (1, 2, 3)}), 1)
    world.send(evolving.interact(1))
    world.chain.succeed(compiled("Staking").call("stake", [1]), world.staking, ALICE)
    world.wait(10 * PERIOD_S)
    return world


def verify(world: Evolving, url: str = "", **asked: Any) -> dict[str, Finding]:
    """Findings by their check, of one drop or token."""
    with Client(url or world.chain.url) as client:
        found = run.verify(client, Request(world.collection.lower(), **asked), lambda _: None)
    return {one.check: one for one in found}


def test_law_levels_and_pictures_follow_from_the_chain(world: Evolving) -> None:
    found = verify(world)

    assert found["contract code"].why.startswith("EvolvingCollection and its libraries")
    assert {name: found[name].state for name in PAINTED} == dict.fromkeys(PAINTED, State.PASS)
    assert found["evolution"].why.startswith("6 rules that nobody can change: volume, votes")
    assert found["levels"].why == "3 works are at the levels that logs and peers lead to"
    assert found["painted works"].why.startswith("3 works painted again, byte for byte")
    assert not [one for one in found.values() if one.state == State.FAIL]


def test_one_token_is_told_with_its_levels(world: Evolving) -> None:
    own = world.levels(1)

    found = verify(world, token=1)

    told = zip(world.law.rules, own, strict=True)
    assert found["levels"].why == ", ".join(
        f"{rule.name} {level} of {rule.highest}" for rule, level in told
    )
    assert found["painted works"].state == State.PASS


def test_an_earlier_block_has_the_levels_of_then(world: Evolving) -> None:
    before, block = world.levels(1), world.chain.block_number()
    world.send(evolving.interact(1))
    world.wait(3 * PERIOD_S)
    world.send(evolving.interact(1))

    then, now = verify(world, token=1, block=block), verify(world, token=1)

    after = world.levels(1)
    assert after[INTERACTIONS] > before[INTERACTIONS]
    for found, own in ((then, before), (now, after)):
        assert found["levels"].state == found["painted works"].state == State.PASS
        assert f"interactions {own[INTERACTIONS]} of 8" in found["levels"].why


def test_what_is_sold_takes_its_holders_levels_along(world: Evolving) -> None:
    world.chain.succeed(compiled("Staking").call("unstake", [1]), world.staking, ALICE)
    world.chain.succeed(contracts.call("transferFrom", ALICE, BOB, 1), world.collection, ALICE)

    found = verify(world, token=1)

    assert found["levels"].state == State.PASS
    assert "stake age 0 of 9, liquidity 0 of 30" in found["levels"].why


def test_a_drop_that_is_not_revealed_is_not_painted_yet(world: Evolving) -> None:
    found = verify(world, block=_before_the_reveal(world))

    assert found["painted works"].state == State.NOT_CHECKABLE
    assert "levels" not in found


def _before_the_reveal(world: Evolving) -> int:
    topic = contracts.collection().topic("DropRevealed")
    [log] = world.chain.logs(world.collection, 0, world.chain.block_number(), [topic])
    return int(log["blockNumber"], 16) - 1


@pytest.mark.parametrize(
    ("function", "check"), [("levelsOf", "levels"), ("tokenURI", "painted works")]
)
def test_an_answer_that_does_not_follow_is_found(
    world: Evolving, function: str, check: str
) -> None:
    interface = contracts.collection() if function == "tokenURI" else evolving.contract()
    selector = f'"0x{interface.call(function, 1)[:4].hex()}'
    with lying_node(world.chain.url) as liar:
        honest = verify(world, liar.url, token=1)
        [(key, answer)] = [(k, said) for k, said in liar.answers.items() if selector in k]
        digit = f"{int(answer[200], 16) ^ 1:x}" if function == "tokenURI" else "e"
        place = 200 if function == "tokenURI" else len(answer) - 1
        liar.lie = key, answer[:place] + digit + answer[place + 1 :]

        found = verify(world, liar.url, token=1)

    assert honest[check].state == State.PASS
    assert found[check].state == State.FAIL


@pytest.mark.parametrize("contract", ["painter", "evolution"])
def test_other_code_than_ours_is_found(world: Evolving, contract: str) -> None:
    address = getattr(world, contract)
    code = world.chain.call("eth_getCode", address, "latest")
    # A jump destination at the end, which nothing reaches.
    world.chain.call("anvil_setCode", address, f"{code}5b")

    found = verify(world)

    assert found[contract].state == State.FAIL
    assert "not the code that is committed here" in found[contract].why


def test_a_pool_that_is_broken_counts_as_nothing(world: Evolving) -> None:
    for peer in (world.exchange.pool, world.exchange.pair):
        world.chain.call("anvil_setCode", peer, "0xfe")

    found = verify(world, token=1)

    assert found["levels"].state == found["painted works"].state == State.PASS
    assert "liquidity 0 of 30, share 0 of 11" in found["levels"].why


def snapshot(epoch: int, volumes: dict[int, int], paid: dict[int, int]) -> dict[str, Any]:
    """A document as the site makes it: what was paid for works, and the sales of it."""
    sales = [[f"0x{n:064x}", 0, 0, n, str(wei), "0x0", ""] for n, wei in paid.items()]
    sales.append([f"0x{9:064x}", 0, 0, 1, str(ETHER), "0x0", "self_trade"])
    works = [[n, str(wei), "3"] for n, wei in sorted(volumes.items())]
    return {"epoch": epoch, "rules": ["volume", "votes"], "works": works, "sales": sales}


def publish_of(world: Evolving, document: dict[str, Any], levels_of: dict[int, int]) -> None:
    """An epoch whose leaves name a document, with the levels of these volumes."""
    digest = epochs.snapshot_hash(document)
    quantities = {n: (wei, 3) for n, wei in levels_of.items()}
    found = epochs.leaves(world.law, document["epoch"], digest, quantities)
    world.send(evolving.publish(epochs.root(found), digest), OWNER)


@pytest.fixture
def fresh(chain: Chain) -> Evolving:
    return open_collection(chain)


VOLUMES = {1: 4 * ETHER, 2: ETHER}


def test_epochs_follow_from_their_snapshots(fresh: Evolving, tmp_path: Path) -> None:
    document = snapshot(1, VOLUMES, VOLUMES)
    publish_of(fresh, document, VOLUMES)
    path = tmp_path / "epoch-1.json"
    path.write_text(json.dumps(document))

    without, found = verify(fresh), verify(fresh, snapshots=[path])

    assert without["epochs"].state == State.NOT_CHECKABLE
    assert found["epochs"].state == State.PASS
    assert found["epochs"].why.startswith("1 root from the snapshots, and volumes")


@pytest.mark.parametrize(
    ("document", "levels_of", "why"),
    [
        (snapshot(1, VOLUMES, VOLUMES), {1: ETHER, 2: ETHER}, "the root of epoch 1 is not"),
        (snapshot(2, VOLUMES, VOLUMES), VOLUMES, "names the snapshot of another"),
        (
            snapshot(1, VOLUMES, {1: ETHER, 2: ETHER}),
            VOLUMES,
            "epoch 1 counts 4000000000000000000 wei for work 1, its sales 1000000000000000000",
        ),
    ],
    ids=["another root", "another epoch", "sales that are less"],
)
def test_an_epoch_that_does_not_follow_is_found(
    fresh: Evolving, tmp_path: Path, document: Any, levels_of: dict[int, int], why: str
) -> None:
    publish_of(fresh, document, levels_of)
    path = tmp_path / "epoch-1.json"
    path.write_text(json.dumps(document))

    found = verify(fresh, snapshots=[path])["epochs"]

    assert found.state == State.FAIL
    assert why in found.why


def test_another_file_is_no_snapshot(fresh: Evolving, tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text("[]")

    with pytest.raises(ValueError, match=r"list\.json is no snapshot"):
        verify(fresh, snapshots=[path])
