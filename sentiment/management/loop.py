"""A whole turn of the loop without a person: the real components, and voters with a hidden taste.

Works are rendered by the workers' code, the chain is a real node, wallets sign their own mints, and
voters sign in, vote and trade through the public API. Only the community is made up, and the
steering never sees inside it.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from numpy.typing import NDArray

from generation.models import Artwork, Collection, Drop, ParameterSet
from generation.services import close_curation, decide, open_drop, start_rendering
from generation.traits.diversity import attribute_entropy
from minting import indexer, sender
from minting.chain import contracts
from minting.chain.client import Client
from minting.models import Sale, Token
from minting.services import (
    public_sale,
    request_commit,
    request_open_sale,
)
from sentiment.management.wallets import (
    CHAIN_WAIT_S,
    PRICE_WEI,
    Bazaar,
    LoopStalledError,
    Wallet,
    post,
    send,
)
from sentiment.market import prices
from sentiment.models import Proposal, Round
from sentiment.preference.features import encode, options
from sentiment.services import approve_proposal, close_round, open_round, tally_root_for
from sentiment.simulation import community as simulated

PER_TRANSACTION = 5
PUBLIC_PHASE = 0
REJECTED_SHARE = 0.05
MARKET_FACTS = ("n_sales", "n_flagged", "kappa", "kappa_sd", "reliability", "scale")


@dataclass(frozen=True)
class Loop:
    """One collection, its community and the policy that stands in for a lead."""

    collection: Collection
    community: simulated.Community
    wallets: list[Wallet]
    policy: User
    seed: int
    size: int
    votes_per_wallet: int
    n_sales: int
    steer: bool
    say: Callable[[str], None]

    def turn(self, number: int) -> dict[str, Any]:
        """Run drop ``number`` from draft to closed; returns its line of the report."""
        drop = self._render(number)
        self._curate(drop)
        self._commit(drop)
        self._mint(drop)
        votes = self._vote(drop)
        sales = self._trade(drop)
        proposal = self._decide(drop)
        return self._report(drop, votes, sales, proposal)

    def _render(self, number: int) -> Drop:
        from generation import rendering

        parameters = self._parameters()
        seed = hashlib.sha256(f"loop/{self.seed}/{number}".encode()).hexdigest()
        drop = open_drop(
            collection=self.collection, parameter_set=parameters, size=self.size, seed=seed
        )
        for job in start_rendering(drop=drop):
            rendering.run_chunk(job_id=job.pk)
        self.say(f"drop {number}: {self.size} works rendered")
        return rendering.finish_drop(drop=drop)

    def _parameters(self) -> ParameterSet:
        order = "-number" if self.steer else "number"
        return self.collection.parameter_sets.order_by(order)[0]

    def _curate(self, drop: Drop) -> None:
        """Reject the twentieth that the parser is least sure of; accept the rest."""
        undecided = list(drop.artworks.undecided().order_by("confidence", "index"))
        n_rejected = int(REJECTED_SHARE * len(undecided))
        for works, status in (
            (undecided[:n_rejected], Artwork.Status.REJECTED),
            (undecided[n_rejected:], Artwork.Status.ACCEPTED),
        ):
            decide(
                drop=drop,
                artwork_ids=[work.pk for work in works],
                status=status,
                curator=self.policy,
                reason="policy: least certain twentieth",
            )

    def _commit(self, drop: Drop) -> None:
        closed = close_curation(drop=drop)
        request_commit(drop=closed, vote_tally_root=tally_root_for(closed))
        _until(lambda: _state(drop) == Drop.State.COMMITTED)
        phases = public_sale(
            price_wei=PRICE_WEI, max_per_transaction=PER_TRANSACTION, start=timezone.now()
        )
        request_open_sale(drop=drop, phases=phases)
        _until(lambda: _state(drop) == Drop.State.MINTING)
        self.say(f"drop {drop.number}: committed and on sale")

    def _mint(self, drop: Drop) -> None:
        """Every wallet buys one work while there are any."""
        commitment = drop.commitment
        buyers = self.wallets[: commitment.count]
        call = contracts.mint(commitment.number, PUBLIC_PHASE, 1)
        with Client(settings.CHAIN_RPC_URL) as node:
            for wallet in buyers:
                send(node, wallet, self.collection.contract.address, call, PRICE_WEI)
        minted = Token.objects.filter(drop=drop)
        _until(lambda: minted.count() == len(buyers))
        self.say(f"drop {drop.number}: {len(buyers)} works minted")

    def _vote(self, drop: Drop) -> int:
        current = open_round(drop=drop)
        chance = np.random.default_rng([self.seed, drop.number])
        works = {work.pk: work for work in drop.artworks.accepted()}
        address = f"/api/rounds/{current.pk}"
        n_votes = 0
        for wallet in self.wallets:
            for _ in range(self.votes_per_wallet):
                shown = wallet.browser.get(f"{address}/pair")
                if shown.status_code == 204:
                    break
                pair = shown.json()
                left, right = works[pair["left"]["id"]], works[pair["right"]["id"]]
                prefers_left = self._prefers_left(wallet.number, left, right, chance)
                winner = left if prefers_left else right
                ballot = {"left": left.pk, "right": right.pk, "winner": winner.pk}
                reply = post(wallet.browser, f"{address}/votes", ballot)
                n_votes += reply.status_code == 201
        self.say(f"drop {drop.number}: {n_votes} votes")
        return n_votes

    def _prefers_left(
        self, voter: int, left: Artwork, right: Artwork, chance: np.random.Generator
    ) -> bool:
        features = self._features([left, right])
        first, second = np.array([0]), np.array([1])
        voters = np.array([voter])
        said = simulated.answer(self.community, features, voters, first, second, chance)
        return bool(said[0])

    def _features(self, works: Sequence[Artwork]) -> NDArray[np.float64]:
        return encode([work.parsed for work in works], options(self.collection.checkpoint.schema))

    def _trade(self, drop: Drop) -> int:
        """Works change hands; returns how many."""
        if not self.n_sales:
            return 0
        bazaar = Bazaar(self.collection, self.wallets)
        _until(bazaar.is_open)
        owned = list(
            Token.objects.filter(contract=self.collection.contract, owner__in=bazaar.by_address)
            .select_related("artwork")
            .order_by("token_id", "pk")
        )
        chance = np.random.default_rng([self.seed, drop.number, 1])
        picked = chance.permutation(len(owned))[: self.n_sales]
        bids = self._bids([owned[i] for i in picked], drop, chance)
        before = Sale.objects.count()
        n_sales = sum(
            bazaar.sell(owned[i], log_bids, chance)
            for i, log_bids in zip(picked.tolist(), bids.T, strict=True)
        )
        _until(lambda: Sale.objects.count() == before + n_sales)
        self.say(f"drop {drop.number}: {n_sales} works sold on")
        return n_sales

    def _bids(
        self, tokens: Sequence[Token], drop: Drop, chance: np.random.Generator
    ) -> NDArray[np.float64]:
        """What each wallet [K, N] would pay, as a logarithm."""
        works = [token.artwork for token in tokens if token.artwork is not None]
        supply = [work.parsed for work in drop.artworks.accepted()]
        return simulated.bids(self.community, self._features(works), _rarity(works, supply), chance)

    def _decide(self, drop: Drop) -> Proposal:
        proposal = close_round(round=Round.objects.get(drop=drop))
        approve_proposal(proposal=proposal, lead=self.policy, reason="policy: approve")
        proposal.refresh_from_db()
        return proposal

    def _report(self, drop: Drop, votes: int, sales: int, proposal: Proposal) -> dict[str, Any]:
        drop.refresh_from_db()
        commitment = drop.commitment
        counts = drop.artworks.counts()
        accepted = list(drop.artworks.accepted().in_order())
        worth = simulated.utility(self.community, self._features(accepted))
        sent = drop.transactions.get(kind="commit")
        return {
            "number": drop.number,
            "accepted": counts["accepted"],
            "rejected": counts["rejected"],
            "duplicates": counts["duplicate"],
            "metadata_root": commitment.metadata_root,
            "image_root": commitment.image_root,
            "checkpoint_sha256": drop.checkpoint.sha256,
            "params_hash": commitment.params_hash,
            "commit_tx": sent.tx_hash,
            "minted": Token.objects.filter(drop=drop).count(),
            "votes": votes,
            "sales": sales,
            "market": {name: proposal.score_run.market.get(name) for name in MARKET_FACTS},
            "proposal": {"state": proposal.state, "deltas": _deltas(proposal)},
            "utility": float(worth.mean()),
            "entropy": _entropy([work.parsed for work in accepted], drop.checkpoint.schema),
        }


def _rarity(works: Sequence[Artwork], supply: Sequence[dict[str, str]]) -> NDArray[np.float64]:
    """- sum of the log shares of a work's values in the drop on sale, in nats."""
    seen = {name: Counter(parsed[name] for parsed in supply) for name in supply[0]}
    shares = [
        [max(1, counts[work.parsed[name]]) / len(supply) for name, counts in seen.items()]
        for work in works
    ]
    return prices.rarity(np.array(shares))


def _state(drop: Drop) -> str:
    drop.refresh_from_db()
    return drop.state


def _until(done: Callable[[], bool]) -> None:
    """Work the outbox and the indexer until ``done``; LoopStalledError after a minute."""
    deadline = time.monotonic() + CHAIN_WAIT_S
    while True:
        sender.pump(timezone.now())
        indexer.poll()
        if done():
            return
        if time.monotonic() > deadline:
            raise LoopStalledError("the chain does not get on")
        time.sleep(0.1)


def _deltas(proposal: Proposal) -> dict[str, dict[str, float]]:
    """Applied share minus the old one, where it moved."""
    old = proposal.old["distributions"]
    new = (proposal.applied or proposal.old)["distributions"]
    moved = {
        attribute: {value: new[attribute][value] - share for value, share in shares.items()}
        for attribute, shares in old.items()
    }
    return {
        attribute: {value: delta for value, delta in deltas.items() if delta}
        for attribute, deltas in moved.items()
        if any(deltas.values())
    }


def _entropy(parsed: list[dict[str, str]], schema: dict[str, list[str]]) -> float:
    """Normalised entropy of the works' traits, averaged over attributes; 1 is an even spread."""
    found = []
    for attribute, values in schema.items():
        seen = [work[attribute] for work in parsed]
        found.append(attribute_entropy([seen.count(value) / len(seen) for value in values]))
    return float(np.mean(found))
