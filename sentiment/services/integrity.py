"""Who may be one behind several wallets: signals for a lead, and what the lead makes of them.

A signal changes nothing. Only a lead lets votes count less, in one round, while it is open, with a
reason that everybody reads.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from numpy.typing import NDArray
from scipy.special import expit

from generation.models import Artwork
from minting.chain.client import Client
from minting.chain.payments import Payment, read_payments
from sentiment.integrity import agreement, funding, groups, rhythm
from sentiment.integrity.funding import Funded
from sentiment.integrity.groups import Group, Tie
from sentiment.models import Discount, Funding, FundingScan, Round, Vote, Voter
from sentiment.preference.bradley_terry import LAPSE
from sentiment.services.evidence import current_belief, encoded
from sentiment.services.proposals import NotALeadError
from sentiment.services.votes import RoundClosedError

MAX_VOTES = 200_000  # the newest ones: more would keep a lead waiting for longer than seconds
MAX_BLOCKS = 5_000
READING_S = 8.0  # of one request; the next one goes on from there
RULES = ("funding", "bursts", "agreement", "other")


@dataclass(frozen=True)
class Suspicion:
    """Voters who may be one by a signal (a member of ``RULES``), and its surest tie or funder."""

    rule: str
    voters: list[Voter]
    best: Tie | None = None
    funded: Funded | None = None


def suspicions(round: Round) -> list[Suspicion]:
    """Groups of a round's voters by what they choose, when they vote, and who funded them."""
    by_votes = _by_votes(round.pk, round.opened_at, round.votes.count())
    voters = Voter.objects.filter(votes__round=round).distinct().in_bulk()
    by_address = {voter.address: voter for voter in voters.values()}
    known = Funding.objects.filter(chain_id=settings.CHAIN_ID, wallet__in=by_address)
    funders = dict(known.order_by("pk").values_list("wallet", "funder"))
    return [
        *(
            Suspicion("funding", [by_address[one] for one in found.wallets], funded=found)
            for found in funding.groups(funders, frozenset(by_address))
        ),
        *(
            Suspicion(rule, [voters[pk] for pk in sorted(pks)], best=group.best)
            for rule, group, pks in by_votes
        ),
    ]


@lru_cache(maxsize=8)
def _by_votes(round_id: int, opened_at: object, n_votes: int) -> list[tuple[str, Group, list[int]]]:
    current = Round.objects.select_related("drop__parameter_set").get(pk=round_id)
    columns = ("voter_id", "first_id", "second_id", "winner_id", "cast_at")
    rows = list(current.votes.order_by("-pk").values_list(*columns)[:MAX_VOTES])
    if not rows:
        return []
    times = np.array([row[4].timestamp() for row in rows])
    ids, first, second, winner = np.array([row[:4] for row in rows], np.int64).T
    names, voters = np.unique(ids, return_inverse=True)
    pairs, place = np.unique(np.stack([first, second]), axis=1, return_inverse=True)
    likely = _likely(current, pairs)
    found = {
        "bursts": rhythm.ties(voters, times),
        "agreement": agreement.ties(voters, place.ravel(), winner == first, likely),
    }
    return [
        (rule, group, names[list(group.voters)].tolist())
        for rule, ties in found.items()
        for group in groups.gather(ties)
    ]


def _likely(current: Round, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """How likely the first of each pair [2, P] is preferred, as the crowd is believed to choose."""
    ids = np.unique(pairs)
    works = Artwork.objects.in_bulk(ids.tolist())
    effects = current_belief(current).belief.effects
    worth = encoded(current, [works[pk] for pk in ids.tolist()]) @ effects
    first, second = np.searchsorted(ids, pairs)
    found: NDArray[np.float64] = LAPSE / 2 + (1 - LAPSE) * expit(worth[first] - worth[second])
    return found


@transaction.atomic
def discount_voters(
    *,
    round: Round,
    addresses: Sequence[str],
    factor: float,
    rule: str,
    reason: str,
    lead: User,
) -> list[Discount]:
    """Let the votes of voters count so much in an open round; 1 takes a discount back.

    Raises
    ------
    NotALeadError, RoundClosedError, ValueError
        Nobody is named, or somebody who has not voted, or without a reason.
    """
    if not lead.is_staff:
        raise NotALeadError(lead)
    current = Round.objects.select_for_update(of=("self",)).select_related("drop").get(pk=round.pk)
    if not current.is_open:
        raise RoundClosedError(current)
    if not 0 <= factor <= 1 or rule not in RULES or not reason.strip():
        raise ValueError("a factor from 0 to 1, the signal and a reason are needed")
    cast = Vote.objects.filter(round=current).values("voter")
    voters = list(Voter.objects.filter(address__in=addresses, pk__in=cast).order_by("pk"))
    if not voters or len(voters) != len(set(addresses)):
        raise ValueError("name voters of this round")
    return Discount.objects.bulk_create(
        Discount(
            round=current,
            voter=voter,
            factor=factor,
            rule=rule,
            reason=reason.strip(),
            lead=lead,
        )
        for voter in voters
    )


def read_funding(*, node: Client, round: Round) -> FundingScan:
    """Read on who first sent money to a round's voters, for some seconds at most.

    Once the newest final block is reached, the next call begins again, for voters who came since.
    """
    node.check_chain(settings.CHAIN_ID)
    final = max(0, node.block_number() - settings.CHAIN_CONFIRMATIONS + 1)
    first = max(0, final - MAX_BLOCKS + 1)
    begun = {"first_block": first, "number": max(0, first - 1), "last_block": final}
    scan, _ = FundingScan.objects.get_or_create(round=round, defaults=begun)
    if scan.is_done:
        FundingScan.objects.filter(pk=scan.pk).update(**begun)
        scan.refresh_from_db()
    ends = time.monotonic() + READING_S
    start = scan.first_block if scan.number < scan.first_block else scan.number + 1
    for number, payments in read_payments(node, start, scan.last_block):
        if not _record(scan, number, payments) or time.monotonic() > ends:
            break
    return scan


@transaction.atomic
def _record(scan: FundingScan, number: int, payments: Sequence[Payment]) -> bool:
    """Keep the first payment to each voter, and how far was read, unless somebody was faster."""
    moved = FundingScan.objects.filter(pk=scan.pk, number=scan.number).update(number=number)
    if not moved:
        return False
    scan.number = number
    payees = {payment.payee for payment in payments}
    voters = Voter.objects.filter(address__in=payees, votes__round=scan.round_id)
    wanted = set(voters.values_list("address", flat=True))
    Funding.objects.bulk_create(
        [
            Funding(
                chain_id=settings.CHAIN_ID,
                wallet=one.payee,
                funder=one.payer,
                block_number=one.block_number,
                tx_hash=one.tx_hash,
                value_wei=one.value_wei,
            )
            for one in payments
            if one.payee in wanted and one.payer != one.payee
        ],
        ignore_conflicts=True,
    )
    return True
