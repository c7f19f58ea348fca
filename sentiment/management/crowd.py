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
from math import log
from typing import Any

import numpy as np
from django.conf import settings
from eth_account import Account
from eth_account.signers.local import LocalAccount
from numpy.typing import NDArray

from minting.chain import contracts, evolving, orders, seaport
from minting.chain.client import Client
from minting.chain.node import LOCAL_CHAIN_ID
from minting.chain.pool_facts import NotAPoolError
from minting.chain.uniswap import Venue, read_venue
from minting.evolution.rules import Source, from_document
from sentiment.management.doors import Site
from sentiment.management.traders import Trader
from sentiment.management.wallets import PRICE_WEI, approve, attempt, signed_listing
from sentiment.preference.features import encode, options
from sentiment.simulation import community as simulated

# How often each thing is tried; what cannot be done gives way to the next.
HABITS = {
    "vote": 0.62,
    "mint": 0.1,
    "buy": 0.08,
    "list": 0.06,
    "comment": 0.04,
    "interact": 0.02,
    "swap": 0.04,
    "provide": 0.02,
    "adjust": 0.02,
}
PER_DROP = 3  # works a wallet mints of one drop
MARKUP = 1.15  # what a seller asks over what the work is worth to it
TICK_WEI = 10**14  # prices are asked in steps of a ten-thousandth of an ETH
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


@dataclass(frozen=True)
class Member:
    """A wallet with its place in the community."""

    account: LocalAccount
    number: int


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
        self.site = Site(self.base_url)
        self._venues: dict[tuple[str, str], Venue | None] = {}
        self._tastes: dict[tuple[tuple[str, str], ...], simulated.Community] = {}

    def check_place(self) -> None:
        """WrongPlaceError or WrongChainError unless site and node are both on the local chain."""
        self.node.check_chain(LOCAL_CHAIN_ID)
        asked = self.site.ask("/api/auth/nonce")
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
            "interact": self.interact,
            "swap": self.swap,
            "provide": self.provide,
            "adjust": self.adjust,
        }
        for wish in wishes.tolist():
            if doings[wish](member):
                self.done[wish] += 1
                return str(wish)
        return ""

    def vote(self, member: Member) -> bool:
        current = self._pick(self.site.kept("/api/rounds")["results"])
        if current is None:
            return False
        address = f"/api/rounds/{current['id']}"
        shown = self.site.get(member.account, f"{address}/pair")
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
        return self.site.post(member.account, f"{address}/votes", ballot).status_code == 201

    def comment(self, member: Member) -> bool:
        current = self._pick(self.site.kept("/api/rounds")["results"])
        if current is None:
            return False
        works = self.site.kept(f"/api/artworks?drop={current['drop']}")["results"]
        work = self._pick([work for work in works if work["status"] == "accepted"])
        if work is None:
            return False
        liking = self._liking(current["drop"], work, member)
        attribute, value = self._pick(
            [pair for pair in work["parsed"].items() if pair[1] != "none"]
        ) or ("picture", "strange")
        words = str(self.chance.choice(PRAISE if liking > 0 else BLAME))
        text = words.format(attribute=attribute.replace("_", " "), value=value)
        path = f"/api/artworks/{work['id']}/comments"
        return self.site.post(member.account, path, {"text": text}).status_code == 201

    def mint(self, member: Member) -> bool:
        """Buy a new work for what it costs, if any is left."""
        chain, sale = self._open_sale()
        if chain is None or sale is None or sale["phase"] is None:
            return False
        owned = self._owned(chain, member.account.address)
        if sum(token["drop"] == sale["drop"] for token in owned) >= PER_DROP:
            return False
        call = contracts.mint(sale["drop_number"], sale["phase"], 1)
        price = int(sale["price_wei"])
        if not attempt(self.node, member, chain["contract"], call, price):
            return False
        self.site.forget()
        return True

    def offer(self, member: Member) -> bool:
        """List an owned work for a little more than it is worth to its owner."""
        chain = self._chain()
        if chain is None or not chain["marketplace"]:
            return False
        token = self._pick(
            [row for row in self._owned(chain, member.account.address) if row["artwork"]]
        )
        if token is None:
            return False
        path = f"/api/tokens/{chain['contract']}/{token['token_id']}/listings"
        if self.site.ask(path)["results"]:
            return False
        worth = self._worth(token["drop"], self._work(token["artwork"]), member)
        approve(self.node, member, chain["contract"], chain["marketplace"])
        order, signature = signed_listing(
            self.node,
            member,
            contract=chain["contract"],
            marketplace=chain["marketplace"],
            token_id=token["token_id"],
            price_wei=asked(PRICE_WEI * float(np.exp(worth)) * MARKUP),
            salt=int(self.chance.integers(2**62)),
        )
        body = {"order": order.to_json(), "signature": signature}
        return self.site.post(member.account, path, body).status_code == 201

    def buy(self, member: Member) -> bool:
        """Take a listing that costs no more than the work is worth to the buyer."""
        chain = self._chain()
        if chain is None or not chain["marketplace"]:
            return False
        listings = self.site.ask(f"/api/collections/{chain['collection']}/listings")["results"]
        listed = self._pick([row for row in listings if row["seller"] != member.account.address])
        if listed is None:
            return False
        tokens = self.site.ask(
            f"/api/tokens?collection={chain['collection']}&owner={listed['seller']}"
        )
        token = next((t for t in tokens["results"] if t["token_id"] == listed["token_id"]), None)
        if token is None or not token["artwork"]:
            return False
        worth = self._worth(token["drop"], self._work(token["artwork"]), member)
        if PRICE_WEI * np.exp(worth) < int(listed["price_wei"]):
            return False
        order = orders.Order.from_json(listed["order"])
        call = seaport.fulfil_order(order, listed["signature"])
        price = int(listed["price_wei"])
        # The site hears of a sale a moment after the chain, which refuses a second one.
        return attempt(self.node, member, chain["marketplace"], call, price)

    def interact(self, member: Member) -> bool:
        """Move an owned work a little, if its law lets that be done again already."""
        chain = self._chain()
        if chain is None or not chain["evolution"]:
            return False
        token = self._pick(self._owned(chain, member.account.address))
        if token is None:
            return False
        call = evolving.interact(token["token_id"])
        return attempt(self.node, member, chain["evolution"], call)

    def swap(self, member: Member) -> bool:
        """Trade in a pool that moves works."""
        trader = self._trader(member, self._chain())
        return trader is not None and trader.swap()

    def provide(self, member: Member) -> bool:
        """Have a position in such a pool count for an owned work."""
        chain = self._chain()
        trader = self._trader(member, chain)
        if chain is None or trader is None:
            return False
        owned = self._owned(chain, member.account.address)
        return trader.provide([row["token_id"] for row in owned])

    def adjust(self, member: Member) -> bool:
        """Put into a position, or take out of it."""
        trader = self._trader(member, self._chain())
        return trader is not None and trader.adjust()

    def _trader(self, member: Member, chain: dict[str, Any] | None) -> Trader | None:
        """A member at a pool of a collection's law; None where positions move nothing."""
        if chain is None or not chain["law"]:
            return None
        law = from_document(chain["law"])
        of_positions = [k for k, one in enumerate(law.rules) if one.source == Source.POSITION]
        number = self._pick(of_positions)
        if number is None:
            return None
        rule = law.rules[number]
        venue = self._venue(rule.pool, rule.peer)
        if venue is None:
            return None
        return Trader(self.node, member, venue, chain["evolution"], number, rule, self.chance)

    def _venue(self, pool: str, manager: str) -> Venue | None:
        """None if the pool is none, or where npm has not brought what is sent to one."""
        if (pool, manager) not in self._venues:
            try:
                found = read_venue(self.node, settings.NODE_MODULES, pool, manager)
            except (NotAPoolError, FileNotFoundError):
                found = None
            self._venues[pool, manager] = found
        return self._venues[pool, manager]

    def _open_sale(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        chain = self._chain()
        sales = [] if chain is None else [s for s in chain["sales"] if s["remaining"] > 0]
        return chain, self._pick(sales)

    def _chain(self) -> dict[str, Any] | None:
        """What a wallet needs to mint and trade in one collection; None before its contract."""
        collection = self._pick(self.site.kept("/api/collections")["results"])
        if collection is None:
            return None
        path = f"/api/collections/{collection['slug']}/chain"
        found: dict[str, Any] | None = self.site.kept(path, missing=None)
        return found

    def _owned(self, chain: dict[str, Any], address: str) -> list[dict[str, Any]]:
        path = f"/api/tokens?collection={chain['collection']}&owner={address}"
        rows: list[dict[str, Any]] = self.site.ask(path)["results"]
        return rows

    def _work(self, pk: int) -> dict[str, Any]:
        work: dict[str, Any] = self.site.kept(f"/api/artworks/{pk}", keep_s=3600.0)
        return work

    def _distributions(self, drop: int) -> dict[str, dict[str, float]]:
        found = self.site.kept(f"/api/drops/{drop}", keep_s=3600.0)
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


def asked(price_wei: float) -> int:
    """A price as a person would ask it."""
    return max(round(price_wei / TICK_WEI), 1) * TICK_WEI


def _account(seed: int, number: int) -> LocalAccount:
    key = hashlib.sha256(f"community/{seed}/wallet/{number}".encode()).digest()
    account: LocalAccount = Account.from_key(key)
    return account
