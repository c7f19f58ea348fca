"""Epochs from indexed facts to proven levels, on a real node."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from minting import indexer, services
from minting.chain.logs import ZERO_ADDRESS
from minting.evolution import epochs
from minting.models import Block, ChainTransaction, Contract, Epoch, ProvenLevels, Sale, Snapshot
from minting.provenance.keccak import keccak256
from sentiment import tasks
from sentiment.models import Round, Vote, Voter
from sentiment.services import close_epoch
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.fixtures.outbox import pump

pytestmark = pytest.mark.usefixtures("chain_settings")
ETH = 10**18
CAROL = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def sell(
    contract: Contract, token_id: int, price_wei: int, seller: str, buyer: str, **told: str
) -> None:
    n = Sale.objects.count()
    Sale.objects.create(
        block=Block.objects.newest_first()[0],
        token=contract.tokens.get(token_id=token_id),
        chain_id=contract.chain_id,
        tx_hash=f"0x{n:064x}",
        log_index=n,
        order_hash=f"0x{n:064x}",
        seller=seller,
        buyer=buyer,
        price_wei=price_wei,
        **told,
    )


def vote(contract: Contract, winner: int, loser: int, n_votes: int) -> None:
    works = {one.token_id: one.artwork for one in contract.tokens.select_related("artwork")}
    won, lost = works[winner], works[loser]
    assert won is not None
    assert lost is not None
    now = datetime.now(UTC)
    current, _ = Round.objects.get_or_create(
        drop=won.drop, defaults={"opened_at": now, "state": Round.State.CLOSED, "closed_at": now}
    )
    first, second = sorted([won, lost], key=lambda one: one.pk)
    for n in range(n_votes):
        user = User.objects.create(username=f"{winner} {n}")
        voter = Voter.objects.create(user=user, address=f"0x{n:039x}{winner:x}")
        Vote.objects.create(
            round=current, voter=voter, first=first, second=second, winner=won, shown_left=won
        )


def settle() -> None:
    pump()
    indexer.poll()


def levels(chain: Chain, contract: Contract, token_id: int) -> tuple[int, ...]:
    token = contract.tokens.select_related("contract").get(token_id=token_id)
    return services.read_levels(chain, token)


def test_what_was_sold_and_voted_for_moves_works(evolving_works: Contract, chain: Chain) -> None:
    contract = evolving_works
    sell(contract, 1, ETH, ALICE, BOB)
    vote(contract, 2, 3, 5)
    before = services.read_work(chain, contract.tokens.get(token_id=1)).picture

    tasks.move_works()
    settle()
    tasks.move_works()
    settle()

    assert levels(chain, contract, 1) == (6, 0, 0, 0)
    assert levels(chain, contract, 2) == (0, 2, 0, 0)
    assert levels(chain, contract, 3) == (0, 0, 0, 0)
    token = contract.tokens.select_related("contract").get(token_id=1)
    assert services.mirror_work(token, 0).levels == levels(chain, contract, 1)
    assert services.read_work(chain, token).picture != before
    assert ProvenLevels.objects.count() == 2


def test_wash_trades_and_other_money_count_for_nothing(evolving_works: Contract) -> None:
    sell(evolving_works, 1, ETH, ALICE, BOB)
    sell(evolving_works, 1, ETH, BOB, ALICE)
    sell(evolving_works, 2, ETH, ALICE, BOB, currency=CAROL)
    sell(evolving_works, 3, ETH, ALICE, BOB, currency=ZERO_ADDRESS)

    snapshot = close_epoch(contract=evolving_works)

    assert snapshot is not None
    assert snapshot.levels == [[1, 0, 0], [2, 0, 0], [3, 6, 0]]
    reasons = [row[-1] for row in snapshot.document["sales"]]
    assert reasons == ["round_trip", "round_trip", "other currency", ""]


def test_the_same_epoch_twice_is_one(evolving_works: Contract) -> None:
    sell(evolving_works, 1, ETH, ALICE, BOB)
    first = close_epoch(contract=evolving_works)
    again = close_epoch(contract=evolving_works)
    pump()
    unread = close_epoch(contract=evolving_works)
    indexer.poll()

    for _ in range(2):
        services.request_proofs(contract=evolving_works)
    settle()

    assert first == again == unread
    assert ChainTransaction.objects.filter(kind="epoch").count() == 1
    assert ChainTransaction.objects.filter(kind="prove").count() == 1
    assert close_epoch(contract=evolving_works) is None
    assert services.request_proofs(contract=evolving_works) == 0


def test_nothing_new_is_no_epoch(evolving_works: Contract) -> None:
    assert close_epoch(contract=evolving_works) is None
    assert not Snapshot.objects.exists()


def test_proofs_are_bounded_and_go_on_where_they_stopped(
    evolving_works: Contract, chain: Chain
) -> None:
    for token_id in (1, 2, 3):
        sell(evolving_works, token_id, ETH, ALICE, BOB)
    close_epoch(contract=evolving_works)
    settle()

    asked = []
    for _ in range(3):
        asked.append(services.request_proofs(contract=evolving_works, most=2))
        asked.append(services.request_proofs(contract=evolving_works, most=2))
        settle()

    assert asked == [2, 0, 1, 0, 0, 0]
    assert [levels(chain, evolving_works, n)[0] for n in (1, 2, 3)] == [6, 6, 6]


def test_levels_are_taken_back_in_a_later_epoch(evolving_works: Contract, chain: Chain) -> None:
    sell(evolving_works, 1, ETH, ALICE, BOB)
    close_epoch(contract=evolving_works)
    settle()
    services.request_proofs(contract=evolving_works)
    settle()
    sell(evolving_works, 1, ETH, BOB, ALICE)

    close_epoch(contract=evolving_works)
    settle()
    services.request_proofs(contract=evolving_works)
    settle()

    assert levels(chain, evolving_works, 1) == (0, 0, 0, 0)
    assert Epoch.objects.count() == 2


def test_anybody_can_compute_the_root_from_the_snapshot(
    evolving_works: Contract, client: Client
) -> None:
    sell(evolving_works, 1, ETH, ALICE, BOB)
    close_epoch(contract=evolving_works)
    settle()
    epoch = Epoch.objects.get()

    raw = client.get(f"/api/epochs/{epoch.snapshot_hash}")

    told = raw.json()
    quantities = {row[0]: [int(one) for one in row[1:]] for row in told["works"]}
    law = services.law_of(evolving_works)
    found = epochs.leaves(law, told["epoch"], keccak256(raw.content), quantities)
    assert "0x" + keccak256(raw.content).hex() == epoch.snapshot_hash
    assert "0x" + epochs.root(found).hex() == epoch.root
    assert client.get(f"/api/epochs/0x{'0' * 64}").status_code == 404


@pytest.mark.parametrize("depth", [1, 2])
def test_a_reorganisation_takes_proofs_and_epochs_back(
    evolving_works: Contract, chain: Chain, depth: int
) -> None:
    sell(evolving_works, 1, ETH, ALICE, BOB)
    close_epoch(contract=evolving_works)
    settle()
    services.request_proofs(contract=evolving_works)
    settle()

    chain.reorganise(depth)
    indexer.poll()

    token = evolving_works.tokens.select_related("contract").get(token_id=1)
    assert Epoch.objects.count() == 2 - depth
    assert not ProvenLevels.objects.exists()
    mirrored = services.mirror_work(token, 0)
    assert mirrored.levels == levels(chain, evolving_works, 1) == (0, 0, 0, 0)
