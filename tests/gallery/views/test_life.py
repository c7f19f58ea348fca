"""A work's life as JSON: levels and both pictures, moment by moment."""

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from generation.models import MovedPicture
from minting import indexer
from minting.chain import evolving
from minting.models import Block, Contract, ProvenLevels
from tests.fixtures.chain import ALICE, Chain

pytestmark = pytest.mark.usefixtures("chain_settings")
URL = "/collections/living/works/1/life.json"


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


def test_each_moment_has_the_pictures_of_then(
    client: Client, evolving_works: Contract, chain: Chain
) -> None:
    chain.succeed(evolving.interact(1), evolving_works.evolution_address, ALICE)
    indexer.poll()
    token = evolving_works.tokens.select_related("artwork").get(token_id=1)
    head = Block.objects.order_by("-number")[0]
    place = {"block": head, "tx_hash": "0x" + "5" * 64, "log_index": 9}
    ProvenLevels.objects.create(token=token, epoch=1, levels=[3, 0], **place)
    assert token.artwork is not None
    MovedPicture.objects.create(
        artwork=token.artwork, epoch=1, latents="0" * 64, image_digest="1" * 64
    )

    found = client.get(URL).json()

    assert found["rules"] == ["volume", "votes", "interactions", "stake age"]
    first, last = found["moments"]
    assert first["happened"] == [{"title": "First drawn", "says": ""}]
    assert first["picture"] == "/collections/living/works/1/living.png?levels=0,0,0,0"
    assert first["large_picture"] == f"/api/images/{token.artwork.image_digest}.png"
    assert {what["title"] for what in last["happened"]} == {"Interaction 1", "Epoch 1"}
    assert last["levels"] == [3, 0, 1, 0]
    assert last["large_picture"] == f"/api/images/{'1' * 64}.png"
    assert client.get(last["picture"]).status_code == 200


def test_it_is_there_while_the_chain_is_away(
    client: Client, evolving_works: Contract, settings: Settings
) -> None:
    settings.CHAIN_RPC_URL = "http://127.0.0.1:9"

    assert [one["levels"] for one in client.get(URL).json()["moments"]] == [[0, 0, 0, 0]]


def test_a_work_without_a_law_has_no_life(client: Client, evolving_works: Contract) -> None:
    assert client.get("/collections/living/works/99/life.json").status_code == 404
    Contract.objects.update(law=None)
    assert client.get(URL).status_code == 404


def test_a_long_life_takes_no_more_questions(
    client: Client,
    evolving_works: Contract,
    chain: Chain,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(3):
        chain.succeed(evolving.interact(1), evolving_works.evolution_address, ALICE)
        chain.call("evm_increaseTime", 90_000)
        chain.mine()
    indexer.poll()

    with django_assert_max_num_queries(10):
        found = client.get(URL).json()

    assert len(found["moments"]) == 4
