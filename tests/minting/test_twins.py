"""Works that their contract draws: the large pictures show the same, from the same bytes."""

import pytest

from generation import rendering
from generation.gan import twins
from generation.models import Artwork
from minting import services
from minting.models import Contract
from minting.services.evolution import word_of
from tests.fixtures.chain import Chain

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def works(contract: Contract) -> list[tuple[Artwork, bytes, int]]:
    """With the word that the contract draws each from, and the token's id."""
    tokens = contract.tokens.select_related("artwork", "contract", "drop").order_by("token_id")
    return [
        (token.artwork, word_of(token), token.token_id)
        for token in tokens
        if token.artwork is not None
    ]


def test_the_large_picture_is_asked_for_what_the_contract_says(
    evolving_works: Contract, chain: Chain
) -> None:
    drop = evolving_works.tokens.select_related("drop__parameter_set")[0].drop
    known = drop.parameter_set.parameters.distributions
    tokens = evolving_works.tokens.select_related("contract").order_by("token_id")
    compared = 0
    for token, (work, _, _) in zip(tokens, works(evolving_works), strict=True):
        rows = services.read_work(chain, token).metadata["attributes"]
        told = {row["trait_type"]: row["value"] for row in rows}
        for name, value in work.requested.items():
            if told.get(name) in known[name]:
                compared += 1
                assert value == told[name]
    assert compared >= 3


def test_the_large_latent_is_that_of_the_bytes(evolving_works: Contract) -> None:
    for work, word, _ in works(evolving_works):
        twin = services.twin_of(evolving_works, word)
        assert twin is not None
        assert work.start == twins.start(twin).tolist()
        assert not work.explores


def test_it_is_drawn_again_from_its_row(evolving_works: Contract) -> None:
    own = [work for work, _, _ in works(evolving_works)]
    drop = own[0].drop

    found = [one.largest for _, one in rendering.draw_again(drop, own)]
    for work in own:
        work.start = None
    other = [one.largest for _, one in rendering.draw_again(drop, own)]

    assert found == [0, 0, 0]
    assert all(other)


def test_a_contract_that_draws_nothing_has_no_twins(evolving_works: Contract) -> None:
    evolving_works.painter_address = ""

    assert services.twin_of(evolving_works, bytes(32)) is None
