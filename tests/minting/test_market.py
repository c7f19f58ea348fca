"""Sales and the ends of listings, read from a real node on which Seaport trades."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import Settings

from generation.models import Drop
from minting import indexer, services
from minting.chain import contracts, orders, seaport
from minting.chain.client import Client, TransportError
from minting.chain.logs import ZERO_ADDRESS
from minting.chain.orders import NATIVE, Order
from minting.models import (
    ChainTransaction,
    Contract,
    Listing,
    Marketplace,
    Sale,
    Token,
)
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain
from tests.fixtures.outbox import pump
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop
from tests.minting.market import (
    PRICE_WEI,
    Bazaar,
    deploy_seaport,
    erc20,
    open_bazaar,
    private_sale,
)

pytestmark = pytest.mark.usefixtures("chain_settings")
MINT_WEI = 10**15


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def drop(make_drop: MakeDrop, chain_settings: Settings) -> Drop:
    drop = make_drop(6)
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    services.request_open_sale(drop=drop, phases=everybody(MINT_WEI, 5))
    pump()
    return drop


@pytest.fixture
def bazaar(chain: Chain, drop: Drop) -> Bazaar:
    """Tokens 1 to 4 of Alice's and 5 of Bob's, read, and Seaport."""
    contract = Contract.objects.get().address
    chain.succeed(contracts.mint(1, 0, 4), contract, ALICE, 4 * MINT_WEI)
    chain.succeed(contracts.mint(1, 0, 1), contract, BOB, MINT_WEI)
    bazaar = open_bazaar(chain, contract)
    indexer.poll()
    return bazaar


def keep(bazaar: Bazaar, order: Order) -> Listing:
    """The listing's row, past the checks of the API."""
    return services.create_listing(
        token=Token.objects.get(token_id=order.offer[0].identifier),
        body=order.to_json(),
        signature=bazaar.sign(order),
        now=timezone.now(),
    )


def only_sale() -> Sale:
    return Sale.objects.select_related("token", "block").get()


def state(listing: Listing) -> str:
    listing.refresh_from_db()
    return listing.state


def test_a_sale_has_its_parties_and_the_whole_price(bazaar: Bazaar) -> None:
    order = bazaar.listing(ALICE, 1)
    receipt = bazaar.buy(order, BOB)

    indexer.poll()

    sale = only_sale()
    assert (sale.token.token_id, sale.seller, sale.buyer) == (1, ALICE, BOB)
    assert (sale.price_wei, sale.currency, sale.is_bundle) == (PRICE_WEI, ZERO_ADDRESS, False)
    assert (sale.tx_hash, sale.block.number) == (receipt.tx_hash, receipt.block_number)
    assert sale.order_hash == seaport.order_hash(order)


def test_reading_again_adds_no_sale(bazaar: Bazaar) -> None:
    bazaar.buy(bazaar.listing(ALICE, 1), BOB)

    for _ in range(2):
        indexer.poll()

    assert Sale.objects.count() == 1


def test_transfers_and_sales_of_other_contracts_are_no_sales_of_ours(bazaar: Bazaar) -> None:
    other = bazaar.chain.deploy()
    call = contracts.call("transferFrom", ALICE, BOB, 1)
    bazaar.chain.succeed(call, bazaar.contract, ALICE)
    money = bazaar.money(ALICE, 100)
    give = Order(
        offerer=ALICE,
        offer=(orders.Item(orders.ERC20, money, 0, 100, 100),),
        consideration=(orders.Item(NATIVE, ZERO_ADDRESS, 0, 5, 5, ALICE),),
        start_time=0,
        end_time=2**40,
        salt=1,
        counter=0,
    )
    bazaar.buy(give, BOB)

    indexer.poll()

    assert other != bazaar.contract
    assert not Sale.objects.exists()
    assert Token.objects.get(token_id=1).owner == BOB


def test_an_accepted_offer_is_a_sale_in_its_own_currency(bazaar: Bazaar) -> None:
    money = bazaar.money(ALICE, 1000)
    bid = bazaar.bid(ALICE, 5, money, 1000)
    approve = erc20("approve(address,uint256)", [bazaar.seaport, 2**255])
    bazaar.chain.succeed(approve, money, BOB)
    bazaar.do(seaport.fulfil_order(bid, bazaar.sign(bid)), BOB)

    indexer.poll()

    sale = only_sale()
    assert (sale.token.token_id, sale.seller, sale.buyer) == (5, BOB, ALICE)
    assert (sale.price_wei, sale.currency) == (1000, money)


def test_a_private_sale_emits_two_events_and_is_one_sale(bazaar: Bazaar) -> None:
    listed, taken = private_sale(bazaar.listing(ALICE, 2), BOB)
    fulfilments = [
        ([(0, 0)], [(0, 2)]),
        ([(1, 0)], [(0, 0)]),
        ([(1, 0)], [(0, 1)]),
    ]
    call = seaport.match_orders([(listed, bazaar.sign(listed)), (taken, "0x")], fulfilments)
    bazaar.do(call, BOB, PRICE_WEI)

    indexer.poll()

    sale = only_sale()
    assert (sale.token.token_id, sale.seller, sale.buyer) == (2, ALICE, BOB)
    assert sale.price_wei == PRICE_WEI


def test_a_listing_matched_with_an_offer_is_one_sale_at_the_buyers_price(bazaar: Bazaar) -> None:
    money = bazaar.money(BOB, 1000)
    bid = bazaar.bid(BOB, 3, money, 1000)
    ask = bazaar.listing(ALICE, 3, 975, royalty_bps=0)
    payment = orders.Item(orders.ERC20, money, 0, 975, 975, ALICE)
    ask = Order(**{**vars(ask), "consideration": (payment,)})
    fulfilments = [([(0, 0)], [(1, 0)]), ([(1, 0)], [(0, 0)]), ([(1, 0)], [(1, 1)])]
    signed = [(ask, bazaar.sign(ask)), (bid, bazaar.sign(bid))]
    bazaar.do(seaport.match_orders(signed, fulfilments), OWNER)

    indexer.poll()

    sale = only_sale()
    assert (sale.seller, sale.buyer, sale.price_wei, sale.currency) == (ALICE, BOB, 1000, money)
    assert sale.order_hash == seaport.order_hash(ask)


def test_a_bundles_price_is_split_evenly_to_the_last_wei_and_flagged(bazaar: Bazaar) -> None:
    single = bazaar.listing(ALICE, 1, 1_000_000_000_000_000_001)
    more = tuple(orders.Item(orders.ERC721, bazaar.contract, i, 1, 1) for i in (1, 2, 4))
    bundle = Order(**{**vars(single), "offer": more})
    bazaar.buy(bundle, BOB)

    indexer.poll()

    found = list(Sale.objects.in_order().select_related("token"))
    assert [(sale.token.token_id, sale.position) for sale in found] == [(1, 0), (2, 1), (4, 2)]
    assert sum(sale.price_wei for sale in found) == 1_000_000_000_000_000_001
    assert max(s.price_wei for s in found) - min(s.price_wei for s in found) == 1
    assert all(sale.is_bundle for sale in found)


def test_an_exchange_of_two_tokens_is_no_sale(bazaar: Bazaar) -> None:
    order = bazaar.listing(ALICE, 1, royalty_bps=0)
    wanted = orders.Item(orders.ERC721, bazaar.contract, 5, 1, 1, ALICE)
    swap = Order(**{**vars(order), "consideration": (*order.consideration, wanted)})
    bazaar.buy(swap, BOB)

    indexer.poll()

    assert not Sale.objects.exists()
    assert Token.objects.get(token_id=5).owner == ALICE


def test_a_reorganisation_takes_a_sale_back_and_reopens_its_listing(bazaar: Bazaar) -> None:
    order = bazaar.listing(ALICE, 1)
    listing = keep(bazaar, order)
    bazaar.buy(order, BOB)
    indexer.poll()
    assert (Sale.objects.count(), state(listing)) == (1, "filled")

    bazaar.chain.reorganise(1)
    indexer.poll()

    assert not Sale.objects.exists()
    assert state(listing) == "open"
    assert Token.objects.get(token_id=1).owner == ALICE


def test_a_sale_that_moves_to_another_block_is_read_there(bazaar: Bazaar) -> None:
    order = bazaar.listing(ALICE, 1)
    listing = keep(bazaar, order)
    bazaar.chain.mine()
    receipt = bazaar.buy(order, BOB)
    indexer.poll()
    raw = bazaar.chain.call("eth_getRawTransactionByHash", receipt.tx_hash)

    bazaar.chain.reorganise(2, [[raw, 1]])
    indexer.poll()

    sale = only_sale()
    again = bazaar.chain.receipt(receipt.tx_hash)
    assert again is not None
    assert sale.block.hash == again.block_hash != receipt.block_hash
    assert state(listing) == "filled"


def test_a_window_read_by_two_forks_leaves_nothing(
    bazaar: Bazaar, monkeypatch: pytest.MonkeyPatch
) -> None:
    bazaar.buy(bazaar.listing(ALICE, 1), BOB)
    monkeypatch.setattr(Client, "receipt_logs", lambda _, hashes: [None] * len(hashes))

    with pytest.raises(services.ForkError):
        indexer.poll()

    assert not Sale.objects.exists()
    assert Token.objects.get(token_id=1).owner == ALICE


def test_a_node_that_goes_away_between_logs_and_receipts_loses_and_doubles_nothing(
    bazaar: Bazaar, monkeypatch: pytest.MonkeyPatch
) -> None:
    bazaar.buy(bazaar.listing(ALICE, 1), BOB)

    def away(*_: object) -> None:
        raise TransportError("batch", "ConnectionError")

    with monkeypatch.context() as broken:
        broken.setattr(Client, "receipt_logs", away)
        with pytest.raises(TransportError):
            indexer.poll()
    indexer.poll()

    assert only_sale().buyer == BOB


@pytest.mark.parametrize(
    "end",
    [lambda order: seaport.cancel([order]), lambda _: seaport.increment_counter()],
    ids=["this one", "all"],
)
def test_a_seller_takes_a_listing_back(bazaar: Bazaar, end: Callable[[Order], bytes]) -> None:
    order = bazaar.listing(ALICE, 1)
    listing = keep(bazaar, order)
    bazaar.do(end(order), ALICE)

    indexer.poll()

    assert state(listing) == "cancelled"


def test_a_listing_under_the_new_counter_outlives_the_old_ones(bazaar: Bazaar) -> None:
    old = keep(bazaar, bazaar.listing(ALICE, 1))
    bazaar.do(seaport.increment_counter(), ALICE)
    new = keep(bazaar, bazaar.listing(ALICE, 1))

    indexer.poll()

    assert (state(old), state(new)) == ("cancelled", "open")


def test_a_listing_is_void_once_the_token_has_another_owner(bazaar: Bazaar) -> None:
    listing = keep(bazaar, bazaar.listing(ALICE, 1))
    other = keep(bazaar, bazaar.listing(ALICE, 2))
    call = contracts.call("transferFrom", ALICE, BOB, 1)
    bazaar.chain.succeed(call, bazaar.contract, ALICE)

    indexer.poll()

    assert (state(listing), state(other)) == ("invalid", "open")


def test_signed_listings_outlive_reading_everything_again(bazaar: Bazaar) -> None:
    waiting, sold = bazaar.listing(ALICE, 1), bazaar.listing(ALICE, 2)
    listings = [keep(bazaar, waiting), keep(bazaar, sold)]
    bazaar.buy(sold, BOB)
    indexer.poll()
    before = [state(listing) for listing in listings]

    deployed = Contract.objects.get().deployed_block
    assert deployed is not None
    services.rewind(chain_id=31337, number=deployed)
    away = [(one.token, one.state) for one in Listing.objects.order_by("pk")]
    offered = Listing.objects.active(timezone.now()).count()
    indexer.poll()

    assert before == ["open", "filled"]
    assert away == [(None, "open"), (None, "open")]
    assert offered == 0
    assert [state(listing) for listing in listings] == before
    tokens = Token.objects.order_by("token_id")[:2]
    assert [listing.token for listing in listings] == list(tokens)
    assert [Sale.objects.count(), Listing.objects.count()] == [1, 2]


def test_a_listing_is_void_if_another_mints_its_token_after_a_reorganisation(
    bazaar: Bazaar,
) -> None:
    listing = keep(bazaar, bazaar.listing(ALICE, 1))
    minted = Token.objects.get(token_id=1).minted_block.number
    bazaar.chain.reorganise(bazaar.chain.block_number() - minted + 1)
    bazaar.chain.succeed(contracts.mint(1, 0, 1), bazaar.contract, BOB, MINT_WEI)

    indexer.poll()

    assert state(listing) == "invalid"
    assert listing.token == Token.objects.get()


def test_a_buyer_may_list_before_the_purchase_is_read(bazaar: Bazaar) -> None:
    bazaar.buy(bazaar.listing(ALICE, 1), BOB)
    listing = keep(bazaar, bazaar.listing(BOB, 1))

    indexer.poll()

    assert Token.objects.get(token_id=1).owner == BOB
    assert state(listing) == "open"


def test_the_local_chain_gets_its_marketplace_once(chain: Chain, drop: Drop) -> None:
    contract = Contract.objects.get()

    for _ in range(3):
        services.request_marketplace(contract=contract)
        pump()

    market = Marketplace.objects.get()
    kinds = ChainTransaction.objects.filter(kind__in=["conduit", "market"])
    assert kinds.count() == 2
    assert chain.call("eth_getCode", market.address, "latest") != "0x"
    assert services.find_marketplace(chain_id=31337) == market.address


def test_a_collection_that_asks_meanwhile_waits_for_the_same_marketplace(
    chain: Chain, drop: Drop
) -> None:
    contract = Contract.objects.get()

    services.request_marketplace(contract=contract)
    services.request_marketplace(contract=contract)

    assert ChainTransaction.objects.filter(kind="conduit").count() == 1


@pytest.mark.parametrize("chain_id", [1, 8453])
@pytest.mark.django_db
def test_other_chains_have_seaport_at_its_usual_address(chain_id: int) -> None:
    assert services.find_marketplace(chain_id=chain_id) == seaport.CANONICAL_ADDRESS


def test_the_marketplace_that_we_create_is_seaport(chain: Chain) -> None:
    address = deploy_seaport(chain)

    code = chain.call("eth_getCode", address, "latest")

    assert len(code) > 40_000
