"""A Uniswap v3 pool on a local chain, as npm has it: for trying what liquidity does to works.

Both tokens are wrapped ether, so that whoever has ether can trade. Everything is created by the
factory, so that it is where it was when it is asked for again.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from minting.chain.abi import FACTORY, SALT, factory_address
from minting.chain.client import Client, TransportError
from minting.chain.uniswap import ONE_X96, Venue, artefact, read_venue
from minting.provenance.keccak import keccak256

FEE_PIPS = 3000
WIDE, RANGE = 887_220, 600  # ticks: the widest range of this fee, and one that a trade can leave
DEPTH_WEI = 10**18  # of each token, all along the price and in each position
ACROSS_WEI = 100 * DEPTH_WEI  # leaves a hundred positions behind
MILLION = 10**6
GAS = 10_000_000


@dataclass(frozen=True)
class Exchange:
    """A pool, and ``trader``, an account that the node signs for and that has plenty."""

    node: Client
    venue: Venue
    trader: str

    def add_position(self, wallet: str, amount_wei: int = DEPTH_WEI, ticks: int = RANGE) -> int:
        """Give a wallet a position around a price of 1; its number. The trader pays."""
        call = self.venue.open(wallet, (-ticks, ticks), (amount_wei, amount_wei))
        send(self.node, self.trader, self.venue.manager, call)
        return self.venue.read_positions(self.node, wallet)[-1].number

    def leave(self) -> int:
        """Trade past the end of every position but the widest; what was got for it."""
        return self._trade(ACROSS_WEI, is_first=True)

    def come_back(self, got_wei: int) -> None:
        """Trade what was got back, with the pool's fee: the price is where it was."""
        self._trade(got_wei * MILLION // (MILLION - FEE_PIPS) + 1, is_first=False)

    def _trade(self, amount_wei: int, *, is_first: bool) -> int:
        """What is got: what it would be now, before it is sent."""
        call = self.venue.trade(self.trader, amount_wei, is_first=is_first)
        asked = {"from": self.trader, "to": self.venue.router, "data": "0x" + call.hex()}
        raw = self.node.call("eth_call", asked, "latest")
        send(self.node, self.trader, self.venue.router, call)
        return int(raw, 16)


def open_exchange(node: Client, packages: Path) -> Exchange:
    """The pool at a price of 1, with liquidity all along; made where it is not there yet."""
    trader = str(to_checksum_address(node.call("eth_accounts")[-1]))
    node.call("anvil_setBalance", trader, hex(10**26))
    wrapped = artefact(packages, "v2-periphery", "WETH9").creation()
    tokens = sorted(
        (_place(node, trader, wrapped + tail) for tail in (b"", bytes(32))),
        key=lambda one: int(one, 16),
    )
    factory = artefact(packages, "v3-core", "UniswapV3Factory")
    pools = _place(node, trader, factory.creation())
    positions = artefact(packages, "v3-periphery", "NonfungiblePositionManager")
    manager = _place(node, trader, positions.creation(pools, tokens[0], tokens[0]))
    asked = factory.call("getPool", *tokens, FEE_PIPS)
    is_new = not int(factory.answer("getPool", node.read(pools, asked)), 16)
    if is_new:
        send(node, trader, pools, factory.call("createPool", *tokens, FEE_PIPS))
    pool = str(to_checksum_address(factory.answer("getPool", node.read(pools, asked))))
    found = Exchange(node, read_venue(node, packages, pool, manager), trader)
    _place(node, trader, found.venue.router_code)
    if is_new:
        core = artefact(packages, "v3-core", "UniswapV3Pool")
        send(node, trader, pool, core.call("initialize", ONE_X96))
        for token in tokens:
            _furnish(found, token)
        found.add_position(trader, ticks=WIDE)
    return found


def _furnish(exchange: Exchange, token: str) -> None:
    """Plenty of a token in the trader's hands, free for manager and router to move."""
    deposit = keccak256(b"deposit()")[:4]
    send(exchange.node, exchange.trader, token, deposit, 10**24)
    for spender in (exchange.venue.manager, exchange.venue.router):
        approve = keccak256(b"approve(address,uint256)")[:4]
        words = encode(["address", "uint256"], [spender, 2**255])
        send(exchange.node, exchange.trader, token, approve + words)


def _place(node: Client, trader: str, code: bytes) -> str:
    address = factory_address(code)
    if node.call("eth_getCode", address, "latest") == "0x":
        send(node, trader, FACTORY, SALT + code)
    return address


def send(node: Client, sender: str, to: str, call: bytes, value_wei: int = 0) -> None:
    """A transaction that the node signs; TransportError if it fails or does not come."""
    request = {"from": sender, "to": to, "data": "0x" + call.hex(), "gas": hex(GAS)}
    tx_hash = node.call("eth_sendTransaction", request | {"value": hex(value_wei)})
    for _ in range(1000):
        receipt = node.receipt(tx_hash)
        if receipt is not None and receipt.succeeded:
            return
        if receipt is not None:
            break
        time.sleep(0.01)
    raise TransportError("eth_sendTransaction", f"{tx_hash} failed")
