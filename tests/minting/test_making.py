"""A collection that is drawn inside the chain, from the plan to its first commitment."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError

from generation.models import Checkpoint, Drop
from generation.services import open_drop
from generation.shipped import ONCHAIN, PORTRAITS
from minting import indexer, revealing, sender, services
from minting.chain import evolving
from minting.chain.abi import compiled
from minting.evolution import laws
from minting.evolution.laws import Choice
from minting.evolution.rules import LawError, Source
from minting.models import ChainTransaction, Contract
from minting.services import painting
from tests.fixtures.chain import ALICE, Chain
from tests.fixtures.outbox import NOW, pump
from tests.fixtures.painted import LAW

pytestmark = pytest.mark.usefixtures("chain_settings")
Kind = ChainTransaction.Kind
ORDER = ("deploy", "staking", "evolution", "locker", "law", "commit")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def commit(drop: Drop) -> None:
    services.request_living_commit(drop=drop, reveal_block=revealing.choose_block() + 100)


def test_everything_is_there_before_the_first_commitment(
    evolving_draft: Drop, chain: Chain
) -> None:
    commit(evolving_draft)

    pump()

    rows = ChainTransaction.objects.exclude(kind=Kind.LIBRARY).order_by("block_number", "pk")
    contract = Contract.objects.get()
    law = services.law_of(contract)
    assert [row.kind for row in rows] == list(ORDER)
    assert set(ChainTransaction.objects.values_list("state", flat=True)) == {"confirmed"}
    assert evolving.read_law(chain, contract.evolution_address) == law
    named = chain.read(contract.address, compiled("EvolvingCollection").call("evolution"))
    assert named[12:].hex() == contract.evolution_address[2:].lower()
    assert chain.ask(contract.address, "locker") == contract.staking_address.lower()


def test_each_step_may_be_the_last_one_of_a_process(evolving_draft: Drop) -> None:
    """Every pump is a process of its own that is killed after it."""
    commit(evolving_draft)
    for _ in range(60):
        sender.pump(NOW)

    keys = list(ChainTransaction.objects.values_list("key", flat=True))
    kinds = ChainTransaction.objects.exclude(kind=Kind.LIBRARY).order_by("block_number", "pk")

    assert len(keys) == len(set(keys))
    assert list(kinds.values_list("kind", flat=True)) == list(ORDER)


def test_asking_again_sends_nothing(evolving_draft: Drop) -> None:
    commit(evolving_draft)
    pump()
    before = ChainTransaction.objects.count()

    services.request_deploy(collection=evolving_draft.collection)
    pump()

    assert ChainTransaction.objects.count() == before


def test_what_somebody_else_put_there_serves_as_well(evolving_draft: Drop, chain: Chain) -> None:
    commit(evolving_draft)
    for row in ChainTransaction.objects.filter(kind=Kind.LIBRARY):
        chain.succeed(bytes(row.call), row.to)

    pump()

    evolving_draft.refresh_from_db()
    refused = ChainTransaction.objects.filter(state="reverted")
    assert set(refused.values_list("kind", flat=True)) == {Kind.LIBRARY}
    assert evolving_draft.state == Drop.State.COMMITTED


def test_works_that_do_not_move_need_no_more_than_their_painter(
    living_draft: Drop, small_student: Path, chain: Chain
) -> None:
    services.plan_contract(collection=living_draft.collection, is_painted=True)
    commit(living_draft)

    pump()
    indexer.poll()

    kinds = ChainTransaction.objects.exclude(kind=Kind.LIBRARY).order_by("pk")
    contract = Contract.objects.get()
    painter = compiled("PaintedCollection")
    found = painter.answer("painter", chain.read(contract.address, painter.call("painter")))
    assert list(kinds.values_list("kind", flat=True)) == ["commit", "deploy"]
    assert found == contract.painter_address.lower()


def test_drops_of_works_that_are_known_are_refused(evolving_draft: Drop) -> None:
    fixed = open_drop(
        collection=evolving_draft.collection, parameter_set=evolving_draft.parameter_set, size=1
    )

    with pytest.raises(services.FixedDropError, match="drawn on the fly"):
        services.request_commit(drop=fixed)


def test_a_generator_that_taught_no_student_cannot_be_put_into_a_contract(
    living_draft: Drop,
) -> None:
    with pytest.raises(services.NoStudentError, match="small"):
        services.plan_contract(collection=living_draft.collection, is_painted=True)


def test_the_shipped_portraits_have_taught_the_shipped_student() -> None:
    digest = hashlib.sha256(PORTRAITS.generator.read_bytes()).hexdigest()

    assert painting.student_of(Checkpoint(name="portraits", sha256=digest)) == ONCHAIN


def test_values_have_the_shares_of_the_first_parameters(evolving_draft: Drop) -> None:
    collection = evolving_draft.collection
    parameters = collection.parameter_sets.get()
    body = parameters.body | {"distributions": {"background": {"sand": 3, "sky": 1}}}
    type(parameters).objects.filter(pk=parameters.pk).update(body=body)

    found = {one.name: one for one in painting.attributes_of(collection)}

    assert found["background"].thresholds == (192, *[256] * 7)
    assert found["facial_hair"].thresholds == (64, 128, 192, 256)


def test_a_story_that_changed_before_it_was_sent_is_the_one_that_is_drawn(
    evolving_draft: Drop,
) -> None:
    planned = Contract.objects.get().painter_address
    collection = evolving_draft.collection
    collection.story = "Another one."
    collection.save()

    commit(evolving_draft)
    pump()

    contract = Contract.objects.get()
    assert planned != contract.painter_address == painting.painter_of(collection).address
    assert contract.address


def test_works_do_not_both_vote_and_paint(living_draft: Drop) -> None:
    with pytest.raises(ValueError, match="no room"):
        services.plan_contract(collection=living_draft.collection, has_votes=True, law=LAW)


def test_directions_leave_the_codes_of_values_alone() -> None:
    vectors = [laws.vector(name, highest) for name in laws.DIRECTIONS for highest in (1, 10, 255)]

    assert all(not any(one[: laws.CODES]) and any(one) for one in vectors)
    assert all(-128 <= number < 128 for one in vectors for number in one)


def test_a_law_without_its_pool_is_refused_when_it_is_planned() -> None:
    with pytest.raises(LawError, match="POSITION needs a peer"):
        laws.plan([Choice(Source.POSITION, "other features")])


@pytest.mark.parametrize("told", [{"law": LAW}, {"painter_address": ALICE, "has_votes": True}])
def test_rows_that_no_contract_could_be_are_refused(
    living_draft: Drop, told: dict[str, Any]
) -> None:
    services.plan_contract(collection=living_draft.collection)

    with pytest.raises(IntegrityError):
        Contract.objects.update(**told)
