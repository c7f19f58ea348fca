"""What a pool and its tokens say of themselves, when asked on the chain.

A v2 pair has no fee of its own: 0.3 % is in its code (Uniswap v2 Core, section 3.2.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from minting.chain.abi import Interface
from minting.chain.client import Client, RpcError
from minting.chain.logs import ZERO_ADDRESS
from minting.chain.pools import V2, V3
from minting.provenance.keccak import keccak256

V2_FEE_PIPS = 3000
CREATED = {
    V2: "PairCreated(address,address,address,uint256)",
    V3: "PoolCreated(address,address,uint24,int24,address)",
}
MAX_DECIMALS = 77  # 10^77 is the last power of ten below 2^256
MAX_SYMBOL = 20


def _view(name: str, output: str, *inputs: str) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "inputs": [{"name": "", "type": kind} for kind in inputs],
        "outputs": [{"name": "", "type": output}],
    }


CALLS = Interface(
    [
        _view("factory", "address"),
        _view("token0", "address"),
        _view("token1", "address"),
        _view("fee", "uint24"),
        _view("symbol", "string"),
        _view("decimals", "uint8"),
        _view("getPair", "address", "address", "address"),
        _view("getPool", "address", "address", "address", "uint24"),
    ]
)


class NotAPoolError(ValueError):
    """The address is not that of a pool of this kind."""

    def __init__(self, address: str, kind: str, reason: str) -> None:
        super().__init__(f"{address} is not a pool of Uniswap {kind}: {reason}")
        self.address = address
        self.kind = kind
        self.reason = reason


@dataclass(frozen=True)
class TokenFacts:
    """An ERC-20 token; ``symbol`` is the first letters of its address where it has none."""

    address: str
    symbol: str
    decimals: int


@dataclass(frozen=True)
class PoolFacts:
    """``fee_pips`` is what the pool keeps of what is given, in millionths."""

    address: str
    kind: str
    factory: str
    tokens: tuple[TokenFacts, TokenFacts]
    fee_pips: int


def read_pool(node: Client, address: str, kind: str) -> PoolFacts:
    """What the pool at ``address`` says; its factory has to know it.

    Raises
    ------
    NotAPoolError
        There is none of this kind, or its tokens do not say how they are counted.
    TransportError
        The node is away.
    """
    pool = str(to_checksum_address(address))
    try:
        factory, *sides = (
            str(to_checksum_address(_ask(node, pool, name)))
            for name in ("factory", "token0", "token1")
        )
        fee_pips = _ask(node, pool, "fee") if kind == V3 else V2_FEE_PIPS
        known = _ask(node, factory, *_lookup(kind, sides, fee_pips))
    except (RpcError, DecodingError) as error:
        raise NotAPoolError(pool, kind, "it does not answer as one") from error
    if str(to_checksum_address(known)) != pool or pool == ZERO_ADDRESS:
        raise NotAPoolError(pool, kind, f"its factory {factory} does not know it")
    first, second = (_token(node, side, pool, kind) for side in sides)
    return PoolFacts(pool, kind, factory, (first, second), fee_pips)


def find_creation(node: Client, facts: PoolFacts, last: int) -> int | None:
    """The block up to ``last`` in which the factory made the pool; None if it names none.

    RpcError or TransportError where the node does not search the whole chain.
    """
    words = ["0x" + token.address[2:].lower().zfill(64) for token in facts.tokens]
    topic = "0x" + keccak256(CREATED[facts.kind].encode()).hex()
    found = node.logs(facts.factory, 0, last, [topic], *([word] for word in words))
    mine = facts.address[2:].lower()
    # The pool's address is a word of the data; a v3 factory makes one for each fee.
    blocks = [int(raw["blockNumber"], 16) for raw in found if mine in raw["data"]]
    return min(blocks, default=None)


def _lookup(kind: str, sides: Sequence[str], fee_pips: int) -> tuple[Any, ...]:
    return ("getPair", *sides) if kind == V2 else ("getPool", *sides, fee_pips)


def _ask(node: Client, to: str, name: str, *arguments: Any) -> Any:
    return CALLS.answer(name, node.read(to, CALLS.call(name, *arguments)))


def _token(node: Client, address: str, pool: str, kind: str) -> TokenFacts:
    try:
        decimals = _ask(node, address, "decimals")
    except (RpcError, DecodingError) as error:
        raise NotAPoolError(pool, kind, f"token {address} does not say its decimals") from error
    if decimals > MAX_DECIMALS:
        raise NotAPoolError(pool, kind, f"token {address} has {decimals} decimals")
    try:
        text = str(_ask(node, address, "symbol"))
    except (RpcError, DecodingError, UnicodeDecodeError):
        text = ""  # older tokens have 32 bytes here, others nothing
    symbol = "".join(letter for letter in text if letter.isprintable())[:MAX_SYMBOL].strip()
    return TokenFacts(address, symbol or address[:8], decimals)
