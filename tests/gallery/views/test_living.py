"""The part of a work's page about the picture in its contract, on a real node."""

import io
import re

import numpy as np
import pytest
from django.core.cache import cache
from django.test import Client
from PIL import Image
from pytest_django import Settings

from gallery.views.living import rhythm
from generation.models import MovedPicture
from minting import indexer, services
from minting.chain import evolving
from minting.models import Contract
from sentiment.services import mark_simulated, register_wallet
from tests.fixtures.chain import ALICE, Chain
from tests.fixtures.painted import draw_moved, prove

pytestmark = pytest.mark.usefixtures("chain_settings")
PAGE = "/collections/living/works/1"


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


def picture(client: Client, query: str = "") -> np.ndarray:
    answer = client.get(f"{PAGE}/living.png{query}")
    assert answer.status_code == 200
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def interact(chain: Chain, contract: Contract) -> None:
    chain.succeed(evolving.interact(1), contract.evolution_address, ALICE)
    indexer.poll()
    cache.clear()


def test_the_page_shows_what_moves_a_work(
    client: Client, evolving_works: Contract, chain: Chain
) -> None:
    interact(chain, evolving_works)

    text = " ".join(client.get(PAGE).content.decode().split())

    assert "Drawn by the contract" in text
    assert '<span class="level">1</span> <small class="quiet">of 4' in text
    assert "what was paid for it, wash trades aside" in text
    assert "Interaction 1" in text
    assert "interact with it once a day:" in text
    assert evolving_works.evolution_address in text


def test_who_is_simulated_is_labelled(
    client: Client, evolving_works: Contract, chain: Chain
) -> None:
    interact(chain, evolving_works)
    register_wallet(address=ALICE)
    before = client.get(PAGE).content.decode()

    mark_simulated(addresses=[ALICE])

    after = client.get(PAGE).content.decode()
    assert before.count(">simulated</span>") == 0
    assert re.search(r"Interaction 1</strong></button>\s+by .*>simulated</span>", after)


@pytest.mark.parametrize(
    ("period_s", "said"),
    [
        (1, "once a second"),
        (60, "once a minute"),
        (5_400, "once in 90 minutes"),
        (3_600, "once an hour"),
        (86_400, "once a day"),
        (604_800, "once in 7 days"),
    ],
)
def test_how_often_its_holder_may_interact_is_said(period_s: int, said: str) -> None:
    assert rhythm(period_s) == said


def test_the_picture_is_the_contracts_own_and_moves(
    client: Client, evolving_works: Contract, chain: Chain
) -> None:
    token = evolving_works.tokens.select_related("contract").get(token_id=1)
    before = picture(client)

    interact(chain, evolving_works)

    after = picture(client)
    told = Image.open(io.BytesIO(services.read_work(chain, token).picture)).convert("RGB")
    assert after.shape == (512, 512, 3)
    assert np.array_equal(after[::16, ::16], np.asarray(told))
    assert not np.array_equal(before, after)
    assert np.array_equal(picture(client, "?levels=0,0,1,0"), after)


@pytest.mark.parametrize("levels", ["", "1", "0,0,5,0", "0,0,-1,0", "0,0,x,0", "0,0,0,0,0"])
def test_levels_that_the_law_does_not_have_are_not_drawn(
    client: Client, evolving_works: Contract, levels: str
) -> None:
    assert client.get(f"{PAGE}/living.png?levels={levels}").status_code == 404


def test_the_page_is_there_while_the_chain_is_away(
    client: Client, evolving_works: Contract, settings: Settings
) -> None:
    settings.CHAIN_RPC_URL = "http://127.0.0.1:9"

    text = client.get(PAGE).content.decode()

    assert "The chain cannot be asked now" in text
    assert client.get(f"{PAGE}/living.png").status_code == 503
    assert client.get(f"{PAGE}/living.png?levels=0,0,1,0").status_code == 200


def test_large_pictures_of_epochs_stand_beside_the_one_that_was_minted(
    client: Client, evolving_works: Contract
) -> None:
    work = evolving_works.tokens.get(token_id=1).artwork
    assert work is not None
    before = client.get(PAGE).content.decode()
    for epoch, digest in ((1, "1" * 64), (3, "3" * 64)):
        digests = {"latents": "0" * 64, "student_digest": "5d" * 32, "image_digest": digest}
        MovedPicture.objects.create(artwork=work, epoch=epoch, **digests)

    after = client.get(PAGE).content.decode()

    assert "after each epoch" not in before
    assert "As the large generator drew it at its mint" in after
    shown = [after.index(f"/api/images/{digest * 64}.png") for digest in "13"]
    assert shown == sorted(shown)
    assert all(title in after for title in ("As it was minted", "After epoch 1", "After epoch 3"))


def test_it_is_told_how_to_draw_these_pictures_again(
    client: Client, evolving_works: Contract
) -> None:
    prove(evolving_works, {1: 10**18, 2: 0, 3: 0})
    draw_moved(evolving_works)

    text = client.get(PAGE).content.decode()

    address = evolving_works.address
    assert f"--contract {address} \\\n  --token 1 \\\n  --car drop-1.car" in text
    assert "--moved moved-1.json</code>" in text
    assert f'href="/api/tokens/{address}/1/moved" download="moved-1.json"' in text
    assert "Draw these again yourself" not in client.get(PAGE.replace("/1", "/2")).content.decode()
