"""Large pictures of works that an epoch moved: drawn once, from levels on a real node."""

from datetime import timedelta

import numpy as np
import pytest
from django.test import Client as HttpClient
from pytest_django import Settings

from generation.models import Drop, MovedPicture
from minting import indexer, moving, services
from minting.chain import evolving, painted
from minting.chain.abi import compiled
from minting.chain.client import Client, RpcError
from minting.evolution import levels, moved
from minting.evolution.latents import latents_of
from minting.models import Contract, DropEvent, ProvenLevels
from minting.services import painting
from minting.services.evolution import read_levels, word_of
from tests.fixtures.chain import ALICE, Chain
from tests.fixtures.living import advance, draw, mint, pass_time, until
from tests.fixtures.outbox import pump
from tests.fixtures.painted import draw_moved, prove

pytestmark = pytest.mark.usefixtures("chain_settings")
ETH = 10**18


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def settle(chain: Chain) -> None:
    """So many blocks that what is there stays."""
    chain.mine(12)
    indexer.poll()


def test_each_epoch_has_its_picture_and_the_first_one_stays(
    evolving_works: Contract, chain: Chain
) -> None:
    minted = evolving_works.tokens.select_related("artwork").get(token_id=1).artwork
    assert minted is not None
    prove(evolving_works, {1: ETH, 2: 0, 3: 0})
    settle(chain)
    first = draw_moved(evolving_works)
    chain.succeed(evolving.interact(1), evolving_works.evolution_address, ALICE)
    prove(evolving_works, {1: 100 * ETH, 2: ETH, 3: 0})
    settle(chain)
    second = draw_moved(evolving_works)

    rows = {(row.artwork_id, row.epoch): row.image_digest for row in MovedPicture.objects.all()}
    digests = {minted.image_digest, rows[minted.pk, 1], rows[minted.pk, 2]}
    assert (first, second) == (1, 2)
    assert len(digests) == 3
    assert draw_moved(evolving_works) == 0
    assert MovedPicture.objects.count() == 3


def test_latents_are_those_that_the_contract_draws_from(
    evolving_works: Contract, chain: Chain
) -> None:
    prove(evolving_works, {1: 50 * ETH, 2: 0, 3: 0})
    settle(chain)
    draw_moved(evolving_works)

    proven = ProvenLevels.objects.select_related("block", "token__contract").get()
    call = evolving.contract().call("latentsOf", 1, _word(evolving_works, chain))
    told = chain.read(evolving_works.evolution_address, call, proven.block.number)
    assert any(read_levels(chain, proven.token, proven.block.number))
    assert MovedPicture.objects.get().latents == told.hex()


def _word(contract: Contract, chain: Chain) -> bytes:
    interface = compiled(painted.EVOLVING)
    raw = chain.read(contract.address, interface.call("wordOf", 1))
    found: bytes = interface.answer("wordOf", raw)
    return found


def test_what_a_reorganisation_can_take_back_is_not_drawn(
    evolving_works: Contract, settings: Settings
) -> None:
    prove(evolving_works, {1: ETH, 2: 0, 3: 0})
    settings.CHAIN_CONFIRMATIONS = 12

    assert not services.moved_undrawn(evolving_works).exists()
    assert draw_moved(evolving_works) == 0
    assert ProvenLevels.objects.count() == 1


def test_works_whose_secret_is_not_told_yet_wait(evolving_drop: Drop, chain: Chain) -> None:
    mint(chain, 3)
    indexer.poll()
    pass_time(chain, timedelta(minutes=20))
    until(DropEvent.Kind.CAPTURED, evolving_drop)
    draw(evolving_drop)
    contract = Contract.objects.get()
    prove(contract, {1: ETH, 2: 0, 3: 0})
    settle(chain)

    early = services.moved_undrawn(contract).exists(), draw_moved(contract)
    until(DropEvent.Kind.REVEALED, evolving_drop)
    advance()
    pump()
    settle(chain)

    assert early == (False, 0)
    assert draw_moved(contract) == 1


def test_anybody_gets_what_the_pictures_follow_from(
    evolving_works: Contract, client: HttpClient
) -> None:
    prove(evolving_works, {1: ETH, 2: 0, 3: 0})
    draw_moved(evolving_works)
    row, proven = MovedPicture.objects.get(), ProvenLevels.objects.select_related("block").get()

    answer = client.get(f"/api/tokens/{evolving_works.address}/1/moved")

    [told] = moved.read(answer.content).pictures
    assert (told.epoch, told.image_sha256, told.latents) == (1, row.image_digest, row.latents)
    assert (told.block, told.block_hash) == (proven.block.number, proven.block.hash)
    assert told.student_sha256 == row.student_digest
    other = moved.read(client.get(f"/api/tokens/{evolving_works.address}/2/moved").content)
    assert (other.token_id, other.pictures) == (2, ())


def test_before_the_reveal_nothing_is_told(
    evolving_drop: Drop, chain: Chain, client: HttpClient
) -> None:
    mint(chain)
    indexer.poll()

    address = Contract.objects.get().address

    for contract, token_id in ((address, 1), (address, 9), ("0x12", 1), (ALICE, 1)):
        assert client.get(f"/api/tokens/{contract}/{token_id}/moved").status_code == 404


def test_of_works_that_do_not_move_nothing_is_told(
    living_drop: Drop, chain: Chain, client: HttpClient
) -> None:
    mint(chain)
    indexer.poll()

    address = Contract.objects.get().address

    assert client.get(f"/api/tokens/{address}/1/moved").status_code == 404


class Forgetful(Client):
    """A node that has no state of before, as one that was started again."""

    def read(self, to: str, call: bytes, block: int | str = "latest") -> bytes:
        if block != "latest":
            raise RpcError("eth_call", -32000, "missing trie node")
        return super().read(to, call, block)


def test_a_node_that_has_forgotten_the_block_is_not_needed(
    evolving_works: Contract, chain: Chain
) -> None:
    prove(evolving_works, {1: ETH, 2: 0, 3: 0})
    chain.succeed(evolving.interact(1), evolving_works.evolution_address, ALICE)
    settle(chain)

    with Forgetful(chain.url) as node:
        drawn = moving.draw_epochs(contract=evolving_works, node=node)

    proven = ProvenLevels.objects.select_related("block", "token__contract").get()
    told = read_levels(chain, proven.token, proven.block.number)
    own = np.frombuffer(bytes.fromhex(MovedPicture.objects.get().latents), np.uint8)
    law, schema = services.law_of(evolving_works), painting.drawn_with(evolving_works)[1]
    start = np.frombuffer(latents_of(schema, word_of(proven.token)), np.uint8)
    assert drawn == 1
    assert np.array_equal(
        own, levels.move(start[None], np.array([told], np.uint8), law.directions)[0]
    )
