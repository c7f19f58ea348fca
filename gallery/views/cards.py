"""Pictures for links: what other sites show where somebody shares a work or a drop."""

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
from gallery.views.public import find_drop
from gallery.views.work import find_work
from generation.imaging import codec
from generation.imaging.codec import ImageRefusedError
from generation.models import Collection, Drop
from generation.models.drops import image_path
from generation.services.catalogue import load_catalogue

WIDTH, HEIGHT = 1200, 630  # what readers of og:image expect
MARGIN = 59  # a picture of 64 px, eight times enlarged, fills the height between two of these
PAPER, INK, QUIET, ACCENT = "#fbfaf8", "#1b1a18", "#625f59", "#b3361f"
COLUMNS, ROWS, CELL, GAP = 4, 4, 128, 12  # cells of 64 px, twice enlarged
VERSION = 1  # a new layout is a new file


@dataclass(frozen=True)
class Card:
    """The words of a card, from top to bottom, and the digests of its pictures."""

    overline: str
    title: str
    lines: tuple[str, ...]
    digests: tuple[str, ...]

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


def drop_line(drop: Drop) -> str:
    return {
        Drop.State.DRAFT: "not drawn yet",
        Drop.State.RENDERING: "being drawn now",
        Drop.State.CURATING: "being curated",
        Drop.State.COMMITTED: "committed on chain",
        Drop.State.MINTING: "minting now",
        Drop.State.LISTENING: "voting is open",
        Drop.State.SCORED: "the votes are counted",
        Drop.State.CLOSED: "closed",
    }[Drop.State(drop.state)]


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
