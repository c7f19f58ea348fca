"""Uniswap v2 and v3 on the test chain, as npm has them, and a pool of each for the same pair."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address

from minting.chain.pools import V3
from minting.chain.uniswap import Artefact, artefact
from minting.provenance.keccak import keccak256
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain
from tests.minting.market import erc20

PACKAGES = Path(__file__).parents[2] / "node_modules"
TEST_TOKEN = "@opensea/seaport-js/src/artifacts/src/contracts/test/TestERC20.sol/TestERC20.json"
FEE_PIPS = 3000
SPACING = 60  # ticks between which positions of this fee begin and end
WIDE = 887_220  # the widest such range
FAR = 2**40  # seconds since 1970
RICH = 10**24
EVEN = 2**96  # the square root of a price of 1


def v2(package: str, name: str) -> Artefact:
    return Artefact(PACKAGES / "@uniswap" / package / "build" / f"{name}.json")


def v3(package: str, name: str) -> Artefact:
    return artefact(PACKAGES, package, name)


PAIR = v2("v2-core", "UniswapV2Pair")
V2_ROUTER = v2("v2-periphery", "UniswapV2Router02")
POOL = v3("v3-core", "UniswapV3Pool")
POSITIONS = v3("v3-periphery", "NonfungiblePositionManager")
V3_ROUTER = v3("v3-periphery", "SwapRouter")


@dataclass(frozen=True)
class Exchange:
    """Both versions with everything that people use them by; ``tokens`` are in their order."""

    chain: Chain
    tokens: tuple[str, str]
    v2_router: str
    pair: str
    v3_router: str
    positions: str
    pool: str

    # v2

    def add_shares(self, who: str, amount0: int, amount1: int) -> None:
        call = V2_ROUTER.call("addLiquidity", *self.tokens, amount0, amount1, 0, 0, who, FAR)
        self.chain.succeed(call, self.v2_router, who)

    def remove_shares(self, who: str, amount: int) -> None:
        self.chain.succeed(
            erc20("approve(address,uint256)", [self.v2_router, amount]), self.pair, who
        )
        call = V2_ROUTER.call("removeLiquidity", *self.tokens, amount, 0, 0, who, FAR)
        self.chain.succeed(call, self.v2_router, who)

    def give_shares(self, who: str, taker: str, amount: int) -> None:
        self.chain.succeed(erc20("transfer(address,uint256)", [taker, amount]), self.pair, who)

    def v2_trade(self, who: str, amount: int, *, is_first: bool = True) -> dict[str, str]:
        """The request that gives ``amount`` of one token for the other."""
        path = self.tokens if is_first else self.tokens[::-1]
        call = V2_ROUTER.call("swapExactTokensForTokens", amount, 0, list(path), who, FAR)
        return request(who, self.v2_router, call)

    # v3

    def add_range(self, who: str, lower: int, upper: int, amount: int) -> None:
        """A position of which as much is paid as fits to ``amount`` of each token."""
        terms = (*self.tokens, FEE_PIPS, lower, upper, amount, amount, 0, 0, who, FAR)
        self.chain.succeed(POSITIONS.call("mint", terms), self.positions, who)

    def remove_range(self, who: str, token_id: int, liquidity: int) -> None:
        terms = (token_id, liquidity, 0, 0, FAR)
        self.chain.succeed(POSITIONS.call("decreaseLiquidity", terms), self.positions, who)

    def v3_trade(self, who: str, amount: int, *, is_first: bool = True) -> dict[str, str]:
        """The request that gives ``amount`` of one token for the other."""
        given, got = self.tokens if is_first else self.tokens[::-1]
        terms = (given, got, FEE_PIPS, who, FAR, amount, 0, 0)
        return request(who, self.v3_router, V3_ROUTER.call("exactInputSingle", terms))

    def send(self, wanted: dict[str, str]) -> None:
        assert self.chain.mined(self.chain.call("eth_sendTransaction", wanted)).succeeded

    # what the pools say

    def ask_pair(self, name: str, *arguments: Any, block: int | str = "latest") -> Any:
        return PAIR.answer(name, self.chain.read(self.pair, PAIR.call(name, *arguments), block))

    def ask_pool(self, name: str, *arguments: Any, block: int | str = "latest") -> Any:
        return POOL.answer(name, self.chain.read(self.pool, POOL.call(name, *arguments), block))

    def position(self, owner: str, lower: int, upper: int, block: int | str = "latest") -> int:
        """Liquidity that the pool itself has for an owner in a range."""
        packed = bytes.fromhex(owner[2:]) + b"".join(
            tick.to_bytes(3, signed=True) for tick in (lower, upper)
        )
        found: int = self.ask_pool("positions", keccak256(packed), block=block)[0]
        return found

    def logs(self, address: str) -> list[dict[str, Any]]:
        query = {"address": address, "fromBlock": "0x0", "toBlock": "latest"}
        found: list[dict[str, Any]] = self.chain.call("eth_getLogs", query)
        return found


def request(who: str, to: str, call: bytes) -> dict[str, str]:
    return {"from": who, "to": to, "data": "0x" + call.hex(), "gas": hex(1_000_000)}


def deploy(chain: Chain, creation: bytes) -> str:
    address = chain.succeed(creation).contract_address
    assert address is not None
    return str(to_checksum_address(address))


def open_exchange(chain: Chain, *traders: str) -> Exchange:
    """Both versions, empty pools at a price of 1, and traders who have plenty of both tokens."""
    weth = deploy(chain, v2("v2-periphery", "WETH9").creation())
    money = deploy(chain, Artefact(PACKAGES / TEST_TOKEN).creation())
    first, second = sorted([weth, money], key=lambda one: int(one, 16))
    makers = deploy(chain, v2("v2-core", "UniswapV2Factory").creation(OWNER))
    v2_router = deploy(chain, V2_ROUTER.creation(makers, weth))
    chain.succeed(v2("v2-core", "UniswapV2Factory").call("createPair", first, second), makers)
    factory = v3("v3-core", "UniswapV3Factory")
    ranges = deploy(chain, factory.creation())
    positions = deploy(chain, POSITIONS.creation(ranges, weth, weth))
    v3_router = deploy(chain, V3_ROUTER.creation(ranges, weth))
    chain.succeed(factory.call("createPool", first, second, FEE_PIPS), ranges)
    pair = asked(chain, makers, v2("v2-core", "UniswapV2Factory"), "getPair", first, second)
    pool = asked(chain, ranges, factory, "getPool", first, second, FEE_PIPS)
    chain.succeed(POOL.call("initialize", EVEN), pool)
    for trader in traders or (ALICE, BOB):
        furnish(chain, trader, weth, money, (v2_router, v3_router, positions))
    return Exchange(chain, (first, second), v2_router, pair, v3_router, positions, pool)


def asked(chain: Chain, to: str, artefact: Artefact, name: str, *arguments: Any) -> str:
    raw = chain.read(to, artefact.call(name, *arguments))
    return str(to_checksum_address(artefact.answer(name, raw)))


def furnish(chain: Chain, trader: str, weth: str, money: str, spenders: tuple[str, ...]) -> None:
    """Both tokens in a trader's hands, and free for the routers to move."""
    chain.call("anvil_setBalance", trader, hex(2 * RICH))
    chain.succeed(erc20("mint(address,uint256)", [trader, RICH]), money, trader)
    chain.succeed(keccak256(b"deposit()")[:4], weth, trader, RICH)
    for token in (weth, money):
        for spender in spenders:
            call = erc20("approve(address,uint256)", [spender, 2**255])
            chain.succeed(call, token, trader)


def address_of(exchange: Exchange, kind: str) -> str:
    return exchange.pool if kind == V3 else exchange.pair
