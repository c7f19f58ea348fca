"""Seaport on the test chain, and people who trade there."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from minting.chain import contracts, orders, seaport
from minting.chain.client import Receipt
from minting.chain.logs import ZERO_ADDRESS
from minting.chain.orders import ERC20, ERC721, NATIVE, Item, Order
from minting.models import Marketplace
from minting.provenance.keccak import keccak256
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain

NODE_MODULES = Path(__file__).parents[2] / "node_modules"
CHAIN_ID = 31337
# Anvil's keys, which everybody has.
KEYS = {
    ALICE: bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    BOB: bytes.fromhex("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
}
PRICE_WEI = 10**18
SALT = 7


@dataclass(frozen=True)
class Bazaar:
    """A node, Seaport on it, and a collection's contract."""

    chain: Chain
    seaport: str
    contract: str

    def approve(self, *sellers: str) -> None:
        for seller in sellers:
            call = contracts.call("setApprovalForAll", self.seaport, True)
            self.chain.succeed(call, self.contract, seller)

    def listing(
        self,
        seller: str,
        token_id: int,
        price_wei: int = PRICE_WEI,
        *,
        salt: int = SALT,
        lasts_s: int = 3600,
        royalty_bps: int = 500,
    ) -> Order:
        """A seller's order with the royalty paid to the treasury."""
        now = int(time.time())
        royalty = price_wei * royalty_bps // 10_000
        payments = [(seller, price_wei - royalty)] + [(OWNER, royalty)] * bool(royalty)
        return orders.listing(
            offerer=seller,
            contract=self.contract,
            token_id=token_id,
            payments=payments,
            start_time=now - 100,
            end_time=now - 100 + lasts_s,
            salt=salt,
            counter=self.counter(seller),
        )

    def bid(self, buyer: str, token_id: int, currency: str, price_wei: int) -> Order:
        """A buyer's offer in a token of money, of which a fee goes to the owner."""
        now = int(time.time())
        fee = price_wei // 40
        return Order(
            offerer=buyer,
            offer=(Item(ERC20, currency, 0, price_wei, price_wei),),
            consideration=(
                Item(ERC721, self.contract, token_id, 1, 1, buyer),
                Item(ERC20, currency, 0, fee, fee, OWNER),
            ),
            start_time=now - 100,
            end_time=now + 3600,
            salt=SALT,
            counter=self.counter(buyer),
        )

    def counter(self, offerer: str) -> int:
        raw = self.chain.read(self.seaport, seaport.get_counter(offerer))
        return seaport.decode_counter(raw)

    def sign(self, order: Order) -> str:
        return seaport.sign(order, KEYS[order.offerer], CHAIN_ID, self.seaport)

    def buy(self, order: Order, buyer: str) -> Receipt:
        price_wei = sum(i.start_amount for i in order.consideration if i.item_type == NATIVE)
        call = seaport.fulfil_order(order, self.sign(order))
        return self.chain.succeed(call, self.seaport, buyer, price_wei)

    def do(self, call: bytes, sender: str, value_wei: int = 0) -> Receipt:
        return self.chain.succeed(call, self.seaport, sender, value_wei)

    def money(self, holder: str, amount: int) -> str:
        """A new ERC-20, ``amount`` of it in the holder's hands and free for Seaport to move."""
        name = "src/contracts/test/TestERC20.sol/TestERC20.json"
        address = self.chain.succeed(bytecode(name)).contract_address
        assert address is not None
        for signature, arguments in (
            ("mint(address,uint256)", [holder, amount]),
            ("approve(address,uint256)", [self.seaport, 2**255]),
        ):
            self.chain.succeed(erc20(signature, arguments), address, holder)
        return str(to_checksum_address(address))


def erc20(signature: str, arguments: list[Any]) -> bytes:
    kinds = signature[signature.index("(") + 1 : -1].split(",")
    return keccak256(signature.encode())[:4] + encode(kinds, arguments)


def bytecode(name: str) -> bytes:
    artefacts = NODE_MODULES / "@opensea/seaport-js/src/artifacts"
    return bytes.fromhex(json.loads((artefacts / name).read_text())["bytecode"][2:])


def deploy_seaport(chain: Chain) -> str:
    """Seaport's address, after its controller's creation and its own."""
    controller = chain.succeed(seaport.conduit_controller_creation(NODE_MODULES)).contract_address
    assert controller is not None
    address = chain.succeed(seaport.creation(NODE_MODULES, controller)).contract_address
    assert address is not None
    return address


def open_bazaar(chain: Chain, contract: str) -> Bazaar:
    """Seaport on the chain and in the rows, with which Alice and Bob may trade their tokens."""
    address = deploy_seaport(chain)
    Marketplace.objects.create(chain_id=CHAIN_ID, address=address, deployed_block=1)
    bazaar = Bazaar(chain, address, to_checksum_address(contract))
    bazaar.approve(ALICE, BOB)
    return bazaar


def private_sale(order: Order, buyer: str) -> tuple[Order, Order]:
    """A listing for one buyer only and the order by which that buyer takes it."""
    item = order.offer[0]
    asked = Item(ERC721, item.token, item.identifier, 1, 1, buyer)
    price_wei = sum(payment.start_amount for payment in order.consideration)
    listed = Order(
        offerer=order.offerer,
        offer=order.offer,
        consideration=(*order.consideration, asked),
        start_time=order.start_time,
        end_time=order.end_time,
        salt=order.salt,
        counter=order.counter,
    )
    taken = Order(
        offerer=buyer,
        offer=(Item(NATIVE, ZERO_ADDRESS, 0, price_wei, price_wei),),
        consideration=(),
        start_time=order.start_time,
        end_time=order.end_time,
        salt=order.salt,
        counter=0,
    )
    return listed, taken
