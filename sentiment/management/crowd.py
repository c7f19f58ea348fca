"""A simulated community that lives outside: it knows an address and a node, and uses public doors.

Its wallets sign in, vote, comment, mint and trade as anybody could, after a hidden taste. Nothing
here reads the database. What it did it remembers nowhere: a wallet's key follows from the seed, and
the site and the chain know what the wallet has done.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import log
from typing import Any

import numpy as np
import requests
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from numpy.typing import NDArray

from minting.chain import contracts, orders, seaport, siwe
from minting.chain.client import Client
from minting.chain.node import LOCAL_CHAIN_ID
from sentiment.management.wallets import PRICE_WEI, approve, mined, send, signed_listing
from sentiment.preference.features import encode, options
from sentiment.services import SIMULATED
from sentiment.simulation import community as simulated

TIMEOUT_S = 20
# How often each thing is tried; what cannot be done gives way to the next.
HABITS = {"vote": 0.72, "mint": 0.1, "buy": 0.08, "list": 0.06, "comment": 0.04}
KEPT_S = 3.0  # what the site says of rounds and sales is asked for again after so long
PER_DROP = 3  # works a wallet mints of one drop
MARKUP = 1.15  # what a seller asks over what the work is worth to it
PRAISE = (
    "The {value} {attribute} makes it for me.",
    "More {value} {attribute}, please.",
    "I would hang this one.",
    "That {attribute}! {value} suits it.",
)
BLAME = (
    "Not sure about the {value} {attribute}.",
    "Too much {value}, for my taste.",
    "The last drop had better {attribute}.",
)


class WrongPlaceError(Exception):
    """The site or the node is not on the local chain, where alone nothing has a value."""


class SiteAwayError(Exception):
    """The site does not answer, or not as it should; it may be back soon."""


@dataclass
class Member:
    """A wallet with its place in the community and its session on the site."""

    account: LocalAccount
    number: int
    session: requests.Session | None = None


@dataclass
class Crowd:
    """Wallets with a taste. ``step`` lets one of them do one thing."""

    base_url: str
    node: Client
    seed: int
    n_wallets: int
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = np.random.default_rng([self.seed, int(time.time())])
        self.members = [Member(_account(self.seed, i), i) for i in range(self.n_wallets)]
        self._kept: dict[str, tuple[float, Any]] = {}
        self._tastes: dict[tuple[tuple[str, str], ...], simulated.Community] = {}

    def check_place(self) -> None:
        """WrongPlaceError or WrongChainError unless site and node are both on the local chain."""
        self.node.check_chain(LOCAL_CHAIN_ID)
        asked = self._ask("/api/auth/nonce")
        if asked["chain_id"] != LOCAL_CHAIN_ID:
            raise WrongPlaceError(f"{self.base_url} is on chain {asked['chain_id']}")

    def fund(self) -> None:
        """Give each wallet 100 ETH of the local chain."""
        self.node.batch(
            ("anvil_setBalance", [member.account.address, hex(10**20)]) for member in self.members
        )

    def step(self) -> str:
        """One member does one thing; its name, or nothing where there is nothing to do."""
        member = self.members[int(self.chance.integers(len(self.members)))]
        wishes = self.chance.choice(
            list(HABITS), len(HABITS), replace=False, p=list(HABITS.values())
        )
        doings: dict[str, Callable[[Member], bool]] = {
            "vote": self.vote,
            "mint": self.mint,
            "buy": self.buy,
            "list": self.offer,
            "comment": self.comment,
        }
        for wish in wishes.tolist():
            if doings[wish](member):
                self.done[wish] += 1
                return str(wish)
        return ""

    def vote(self, member: Member) -> bool:
        current = self._pick(self._kept_answer("/api/rounds")["results"])
        if current is None:
            return False
        session = self._session(member)
        address = f"{self.base_url}/api/rounds/{current['id']}"
        shown = session.get(f"{address}/pair", timeout=TIMEOUT_S)
        if shown.status_code != 200:
            return False
        pair = shown.json()
        works = [self._work(pair[side]["id"]) for side in ("left", "right")]
        features = self._features(current["drop"], works)
        prefers_left = simulated.answer(
            self._taste(current["drop"]),
            features,
            np.array([member.number]),
            np.array([0]),
            np.array([1]),
            self.chance,
        )[0]
        winner = works[0 if prefers_left else 1]["id"]
        ballot = {"left": works[0]["id"], "right": works[1]["id"], "winner": winner}
        return self._post(session, f"{address}/votes", ballot).status_code == 201

    def comment(self, member: Member) -> bool:
        current = self._pick(self._kept_answer("/api/rounds")["results"])
        if current is None:
            return False
        works = self._kept_answer(f"/api/artworks?drop={current['drop']}")["results"]
        work = self._pick([work for work in works if work["status"] == "accepted"])
        if work is None:
            return False
        liking = self._liking(current["drop"], work, member)
        attribute, value = self._pick(
            [pair for pair in work["parsed"].items() if pair[1] != "none"]
        ) or ("picture", "strange")
        words = str(self.chance.choice(PRAISE if liking > 0 else BLAME))
        text = words.format(attribute=attribute.replace("_", " "), value=value)
        session = self._session(member)
        address = f"{self.base_url}/api/artworks/{work['id']}/comments"
        return self._post(session, address, {"text": text}).status_code == 201

    def mint(self, member: Member) -> bool:
        """Buy a new work for what it costs, if any is left."""
        chain, sale = self._open_sale()
        if chain is None or sale is None or sale["phase"] is None:
            return False
        owned = self._owned(chain, member)
        if sum(token["drop"] == sale["drop"] for token in owned) >= PER_DROP:
            return False
        call = contracts.mint(sale["drop_number"], sale["phase"], 1)
        price = int(sale["price_wei"])
        mined(self.node, send(self.node, member, chain["contract"], call, price))
        self._kept.clear()
        return True

    def offer(self, member: Member) -> bool:
        """List an owned work for a little more than it is worth to its owner."""
        chain = self._chain()
        if chain is None or not chain["marketplace"]:
            return False
        token = self._pick([row for row in self._owned(chain, member) if row["artwork"]])
        if token is None:
            return False
        path = f"/api/tokens/{chain['contract']}/{token['token_id']}/listings"
        if self._ask(path)["results"]:
            return False
        worth = self._worth(token["drop"], self._work(token["artwork"]), member)
        approve(self.node, member, chain["contract"], chain["marketplace"])
        order, signature = signed_listing(
            self.node,
            member,
            contract=chain["contract"],
            marketplace=chain["marketplace"],
            token_id=token["token_id"],
            price_wei=int(PRICE_WEI * np.exp(worth) * MARKUP),
            salt=int(self.chance.integers(2**62)),
        )
        body = {"order": order.to_json(), "signature": signature}
        reply = self._post(self._session(member), f"{self.base_url}{path}", body)
        return reply.status_code == 201

    def buy(self, member: Member) -> bool:
        """Take a listing that costs no more than the work is worth to the buyer."""
        chain = self._chain()
        if chain is None or not chain["marketplace"]:
            return False
        listings = self._ask(f"/api/collections/{chain['collection']}/listings")["results"]
        listed = self._pick([row for row in listings if row["seller"] != member.account.address])
        if listed is None:
            return False
        tokens = self._ask(f"/api/tokens?collection={chain['collection']}&owner={listed['seller']}")
        token = next((t for t in tokens["results"] if t["token_id"] == listed["token_id"]), None)
        if token is None or not token["artwork"]:
            return False
        worth = self._worth(token["drop"], self._work(token["artwork"]), member)
        if PRICE_WEI * np.exp(worth) < int(listed["price_wei"]):
            return False
        # The site hears of a sale a moment after the chain.
        asked = seaport.get_order_status(listed["order_hash"])
        if not seaport.is_usable(self.node.read(chain["marketplace"], asked)):
            return False
        order = orders.Order.from_json(listed["order"])
        call = seaport.fulfil_order(order, listed["signature"])
        price = int(listed["price_wei"])
        mined(self.node, send(self.node, member, chain["marketplace"], call, price))
        return True

    def _open_sale(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        chain = self._chain()
        sales = [] if chain is None else [s for s in chain["sales"] if s["remaining"] > 0]
        return chain, self._pick(sales)

    def _chain(self) -> dict[str, Any] | None:
        """What a wallet needs to mint and trade in one collection; None before its contract."""
        collection = self._pick(self._kept_answer("/api/collections")["results"])
        if collection is None:
            return None
        path = f"/api/collections/{collection['slug']}/chain"
        found: dict[str, Any] | None = self._kept_answer(path, missing=None)
        return found

    def _owned(self, chain: dict[str, Any], member: Member) -> list[dict[str, Any]]:
        address = member.account.address
        path = f"/api/tokens?collection={chain['collection']}&owner={address}"
        rows: list[dict[str, Any]] = self._ask(path)["results"]
        return rows

    def _work(self, pk: int) -> dict[str, Any]:
        work: dict[str, Any] = self._kept_answer(f"/api/artworks/{pk}", keep_s=3600.0)
        return work

    def _distributions(self, drop: int) -> dict[str, dict[str, float]]:
        found = self._kept_answer(f"/api/drops/{drop}", keep_s=3600.0)
        shares: dict[str, dict[str, float]] = found["parameter_set"]["body"]["distributions"]
        return shares

    def _features(self, drop: int, works: list[dict[str, Any]]) -> NDArray[np.float64]:
        return encode([work["parsed"] for work in works], self._options(drop))

    def _options(self, drop: int) -> list[tuple[str, str]]:
        shares = self._distributions(drop)
        return options({name: list(values) for name, values in shares.items()})

    def _taste(self, drop: int) -> simulated.Community:
        """One taste for each set of traits: it stays while parameters move."""
        names = tuple(self._options(drop))
        if names not in self._tastes:
            chance = np.random.default_rng(self.seed)
            self._tastes[names] = simulated.draw(len(names), self.n_wallets, chance)
        return self._tastes[names]

    def _liking(self, drop: int, work: dict[str, Any], member: Member) -> float:
        features, taste = self._features(drop, [work]), self._taste(drop)
        own = features @ taste.personal[member.number]
        return float(simulated.utility(taste, features)[0] + own[0])

    def _worth(self, drop: int, work: dict[str, Any], member: Member) -> float:
        """Log of what a member would pay, in units of an everyday price."""
        shares = self._distributions(drop)
        rarity = -sum(
            log(max(shares[name].get(value, 0.0), 1e-3))
            for name, value in work["parsed"].items()
            if name in shares
        )
        features = self._features(drop, [work])
        bids = simulated.bids(self._taste(drop), features, np.array([rarity]), self.chance)
        return float(bids[member.number, 0])

    def _pick(self, rows: list[Any]) -> Any:
        return rows[int(self.chance.integers(len(rows)))] if rows else None

    def _kept_answer(self, path: str, keep_s: float = KEPT_S, **more: Any) -> Any:
        """An answer that may be some seconds old."""
        until, answer = self._kept.get(path, (0.0, None))
        if time.monotonic() >= until:
            answer = self._ask(path, **more)
            self._kept[path] = (time.monotonic() + keep_s, answer)
        return answer

    def _ask(self, path: str, **more: Any) -> Any:
        """A public answer; with ``missing`` given, that where there is none."""
        try:
            reply = requests.get(f"{self.base_url}{path}", timeout=TIMEOUT_S)
            if reply.status_code == 404 and "missing" in more:
                return more["missing"]
            reply.raise_for_status()
            return reply.json()
        except (requests.RequestException, ValueError) as error:
            raise SiteAwayError(f"{path}: {type(error).__name__}") from error

    def _session(self, member: Member) -> requests.Session:
        if member.session is None:
            member.session = sign_in(self.base_url, member.account)
        return member.session

    def _post(self, session: requests.Session, url: str, body: dict[str, Any]) -> requests.Response:
        """Send as a page would; a session that has ended is forgotten, a throttle is waited for."""
        try:
            reply = session.post(
                url, json=body, timeout=TIMEOUT_S, headers=_page_headers(session, self.base_url)
            )
        except requests.RequestException as error:
            raise SiteAwayError(f"{url}: {type(error).__name__}") from error
        if reply.status_code == 403:
            for member in self.members:
                if member.session is session:
                    member.session = None
        if reply.status_code == 429:
            time.sleep(min(30.0, float(reply.headers.get("Retry-After", "1"))))
        return reply


def sign_in(base_url: str, account: LocalAccount) -> requests.Session:
    """A session opened the way a wallet opens one; the message says that nobody sits behind it."""
    session = requests.Session()
    try:
        asked = session.get(f"{base_url}/api/auth/nonce", timeout=TIMEOUT_S).json()
        now = datetime.now(UTC)
        message = siwe.build(
            siwe.SiweMessage(
                domain=asked["domain"],
                address=account.address,
                uri=asked["uri"],
                chain_id=asked["chain_id"],
                nonce=asked["nonce"],
                issued_at=now,
                expiration_time=now + timedelta(minutes=5),
                statement="Sign in to Morphora.",
                resources=(SIMULATED,),
            )
        )
        signed = account.sign_message(encode_defunct(text=message))
        reply = session.post(
            f"{base_url}/api/auth/verify",
            json={"message": message, "signature": "0x" + bytes(signed.signature).hex()},
            headers=_page_headers(session, base_url),
            timeout=TIMEOUT_S,
        )
        if reply.status_code == 429:
            time.sleep(min(60.0, float(reply.headers.get("Retry-After", "1"))))
        reply.raise_for_status()
    except (requests.RequestException, ValueError, KeyError) as error:
        raise SiteAwayError(f"sign-in: {type(error).__name__}") from error
    return session


def _page_headers(session: requests.Session, base_url: str) -> dict[str, str]:
    return {
        "X-CSRFToken": session.cookies.get("csrftoken") or "",
        "Origin": base_url,
        "Referer": f"{base_url}/",
    }


def _account(seed: int, number: int) -> LocalAccount:
    key = hashlib.sha256(f"community/{seed}/wallet/{number}".encode()).digest()
    account: LocalAccount = Account.from_key(key)
    return account
