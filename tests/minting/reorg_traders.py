"""What traders and voters do between two blocks, and what the chain says of it afterwards."""

import random
from collections.abc import Sequence
from typing import Any

from eth_abi.abi import decode
from eth_utils.address import to_checksum_address

from minting import services
from minting.chain.abi import compiled
from minting.chain.pools import V2, V3
from minting.models import Contract, Delegation, LiquidityChange, Pool, Swap, VotingPower
from minting.provenance.keccak import keccak256
from tests.fixtures.chain import Chain
from tests.minting import uniswap
from tests.minting.uniswap import SPACING, WIDE, Exchange

ETHER = 10**18
VOTES = compiled("LivingVotesCollection")


def open_pools(chain: Chain, wallets: Sequence[str]) -> Exchange:
    """A pool of each kind, read from its creation, in which everybody may trade."""
    exchange = uniswap.open_exchange(chain, *wallets)
    first, second = wallets[:2]
    exchange.add_shares(first, 100 * ETHER, 100 * ETHER)
    exchange.add_range(first, -WIDE, WIDE, 100 * ETHER)
    exchange.add_range(second, -SPACING, SPACING, 10 * ETHER)
    collection = Contract.objects.get().collection
    with services.connect() as node:
        for kind, address in ((V2, exchange.pair), (V3, exchange.pool)):
            services.register_pool(node=node, collection=collection, address=address, kind=kind)
    return exchange


def trades(exchange: Exchange, rng: random.Random, wallet: str) -> list[dict[str, str]]:
    """One trade in each pool; of the v3 pool's some leave the narrow range."""
    amount, is_first = rng.randrange(1, 20) * ETHER, rng.random() < 0.5
    return [
        exchange.v2_trade(wallet, amount, is_first=is_first),
        exchange.v3_trade(wallet, amount, is_first=not is_first),
    ]


def check_votes(chain: Chain) -> None:
    """Rows = chain: each log, and each wallet's power at each of the newest blocks."""
    contract = Contract.objects.get()
    powers = VotingPower.objects.values_list(*PLACE, "wallet", "votes")
    assert sorted((*place, int(who, 16), votes) for *place, who, votes in powers) == sorted(
        (*place(raw), int(raw["topics"][1], 16), words(raw, "uint256", "uint256")[1])
        for raw in logs(chain, contract.address, b"DelegateVotesChanged(address,uint256,uint256)")
    )
    named = Delegation.objects.values_list(*PLACE, "holder", "delegate")
    assert sorted((*place, int(one, 16), int(other, 16)) for *place, one, other in named) == sorted(
        (*place(raw), int(raw["topics"][1], 16), int(raw["topics"][3], 16))
        for raw in logs(chain, contract.address, b"DelegateChanged(address,address,address)")
    )
    head = chain.block_number()
    for wallet in set(VotingPower.objects.values_list("wallet", flat=True)):
        for number in range(head - 13, head):
            asked = VOTES.call("getPastVotes", wallet, number)
            expected = VOTES.answer("getPastVotes", chain.read(contract.address, asked))
            assert expected == services.voting_power(
                contract=contract, wallet=wallet, number=number
            )
        asked = VOTES.call("delegates", wallet)
        delegate = VOTES.answer("delegates", chain.read(contract.address, asked))
        found = services.find_delegate(contract=contract, holder=wallet)
        assert int(found or "0x0", 16) == int(delegate, 16)


def check_pools(chain: Chain, exchange: Exchange) -> None:
    """Rows = chain: each log, and reserves, price, liquidity and shares as the pools have them."""
    for pool in Pool.objects.all():
        swaps = Swap.objects.filter(pool=pool).values_list(*PLACE, "amount0", "amount1")
        assert sorted(swaps) == sorted(swaps_on_chain(chain, pool))
    pair, pool = Pool.objects.get(kind=V2), Pool.objects.get(kind=V3)
    reserves = pair.snapshots.in_order().last()
    assert reserves is not None
    assert (reserves.reserve0, reserves.reserve1) == exchange.ask_pair("getReserves")[:2]
    assert pair.snapshots.count() == len(logs(chain, pair.address, b"Sync(uint112,uint112)"))
    price = pool.snapshots.in_order().last()
    assert price is not None
    assert (price.sqrt_price_x96, price.tick) == exchange.ask_pool("slot0")[:2]
    assert price.liquidity == exchange.ask_pool("liquidity")
    head, manager = chain.block_number(), exchange.positions
    held = services.position_in_range(
        pool=pool, owner=manager, tick_lower=-SPACING, tick_upper=SPACING, number=head
    )
    is_in = -SPACING <= (price.tick or 0) < SPACING
    assert held == is_in * exchange.position(manager, -SPACING, SPACING)
    changes = LiquidityChange.objects.filter(pool=pool)
    burnt = b"Burn(address,int24,int24,uint128,uint256,uint256)"
    minted = b"Mint(address,address,int24,int24,uint128,uint256,uint256)"
    assert sorted(changes.values_list(*PLACE)) == sorted(
        place(raw) for kind in (burnt, minted) for raw in logs(chain, pool.address, kind)
    )


def swaps_on_chain(chain: Chain, pool: Pool) -> list[tuple[Any, ...]]:
    if pool.kind == V2:
        topic = b"Swap(address,uint256,uint256,uint256,uint256,address)"
        found = [(raw, words(raw, *["uint256"] * 4)) for raw in logs(chain, pool.address, topic)]
        return [(*place(raw), w[0] - w[2], w[1] - w[3]) for raw, w in found]
    topic = b"Swap(address,address,int256,int256,uint160,uint128,int24)"
    kinds = ["int256", "int256", "uint160", "uint128", "int24"]
    return [(*place(raw), *words(raw, *kinds)[:2]) for raw in logs(chain, pool.address, topic)]


PLACE = ("block__hash", "tx_hash", "log_index")


def place(raw: dict[str, Any]) -> tuple[str, str, int]:
    return raw["blockHash"], raw["transactionHash"], int(raw["logIndex"], 16)


def words(raw: dict[str, Any], *kinds: str) -> tuple[Any, ...]:
    return decode(kinds, bytes.fromhex(raw["data"][2:]))


def logs(chain: Chain, address: str, signature: bytes) -> list[dict[str, Any]]:
    query = {
        "address": to_checksum_address(address),
        "fromBlock": "0x0",
        "toBlock": "latest",
        "topics": ["0x" + keccak256(signature).hex()],
    }
    found: list[dict[str, Any]] = chain.call("eth_getLogs", query)
    return found
