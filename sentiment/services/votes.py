"""Voters and their votes."""

from collections.abc import Iterable

import numpy as np
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from eth_utils.address import to_checksum_address

from generation.models import Artwork
from sentiment.models import Round, Vote, Voter
from sentiment.preference import features, pairing
from sentiment.services.evidence import current_belief

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


def next_pair(
    *, round: Round, voter: Voter, rng: np.random.Generator
) -> tuple[Artwork, Artwork] | None:
    """The pair to show next, left and right; None when the voter has decided all of them."""
    if not round.is_open:
        raise RoundClosedError(round)
    ids = list(round.drop.artworks.accepted().order_by("pk").values_list("pk", flat=True))
    place = {pk: i for i, pk in enumerate(ids)}
    seen = {(place[a], place[b]) for a, b in Vote.objects.pairs(voter, round)}
    pairs = pairing.draw_unseen(len(ids), seen, rng)
    if not pairs:
        return None
    shown = sorted({i for pair in pairs for i in pair})
    works = Artwork.objects.in_bulk([ids[i] for i in shown])
    names = features.options(round.drop.parameter_set.parameters.distributions)
    encoded = features.encode([works[ids[i]].parsed for i in shown], names)
    rows = [(shown.index(i), shown.index(j)) for i, j in pairs]
    left, right = pairing.choose(encoded, rows, current_belief(round), rng)
    return works[ids[shown[left]]], works[ids[shown[right]]]


@transaction.atomic
def cast_vote(*, round: Round, voter: Voter, left_id: int, right_id: int, winner_id: int) -> Vote:
    """Store a voter's choice between two works of an open round; each pair once."""
    if left_id == right_id or winner_id not in (left_id, right_id):
        raise NotAPairError(left_id, right_id, winner_id)
    # The lock keeps a vote from slipping in behind the count of a round that is being closed.
    current = Round.objects.select_for_update(of=("self",)).select_related("drop").get(pk=round.pk)
    if not current.is_open:
        raise RoundClosedError(current)
    pair = sorted((left_id, right_id))
    found = current.drop.artworks.accepted().filter(pk__in=pair).values_list("pk", flat=True)
    unknown = sorted(set(pair) - set(found))
    if unknown:
        raise UnknownWorkError(unknown)
    try:
        with transaction.atomic():
            return Vote.objects.create(
                round=current,
                voter=voter,
                first_id=pair[0],
                second_id=pair[1],
                winner_id=winner_id,
                shown_left_id=left_id,
            )
    except IntegrityError as error:
        raise AlreadyVotedError(voter, *pair) from error
