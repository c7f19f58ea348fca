"""Wallets of a simulated community: keys that sign in, send transactions and trade."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from django.conf import settings
from django.test import Client as Browser
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from numpy.typing import NDArray

from generation.models import Collection
from minting.chain import contracts, orders, seaport, siwe
from minting.chain.client import Client, RpcError
from minting.chain.node import LOCAL_CHAIN_ID
from minting.chain.signer import Signer, TransactionRequest
from minting.models import Token
from minting.services import find_marketplace
from sentiment.services import mark_simulated

PRICE_WEI = 10**16
CHAIN_WAIT_S = 60
GAS = 400_000
SPARE_PERCENT = 130  # of the gas that a transaction would take now
ORIGIN = "http://localhost"


class LoopStalledError(Exception):
    """The chain did not do within its time what the loop waits for."""


@dataclass(frozen=True)
class Wallet:
    """A voter: a key, its number in the community, and a signed-in session."""

    account: LocalAccount
    number: int
    browser: Browser


def sign_in(account: LocalAccount) -> Browser:
    """A session opened the way a wallet opens one."""
    browser = Browser(enforce_csrf_checks=True, headers={"host": "localhost"})
    nonce = browser.get("/api/auth/nonce").json()["nonce"]
    now = datetime.now(UTC)
    message = siwe.build(
        siwe.SiweMessage(
            domain="localhost",
            address=account.address,
            uri=ORIGIN,
            chain_id=settings.CHAIN_ID,
            nonce=nonce,
            issued_at=now,
            expiration_time=now + timedelta(minutes=5),
            statement="Sign in to Morphora.",
        )
    )
    signature = "0x" + account.sign_message(encode_defunct(text=message)).signature.hex()
    reply = post(browser, "/api/auth/verify", {"message": message, "signature": signature})
    if reply.status_code != 200:
        raise LoopStalledError(f"sign-in answered {reply.status_code}: {reply.content!r}")
    return browser


def wallets(seed: int, n: int) -> list[Wallet]:
    """Accounts that depend on the seed alone, each signed in."""
    keys = [hashlib.sha256(f"loop/{seed}/wallet/{i}".encode()).digest() for i in range(n)]
    accounts = [Account.from_key(key) for key in keys]
    made = [Wallet(account, i, sign_in(account)) for i, account in enumerate(accounts)]
    mark_simulated(addresses=[account.address for account in accounts])
    return made


def fund(node: Client, made: Sequence[Wallet]) -> None:
    """Give each wallet 100 ETH of the local chain."""
    node.batch(("anvil_setBalance", [w.account.address, hex(10**20)]) for w in made)


def post(browser: Browser, path: str, body: dict[str, Any]) -> Any:
    token = browser.cookies["csrftoken"].value
    headers = {"X-CSRFToken": token, "origin": ORIGIN}
    return browser.post(path, json.dumps(body), content_type="application/json", headers=headers)


@dataclass(frozen=True)
class Bazaar:
    """The marketplace as wallets see it: orders are signed, listed over HTTP, bought on chain."""

    collection: Collection
    wallets: list[Wallet]

    @cached_property
    def by_address(self) -> dict[str, Wallet]:
        return {wallet.account.address: wallet for wallet in self.wallets}

    @cached_property
    def address(self) -> str:
        found = find_marketplace(chain_id=settings.CHAIN_ID)
        assert found is not None
        return found

    def is_open(self) -> bool:
        return find_marketplace(chain_id=settings.CHAIN_ID) is not None

    def sell(
        self, token: Token, log_bids: NDArray[np.float64], chance: np.random.Generator
    ) -> bool:
        """Sell to the highest bidder at the second highest bid; False if the owner bids most."""
        seller = self.by_address[token.owner]
        second, first = np.argsort(log_bids, kind="stable")[-2:].tolist()
        buyer = self.wallets[first]
        if buyer is seller:
            return False
        price_wei = int(PRICE_WEI * np.exp(log_bids[second]))
        with Client(settings.CHAIN_RPC_URL) as node:
            approve(node, seller, self.collection.contract.address, self.address)
            listed = self._list(node, token, seller, price_wei, int(chance.integers(2**62)))
            order = orders.Order.from_json(listed["order"])
            call = seaport.fulfil_order(order, listed["signature"])
            sent = send(node, buyer, self.address, call, int(listed["price_wei"]))
            mined(node, sent)
        return True

    def _list(
        self, node: Client, token: Token, seller: Wallet, price_wei: int, salt: int
    ) -> dict[str, Any]:
        """Sign an order and list it; returns the listing as a buyer finds it."""
        contract = self.collection.contract.address
        order, signature = signed_listing(
            node,
            seller,
            contract=contract,
            marketplace=self.address,
            token_id=token.token_id,
            price_wei=price_wei,
            salt=salt,
        )
        path = f"/api/tokens/{contract}/{token.token_id}/listings"
        reply = post(seller.browser, path, {"order": order.to_json(), "signature": signature})
        if reply.status_code != 201:
            raise LoopStalledError(f"a listing was answered {reply.status_code}: {reply.content!r}")
        [listed] = seller.browser.get(path).json()["results"]
        found: dict[str, Any] = listed
        return found


class Holder(Protocol):
    """Whoever has a key."""

    @property
    def account(self) -> LocalAccount: ...


def approve(node: Client, seller: Holder, contract: str, marketplace: str) -> None:
    """Let the marketplace move a seller's tokens, where it may not yet."""
    asked = contracts.call("isApprovedForAll", seller.account.address, marketplace)
    if not contracts.answer("isApprovedForAll", node.read(contract, asked)):
        call = contracts.call("setApprovalForAll", marketplace, True)
        mined(node, send(node, seller, contract, call, 0))


def signed_listing(
    node: Client,
    seller: Holder,
    *,
    contract: str,
    marketplace: str,
    token_id: int,
    price_wei: int,
    salt: int,
) -> tuple[orders.Order, str]:
    """An order that sells a token for a day, royalty included, and its signature."""
    asked = contracts.call("royaltyInfo", token_id, price_wei)
    receiver, royalty = contracts.answer("royaltyInfo", node.read(contract, asked))
    address = seller.account.address
    now = int(time.time())
    order = orders.listing(
        offerer=address,
        contract=to_checksum_address(contract),
        token_id=token_id,
        payments=[(address, price_wei - royalty), (to_checksum_address(receiver), royalty)],
        start_time=now - 60,
        end_time=now + 24 * 3600,
        salt=salt,
        counter=seaport.decode_counter(node.read(marketplace, seaport.get_counter(address))),
    )
    key = bytes(seller.account.key)
    return order, seaport.sign(order, key, LOCAL_CHAIN_ID, marketplace)


def attempt(node: Client, wallet: Holder, to: str, call: bytes, value_wei: int = 0) -> bool:
    """Send what would be done now, and wait for it.

    False where the contract would refuse it, or the wallet cannot pay.
    """
    request = {"from": wallet.account.address, "to": to, "data": "0x" + call.hex()}
    try:
        gas = node.estimate_gas(request | {"value": hex(value_wei)}) * SPARE_PERCENT // 100
        sent = send(node, wallet, to, call, value_wei, gas)
    except RpcError as error:
        if error.is_revert or error.is_unaffordable:
            return False
        raise
    mined(node, sent)
    return True


def send(node: Client, wallet: Holder, to: str, call: bytes, value_wei: int, gas: int = GAS) -> str:
    signer = Signer("0x" + wallet.account.key.hex().removeprefix("0x"), LOCAL_CHAIN_ID)
    request = TransactionRequest(
        nonce=node.nonce(wallet.account.address),
        to=to,
        data=call,
        value_wei=value_wei,
        gas=gas,
        max_fee_wei=20 * 10**9,
        tip_wei=10**9,
    )
    return node.send(signer.sign(request).raw)


def mined(node: Client, tx_hash: str) -> None:
    """Wait until a transaction is in a block; LoopStalledError if it fails or does not come."""
    deadline = time.monotonic() + CHAIN_WAIT_S
    while (receipt := node.receipt(tx_hash)) is None:
        if time.monotonic() > deadline:
            raise LoopStalledError("the chain does not get on")
        time.sleep(0.01)
    if not receipt.succeeded:
        raise LoopStalledError(f"transaction {tx_hash} was refused")
