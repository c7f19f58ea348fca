"""Reorganisations of a real node, and what its logs say afterwards, read without our own code."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from minting.chain import contracts
from minting.models import Block, Contract, DropEvent, Token, Transfer
from minting.provenance.keccak import keccak256
from tests.fixtures.chain import Chain
from tests.minting.reorg_traders import VOTES, trades
from tests.minting.uniswap import Exchange

TRANSFER = "0x" + keccak256(b"Transfer(address,address,uint256)").hex()
CAPTURED = "0x" + keccak256(b"BlockCaptured(uint256,uint256,bytes32)").hex()
GAS = hex(500_000)
DEPTHS = [1, 2, 3, 6, 12]


class Fate(Enum):
    """What a reorganisation does to a transaction."""

    REINCLUDED = "re-included"
    DROPPED = "dropped"
    REPLACED = "replaced"


@dataclass(frozen=True)
class Step:
    """A transaction as it is sent first, and what its sender may send instead."""

    first: dict[str, str]
    other: dict[str, str]


@dataclass(frozen=True)
class Scene:
    """A drop on sale at ``price_wei``, and wallets that each do one thing between two blocks."""

    chain: Chain
    address: str
    price_wei: int
    exchange: Exchange | None = None

    @property
    def wallets(self) -> list[str]:
        """Anvil's accounts but ours."""
        found: list[str] = self.chain.call("eth_accounts")
        return found[1:]

    def mint(self, wallet: str, quantity: int = 1) -> dict[str, str]:
        value_wei = quantity * self.price_wei
        return self._request(wallet, contracts.mint(1, 0, quantity), value_wei)

    def give(self, wallet: str, taker: str, token_id: int) -> dict[str, str]:
        return self._request(wallet, contracts.call("transferFrom", wallet, taker, token_id))

    def capture(self, wallet: str) -> dict[str, str]:
        return self._request(wallet, contracts.capture(1))

    def delegate(self, wallet: str, other: str) -> dict[str, str]:
        return self._request(wallet, VOTES.call("delegate", other))

    def furnish(self) -> None:
        """Everybody has a work."""
        for wallet in self.wallets:
            self.chain.mined(self.chain.call("eth_sendTransaction", self.mint(wallet)))

    def steps(self, rng: random.Random) -> list[Step]:
        """Each wallet mints, gives one of its works to another, names a delegate or trades.

        Or else it does something of this in another way.
        """
        owned: dict[str, list[int]] = {}
        for token_id, owner in owners_on_chain(self.chain, self.address).items():
            owned.setdefault(owner, []).append(token_id)
        return [self._step(rng, wallet, owned.get(wallet.lower(), [])) for wallet in self.wallets]

    def _step(self, rng: random.Random, wallet: str, token_ids: list[int]) -> Step:
        acts = [self.mint(wallet), self.mint(wallet, 2)]
        if token_ids:
            takers = rng.sample([other for other in self.wallets if other != wallet], 2)
            acts = [self.give(wallet, taker, rng.choice(token_ids)) for taker in takers]
            acts += [self.mint(wallet)]
        if self.exchange is not None:
            delegates = rng.sample(self.wallets, 2)
            acts += [self.delegate(wallet, delegate) for delegate in delegates]
            acts += trades(self.exchange, rng, wallet)
        first, other = rng.sample(acts, 2)
        return Step(first, other)

    def play(self, steps: Sequence[Step], depth: int) -> list[str]:
        """Send all steps, over ``depth`` blocks; returns the signed bytes."""
        hashes: list[str] = []
        self.chain.call("evm_setAutomine", False)
        for at in range(depth):
            for step in steps[at::depth]:
                hashes.append(self.chain.call("eth_sendTransaction", step.first))
            self.chain.mine()
        self.chain.call("evm_setAutomine", True)
        raw = {tx: self.chain.call("eth_getRawTransactionByHash", tx) for tx in hashes}
        placed = [step for at in range(depth) for step in steps[at::depth]]
        order = {id(step): raw[tx] for step, tx in zip(placed, hashes, strict=True)}
        return [order[id(step)] for step in steps]

    def reorganise(
        self,
        rng: random.Random,
        steps: Sequence[Step],
        raws: Sequence[str],
        fates: Sequence[Fate],
        depth: int,
    ) -> None:
        """Replace the last ``depth`` blocks; what comes back may come in another one."""
        pairs: list[Any] = []
        for step, raw, fate in zip(steps, raws, fates, strict=True):
            if fate is Fate.REINCLUDED:
                pairs.append([raw, rng.randrange(depth)])
            elif fate is Fate.REPLACED:
                pairs.append([step.other, rng.randrange(depth)])
        rng.shuffle(pairs)
        self.chain.reorganise(depth, pairs)

    def _request(self, wallet: str, call: bytes, value_wei: int = 0) -> dict[str, str]:
        data = "0x" + call.hex()
        return {
            "from": wallet,
            "to": self.address,
            "data": data,
            "value": hex(value_wei),
            "gas": GAS,
        }


def owners_on_chain(chain: Chain, address: str) -> dict[int, str]:
    """Owners by token id, asked from the contract one by one; ids have no gaps."""
    n_minted = chain.ask(address, "totalSupply")
    calls = [(address, contracts.call("ownerOf", i)) for i in range(1, n_minted + 1)]
    found = chain.read_all(calls, "latest")
    return {i: "0x" + raw[-20:].hex() for i, raw in enumerate(found, 1)}


def logs_on_chain(chain: Chain, address: str, topic: str) -> list[dict[str, Any]]:
    query = {"address": address, "fromBlock": "0x0", "toBlock": "latest", "topics": [topic]}
    found: list[dict[str, Any]] = chain.call("eth_getLogs", query)
    return found


def check(chain: Chain) -> None:
    """Rows = chain: transfers, tokens, owners, steps of reveals, and blocks."""
    address = Contract.objects.get().address
    transfers = logs_on_chain(chain, address, TRANSFER)
    minted = {
        int(raw["topics"][3], 16): raw["blockHash"]
        for raw in transfers
        if int(raw["topics"][1], 16) == 0
    }
    assert _transfers_in_rows() == sorted(
        (*_place(raw), *(int(word, 16) for word in raw["topics"][1:])) for raw in transfers
    )
    rows = list(Token.objects.values_list("token_id", "owner", "minted_block__hash"))
    assert {i: owner.lower() for i, owner, _ in rows} == owners_on_chain(chain, address)
    assert {i: block for i, _, block in rows} == minted
    captured = DropEvent.objects.filter(kind="captured")
    assert sorted(captured.values_list("block__hash", "tx_hash", "log_index", "word")) == sorted(
        (*_place(raw), raw["data"][-64:]) for raw in logs_on_chain(chain, address, CAPTURED)
    )
    blocks = list(Block.objects.values_list("number", "hash"))
    headers = chain.headers([number for number, _ in blocks])
    assert [block for _, block in blocks] == [header and header.hash for header in headers]


def _place(raw: dict[str, Any]) -> tuple[str, str, int]:
    return raw["blockHash"], raw["transactionHash"], int(raw["logIndex"], 16)


def _transfers_in_rows() -> list[tuple[str, str, int, int, int, int]]:
    names = ("block__hash", "tx_hash", "log_index", "sender", "recipient", "token__token_id")
    return sorted(
        (block, tx_hash, at, int(sender, 16), int(recipient, 16), token_id)
        for block, tx_hash, at, sender, recipient, token_id in Transfer.objects.values_list(*names)
    )
