"""A painted collection on a real node: its works follow from the seeds that the site draws from."""

from minting.chain import contracts
from minting.chain.abi import FACTORY, compiled
from minting.chain.node import LOCAL_CHAIN_ID
from minting.provenance import lineage
from tests.contracts.test_living import PRICE_WEI, SECRET, living_body, open_sale, phase_of
from tests.fixtures.chain import ALICE, OWNER, Chain
from tests.fixtures.painting import Painting, painting

__all__ = ["painting"]


def painted(chain: Chain, painter: str) -> str:
    """A new collection with this painter."""
    for call in contracts.libraries().values():
        chain.transact(call, FACTORY)
    creation = compiled("PaintedCollection").deployment(
        "P", "P", "ipfs://c", "https://live/", OWNER, 500, painter
    )
    address = chain.succeed(creation).contract_address
    assert address is not None
    return address


def test_a_revealed_work_is_painted_from_its_tokens_seed(painting: Painting) -> None:
    chain = painting.chain
    address = painted(chain, painting.address)
    body = living_body(chain)
    open_sale(chain, address, body, [phase_of(chain)])
    chain.succeed(contracts.mint(1, 0, 3), address, ALICE, 3 * PRICE_WEI)
    before = chain.ask(address, "tokenURI", 2)
    chain.mine(2)
    chain.succeed(contracts.capture(1), address)
    chain.succeed(contracts.reveal(1, body, SECRET), address)

    uri = chain.ask(address, "tokenURI", 2)

    seed = lineage.token_seed(
        chain_id=LOCAL_CHAIN_ID,
        contract=address,
        drop_number=1,
        drop_seed=chain.ask(address, "dropSeedOf", 1),
        token_id=2,
    )
    assert before == "https://live/2.json"
    assert uri == painting.ask("tokenURI", 2, seed)
