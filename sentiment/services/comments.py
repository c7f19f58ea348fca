"""What voters say about works."""

import unicodedata

from django.db import transaction

from generation.models import Artwork
from sentiment.models import Comment, Voter

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
    return Comment.objects.create(artwork=artwork, voter=voter, text=clean), True


def hide_comment(*, comment: Comment, is_hidden: bool) -> Comment:
    """Take a comment out of what readers see, or put it back; the row stays."""
    comment.is_hidden = is_hidden
    comment.save(update_fields=["is_hidden"])
    return comment


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
