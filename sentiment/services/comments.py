"""What voters say about works."""

import unicodedata
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generation.models import Artwork
from sentiment.models import Comment, Voter
from sentiment.text import classifier, minilm
from sentiment.text.evidence import TextScorer
from sentiment.text.vader import Vader

MAX_LENGTH = 500
# Joins emoji and some scripts' letters; the other format characters hide or turn text around.
JOINERS = "\u200c\u200d"


class CommentRefusedError(ValueError):
    """A text is no comment; the message says why."""


@transaction.atomic
def write_comment(*, voter: Voter, artwork: Artwork, text: str) -> tuple[Comment, bool]:
    """Keep what a voter says of a work, and whether it is new; the same words are one comment.

    Raises CommentRefusedError.
    """
    clean = clean_text(text)
    Voter.objects.select_for_update().get(pk=voter.pk)  # one at a time, so that none is doubled
    said = Comment.objects.filter(artwork=artwork, voter=voter, text=clean).order_by("pk").first()
    if said is not None:
        return said, False
    scorer = comment_scorer()
    return Comment.objects.create(
        artwork=artwork,
        voter=voter,
        text=clean,
        score=scorer.score(clean),
        scored_by=scorer.name,
    ), True


def hide_comment(*, comment: Comment, is_hidden: bool) -> Comment:
    """Take a comment out of what readers see, or put it back; the row stays."""
    moderate_comments(ids=[comment.pk], is_hidden=is_hidden)
    comment.refresh_from_db(fields=["is_hidden", "moderated_at"])
    return comment


def moderate_comments(*, ids: Collection[int], is_hidden: bool) -> int:
    """Hide comments, or show them; how many there were. None of them waits any more."""
    found = Comment.objects.filter(pk__in=ids)
    return found.update(is_hidden=is_hidden, moderated_at=timezone.now())


def comment_scorer() -> TextScorer:
    """The trained one that the settings name, or VADER."""
    return _load(settings.COMMENT_SCORER)


@lru_cache(maxsize=2)
def _load(path: str) -> TextScorer:
    if not path:
        return Vader()
    file = Path(path)
    return minilm.load(file) if minilm.is_one(file) else classifier.load(file)


def clean_text(text: str) -> str:
    """One line in NFC; CommentRefusedError for nothing, too much, or characters nobody can see."""
    clean = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(clean) <= MAX_LENGTH:
        raise CommentRefusedError(f"a comment has 1 to {MAX_LENGTH} characters, not {len(clean)}")
    for character in clean:
        if unicodedata.category(character).startswith("C") and character not in JOINERS:
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            raise CommentRefusedError(f"a comment cannot hold the character {name}")
    return clean
