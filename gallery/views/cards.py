"""Pictures for links: what other sites show where somebody shares a work, a drop or a round."""

import hashlib
import io
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gallery.serializers import traits_shown
from gallery.views.public import drop_line, find_drop
from gallery.views.work import find_work
from generation.imaging import codec
from generation.imaging.codec import ImageRefusedError
from generation.models import Collection
from generation.models.drops import image_path
from generation.services.catalogue import load_catalogue
from sentiment.models import Round
from sentiment.preference.effects import Effects, preferred
from sentiment.services import Turnout, read_standing, read_turnout

WIDTH, HEIGHT = 1200, 630  # what readers of og:image expect
MARGIN = 59  # a picture of 64 px, eight times enlarged, fills the height between two of these
PAPER, INK, QUIET, ACCENT, TRACK = "#fbfaf8", "#1b1a18", "#625f59", "#b3361f", "#e4e0d8"
COLUMNS, ROWS, CELL, GAP = 4, 4, 128, 12  # cells of 64 px, twice enlarged
MAX_BARS, BAR_STEP = 3, 56
VERSION = 1  # a new layout is a new file


@dataclass(frozen=True)
class Card:
    """The words of a card, from top to bottom, the digests of its pictures, and shares as bars."""

    overline: str
    title: str
    lines: tuple[str, ...]
    digests: tuple[str, ...]
    bars: tuple[tuple[str, float], ...] = ()

    @property
    def name(self) -> str:
        told = json.dumps([VERSION, asdict(self)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


@require_safe
def work_card_image(request: HttpRequest, slug: str, token_id: int) -> HttpResponse:
    collection = get_object_or_404(Collection, slug=slug)
    work = find_work(load_catalogue(collection=collection), token_id)
    traits = [f"{name}  {value}" for name, value in traits_shown(work)][:6]
    rank = f" · rarity rank {work.rarity_rank}" if work.rarity_rank else ""
    card = Card(
        overline=work.drop.collection.name,
        title=f"#{token_id}",
        lines=(f"Drop {work.drop.number}{rank}", *traits),
        digests=(work.image_digest,),
    )
    return answer(request, card, draw_work)


@require_safe
def drop_card_image(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    drop = find_drop(slug, number)
    works = drop.artworks.shown().in_order()
    card = Card(
        overline=drop.collection.name,
        title=f"Drop {number}",
        lines=(f"{works.count():,} works", drop_line(drop)),
        digests=tuple(works.values_list("image_digest", flat=True)[: COLUMNS * ROWS]),
    )
    return answer(request, card, draw_drop)


@require_safe
def round_card_image(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A closed round with what it said; of an open one, who took part so far and no more."""
    drop = find_drop(slug, number)
    rounds = Round.objects.select_related("drop__collection", "drop__parameter_set")
    current = get_object_or_404(rounds, drop=drop)
    turnout = read_turnout(current)
    overline, title = f"{drop.collection.name}, voting", f"Round {number}"
    if current.is_open or not turnout.n_votes:
        works = drop.artworks.shown().in_order().values_list("image_digest", flat=True)
        lines = (*turnout_lines(turnout), "open now" if current.is_open else "closed")
        card = Card(overline, title, lines, tuple(works[: COLUMNS * ROWS]))
        return answer(request, card, draw_drop)
    standing = read_standing(current)
    best = tuple(work.image_digest for work in standing.best[:1])
    bars = strongest(standing.effects)
    lines = turnout_lines(turnout) + (("taken over an average value:",) if bars else ())
    card = Card(overline, title, lines, best, bars)
    return answer(request, card, draw_work)


def turnout_lines(turnout: Turnout) -> tuple[str, ...]:
    simulated = turnout.n_simulated
    counted = f"{turnout.n_votes:,} votes of {turnout.n_voters:,} voters"
    return (counted, f"{simulated:,} of them simulated") if simulated else (counted,)


def strongest(effects: Effects) -> tuple[tuple[str, float], ...]:
    """The values that differ most surely from the average of their attribute, best liked first."""
    sure = np.maximum(effects.low, -effects.high)
    found = [i for i in np.argsort(-sure, kind="stable")[:MAX_BARS].tolist() if sure[i] > 0]
    places = sorted(found, key=lambda i: -effects.mean[i])
    shares = preferred(effects.mean)
    names = [" ".join(effects.names[i]).replace("_", " ") for i in places]
    return tuple((name, round(float(shares[i]), 3)) for name, i in zip(names, places, strict=True))


def answer(request: HttpRequest, card: Card, draw: Callable[[Card], Image.Image]) -> HttpResponse:
    """The card from its file, drawn first where there is none; nothing if it is known already."""
    headers = {"Cache-Control": "public, max-age=3600", "ETag": f'"{card.name}"'}
    if get_conditional_response(request, etag=headers["ETag"]) is not None:
        return HttpResponseNotModified(headers=headers)
    path = Path(settings.MEDIA_ROOT) / "cards" / card.name[:2] / f"{card.name}.png"
    if not path.exists():
        try:
            write(path, draw(card))
        except (FileNotFoundError, ImageRefusedError) as error:
            raise Http404("a stored picture is missing or damaged") from error
    return HttpResponse(path.read_bytes(), content_type="image/png", headers=headers)


def write(path: Path, image: Image.Image) -> None:
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_bytes(out.getvalue())
    temporary.replace(path)


def draw_work(card: Card) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    side = HEIGHT - 2 * MARGIN
    image.paste(enlarged(read(card.digests[0]), side), (MARGIN, MARGIN))
    write_words(image, card, left=2 * MARGIN + side)
    draw_bars(image, card, left=2 * MARGIN + side)
    return image


def draw_drop(card: Card) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    step = CELL + GAP
    left = WIDTH - MARGIN - COLUMNS * step + GAP
    top = (HEIGHT - ROWS * step + GAP) // 2
    for place, digest in enumerate(card.digests):
        row, column = divmod(place, COLUMNS)
        image.paste(enlarged(read(digest), CELL), (left + column * step, top + row * step))
    write_words(image, card, left=MARGIN)
    return image


def draw_bars(image: Image.Image, card: Card, left: int) -> None:
    """How often each value is taken over the average one, from nothing to always."""
    pen, room = ImageDraw.Draw(image), WIDTH - left - MARGIN
    top = HEIGHT - MARGIN - BAR_STEP * len(card.bars) + 8
    for name, share in card.bars:
        said = f"{100 * share:.0f} %"
        pen.text((left, top), fitted(pen, name, 26, room - 90), INK, typeface(26))
        width = int(pen.textlength(said, typeface(26)))
        pen.text((left + room - width, top), said, INK, typeface(26))
        pen.rectangle((left, top + 38, left + room, top + 46), TRACK)
        pen.rectangle((left, top + 38, left + int(room * share), top + 46), ACCENT)
        pen.rectangle((left + room // 2, top + 34, left + room // 2 + 1, top + 50), QUIET)
        top += BAR_STEP


def read(digest: str) -> NDArray[np.uint8]:
    return codec.read_stored(image_path(digest))


def enlarged(picture: NDArray[np.uint8], side: int) -> Image.Image:
    return Image.fromarray(picture).resize((side, side), Image.Resampling.NEAREST)


def write_words(image: Image.Image, card: Card, left: int) -> None:
    """Overline, title and lines in Pillow's own typeface, which is in the public domain."""
    pen = ImageDraw.Draw(image)
    room = WIDTH - left - MARGIN if len(card.digests) <= 1 else 500
    pen.text((left, MARGIN + 6), fitted(pen, card.overline, 34, room), QUIET, typeface(34))
    pen.text((left, MARGIN + 52), fitted(pen, card.title, 104, room), INK, typeface(104))
    pen.rectangle((left, MARGIN + 186, left + 72, MARGIN + 191), ACCENT)
    for place, line in enumerate(card.lines):
        colour = INK if place == 0 else QUIET
        top = MARGIN + 214 + 44 * place
        pen.text((left, top), fitted(pen, line, 30, room), colour, typeface(30))


def fitted(pen: ImageDraw.ImageDraw, text: str, size: int, room: int) -> str:
    """The text, cut with an ellipsis where it is longer than the room in px."""
    line = " ".join(text.split())[:200]
    if pen.textlength(line, typeface(size)) <= room:
        return line
    while line and pen.textlength(f"{line}…", typeface(size)) > room:
        line = line[:-1]
    return f"{line}…"


def typeface(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow is built with FreeType
    return font
