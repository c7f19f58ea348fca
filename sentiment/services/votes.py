"""Voters and their votes."""

from collections.abc import Collection, Iterable
from contextlib import nullcontext
from threading import Lock
from typing import NoReturn

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from eth_utils.address import to_checksum_address

from generation.models import Artwork
from sentiment.integrity.ballots import Ballot, is_signed_by
from sentiment.models import Round, Vote, Voter
from sentiment.preference import pairing
from sentiment.services.evidence import current_belief, encoded

INSERT = """
    INSERT INTO sentiment_vote
        (round_id, voter_id, first_id, second_id, winner_id, shown_left_id, cast_at,
         signature)
    SELECT r.id, %(voter_id)s, a.id, b.id, %(winner_id)s, %(shown_left_id)s, %(cast_at)s,
        %(signature)s
    FROM sentiment_round r
    JOIN generation_artwork a ON a.drop_id = r.drop_id AND a.status = '{accepted}'
    JOIN generation_artwork b ON b.drop_id = r.drop_id AND b.status = '{accepted}'
    WHERE r.id = %(round_id)s AND r.state = 'open' AND a.id = %(first_id)s AND b.id = %(second_id)s
    {share}
    ON CONFLICT (round_id, voter_id, first_id, second_id) DO NOTHING
    RETURNING id, (SELECT drop_id FROM sentiment_round WHERE id = round_id)
"""
_writer = Lock()

# A resource in a sign-in message: "we run this wallet ourselves".
SIMULATED = "urn:morphora:simulated"


class RoundClosedError(ValueError):
    """A vote came when its round was over."""

    def __init__(self, round: Round) -> None:
        super().__init__(f"the round of drop {round.drop.number} is closed")
        self.round = round


class UnknownWorkError(ValueError):
    """A vote names works that are not among the accepted ones of the round's drop."""

    def __init__(self, artwork_ids: list[int]) -> None:
        super().__init__(f"not in this drop: {', '.join(map(str, artwork_ids))}")
        self.artwork_ids = artwork_ids


class NotAPairError(ValueError):
    """A vote is not between two works, or its winner is neither of them."""

    def __init__(self, left_id: int, right_id: int, winner_id: int) -> None:
        super().__init__(f"{winner_id} is not a choice between {left_id} and {right_id}")
        self.left_id = left_id
        self.right_id = right_id
        self.winner_id = winner_id


class AlreadyVotedError(ValueError):
    """A voter has decided this pair in this round before."""

    def __init__(self, voter: Voter, first_id: int, second_id: int) -> None:
        super().__init__(f"{voter.address} has chosen between {first_id} and {second_id} before")
        self.voter = voter
        self.first_id = first_id
        self.second_id = second_id


class WrongSignatureError(ValueError):
    """A vote came with a signature that its voter's wallet did not make for it."""

    def __init__(self, voter: Voter) -> None:
        super().__init__(
            f"{voter.address} did not sign this choice on this chain. Nothing was stored."
        )
        self.voter = voter


@transaction.atomic
def register_wallet(*, address: str) -> Voter:
    """The voter of a wallet, made at its first sign-in."""
    checksummed = to_checksum_address(address)
    known = Voter.objects.select_related("user").filter(address=checksummed).first()
    if known is not None:
        return known
    user, created = User.objects.get_or_create(username=checksummed)
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    voter, _ = Voter.objects.get_or_create(address=checksummed, defaults={"user": user})
    return voter


def mark_simulated(*, addresses: Iterable[str]) -> None:
    """Say of voters that we run them: whatever they do is labelled wherever it is shown."""
    Voter.objects.filter(address__in=list(addresses)).update(is_simulated=True)


def simulated_among(addresses: Iterable[str]) -> set[str]:
    """Those of them that we run."""
    voters = Voter.objects.filter(address__in=set(addresses), is_simulated=True)
    return set(voters.values_list("address", flat=True))


def next_pair(
    *,
    round: Round,
    voter: Voter,
    rng: np.random.Generator,
    without: Collection[tuple[int, int]] = (),
) -> tuple[Artwork, Artwork] | None:
    """The pair to show next, left and right; None when the voter has decided all of them.

    Pairs of ids in ``without`` are not asked about either, whichever way round they stand: choices
    that a page keeps for a moment, so that they can be taken back.
    """
    if not round.is_open:
        raise RoundClosedError(round)
    ids = list(round.drop.artworks.accepted().order_by("pk").values_list("pk", flat=True))
    place = {pk: i for i, pk in enumerate(ids)}
    decided = Vote.objects.pairs(voter, round) | {(min(pair), max(pair)) for pair in without}
    seen = {(place[a], place[b]) for a, b in decided if a in place and b in place and a != b}
    pairs = pairing.draw_unseen(len(ids), seen, rng)
    if not pairs:
        return None
    shown = sorted({i for pair in pairs for i in pair})
    works = Artwork.objects.in_bulk([ids[i] for i in shown])
    rated = encoded(round, [works[ids[i]] for i in shown])
    rows = [(shown.index(i), shown.index(j)) for i, j in pairs]
    found = current_belief(round)
    left, right = pairing.choose(rated, rows, found.belief, rng, found.stakes)
    return works[ids[shown[left]]], works[ids[shown[right]]]


def cast_vote(
    *,
    round: Round,
    voter: Voter,
    left_id: int,
    right_id: int,
    winner_id: int,
    signature: str = "",
) -> Vote:
    """Store a voter's choice between two works of an open round; each pair once.

    Of the round only the primary key is looked at; its drop is filled in. A signature is checked
    before anything is stored; a vote without one is a single statement.
    """
    if left_id == right_id or winner_id not in (left_id, right_id):
        raise NotAPairError(left_id, right_id, winner_id)
    first_id, second_id = sorted((left_id, right_id))
    vote = Vote(
        round=round,
        voter=voter,
        first_id=first_id,
        second_id=second_id,
        winner_id=winner_id,
        shown_left_id=left_id,
        cast_at=timezone.now(),
        signature=signature,
    )
    if signature:
        _check_signature(vote)
    if not _insert(vote):
        _refuse(vote)
    return vote


def _check_signature(vote: Vote) -> None:
    ids = {vote.first_id, vote.second_id}
    works = Artwork.objects.filter(pk__in=ids, drop__round=vote.round_id)
    shown = works.select_related("drop__collection").in_bulk()
    if len(shown) < len(ids):
        _refuse(vote)
    drop = shown[vote.first_id].drop
    name = {pk: f"{drop.number}/{work.index}" for pk, work in shown.items()}
    left, right = vote.shown_left_id, vote.first_id + vote.second_id - vote.shown_left_id
    slug = drop.collection.slug
    ballot = Ballot(drop.number, slug, name[left], name[right], name[vote.winner_id])
    if not is_signed_by(ballot, settings.CHAIN_ID, vote.signature, vote.voter.address):
        raise WrongSignatureError(vote.voter)


def _insert(vote: Vote) -> bool:
    """Store a vote if its round is open, its works are accepted there and its pair is new.

    One statement, because a vote must not slip in behind the count of a round that is being closed:
    PostgreSQL waits there for the close and reads the round again, votes wait for no other vote
    (FOR SHARE). SQLite has one writer at a time; of our threads one waits for the next here, which
    is fairer and quicker than its own way, to look again after a while.
    """
    shared = connection.features.has_select_for_update
    names = {"share": "FOR SHARE OF r" if shared else "", "accepted": Artwork.Status.ACCEPTED}
    values = {
        name: getattr(vote, name)
        for name in (
            "round_id",
            "voter_id",
            "first_id",
            "second_id",
            "winner_id",
            "shown_left_id",
            "signature",
        )
    }
    values["cast_at"] = connection.ops.adapt_datetimefield_value(vote.cast_at)
    with nullcontext() if shared else _writer, connection.cursor() as cursor:
        cursor.execute(INSERT.format(**names), values)
        row = cursor.fetchone()
    if row is None:
        return False
    vote.pk, vote.round.drop_id = row
    vote._state.adding = False
    return True


def _refuse(vote: Vote) -> NoReturn:
    """Say why a vote was not stored."""
    current = Round.objects.select_related("drop").get(pk=vote.round_id)
    if not current.is_open:
        raise RoundClosedError(current)
    pair = {vote.first_id, vote.second_id}
    found = current.drop.artworks.accepted().filter(pk__in=pair).values_list("pk", flat=True)
    unknown = sorted(pair - set(found))
    if unknown:
        raise UnknownWorkError(unknown)
    raise AlreadyVotedError(vote.voter, vote.first_id, vote.second_id)
