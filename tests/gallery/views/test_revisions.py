"""Sending works back and retouching them, from the board; the guard on the console."""

import io
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from generation.models import Artwork, CurationDecision, Drop, Job
from generation.services import add_looks, decide
from generation.traits.novelty import Looks
from minting.models import Commitment
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import InState, press, read, undecide

CURATING = Drop.State.CURATING


def send_back(browser: Client, drop: Drop, works: list[dict[str, Any]]) -> Any:
    address = reverse("gallery:send-back", args=[drop.pk])
    return browser.post(address, {"works": works}, content_type="application/json")


def png(width: int = 16, height: int = 16, mode: str = "RGB") -> bytes:
    pixels = np.random.default_rng(5).integers(0, 256, (height, width, len(mode)), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels, mode).save(out, "PNG")
    return out.getvalue()


def retouch(browser: Client, work: Artwork, raw: bytes | None = None, **fields: Any) -> list[str]:
    """The sentences that answer."""
    form = {"seen": 0, "note": "a lighter corner", **fields}
    if raw is not None:
        form["picture"] = SimpleUploadedFile("edited.png", raw)
    reply = browser.post(reverse("gallery:retouch", args=[work.pk]), form)
    return [str(message) for message in get_messages(reply.wsgi_request)]


def page(browser: Client, work: Artwork) -> str:
    return read(browser, f"{reverse('gallery:board', args=[work.drop_id])}?work={work.pk}")


def test_works_are_sent_back_and_shown_as_on_their_way(
    console: Client, make_drop: MakeDrop
) -> None:
    drop = make_drop(4, CURATING)
    first, second, *_ = drop.artworks.in_order()

    reply = send_back(console, drop, [{"id": w.pk, "seen": 0} for w in (first, second)])

    assert reply.json() == {"asked": 2}
    assert set(Job.objects.values_list("kind", "state")) == {("redraw", "queued")}
    assert drop.artworks.get(pk=first.pk).status == "pending"
    text = page(console, first)
    assert "Being drawn again." in text
    assert "Retouch by hand" not in text
    board = read(console, f"{reverse('gallery:board', args=[drop.pk])}?status=all")
    assert board.count(">being drawn again<") == 2


def test_a_work_on_its_way_is_not_asked_for_twice(console: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(1, CURATING)
    works = [{"id": drop.artworks.get().pk, "seen": 0}]

    first, second = send_back(console, drop, works), send_back(console, drop, works)

    assert (first.json(), second.json()) == ({"asked": 1}, {"asked": 0})
    assert Job.objects.count() == 1


def test_sending_back_what_others_decided_about_is_a_conflict(
    console: Client, make_drop: MakeDrop, lead: User
) -> None:
    drop = make_drop(2, CURATING)
    ids = [work.pk for work in drop.artworks.in_order()]
    decide(drop=drop, artwork_ids=ids[:1], status=Artwork.Status.REJECTED, curator=lead)

    reply = send_back(console, drop, [{"id": pk, "seen": 0} for pk in ids])

    assert reply.status_code == 409
    assert "#0 was rejected by lead" in reply.json()["detail"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "works",
    [[], [{"id": 1}], [{"id": 1, "seen": 0}] * 2, [{"id": "x", "seen": 0}], "all"],
    ids=["none", "unseen", "twice", "no id", "no list"],
)
def test_what_makes_no_sense_is_refused(console: Client, make_drop: MakeDrop, works: Any) -> None:
    assert send_back(console, make_drop(1, CURATING), works).status_code == 400


def test_works_of_a_closed_or_another_drop_are_refused(
    console: Client, make_drop: MakeDrop
) -> None:
    closed, other = make_drop(1, Drop.State.MINTING), make_drop(1, CURATING)
    work = {"id": closed.artworks.get().pk, "seen": 0}

    assert send_back(console, closed, [work]).status_code == 409
    assert send_back(console, other, [work]).status_code == 409


def test_others_may_not_revise(wallet: Client, client: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(1, CURATING)
    work = drop.artworks.get()

    for browser in (wallet, client):
        assert send_back(browser, drop, [{"id": work.pk, "seen": 0}]).status_code == 403
        assert retouch(browser, work, png()) == []
    assert not Job.objects.exists()


def test_an_edited_picture_is_kept_and_waits_to_be_read(
    console: Client, make_drop: MakeDrop, lead: User
) -> None:
    work = make_drop(1, CURATING).artworks.get()

    said = retouch(console, work, png())

    assert said == ["The traits of the new picture of #0 are being read."]
    job = Job.objects.get()
    assert (job.kind, job.args["note"], job.args["curator"]) == (
        "retouch",
        "a lighter corner",
        lead.pk,
    )
    assert "Its new picture is being read." in page(console, work)
    assert CurationDecision.objects.get().reason == "being retouched"


@pytest.mark.parametrize(
    ("raw", "fields", "reason"),
    [
        (png(32, 32), {}, "edited.png: 32 x 32 px, not 16 x 16"),
        (png(16, 8), {}, "edited.png: 16 x 8 px, not 16 x 16"),
        (b"not a picture", {}, "edited.png: not a PNG, JPEG or WebP picture"),
        (png()[:200], {}, "edited.png: cannot be decoded"),
        (None, {}, "picture: an edited picture is needed"),
        (png(), {"note": " "}, "note: a note on what changed is needed"),
        (png(), {"seen": "x"}, "seen: Enter a whole number."),
        (None, {"restore": "on"}, "#0 shows the picture that was drawn"),
    ],
)
def test_what_cannot_be_a_retouch_is_refused_with_the_reason(
    console: Client, make_drop: MakeDrop, raw: bytes | None, fields: dict[str, str], reason: str
) -> None:
    work = make_drop(1, CURATING).artworks.get()

    (said,) = retouch(console, work, raw, **fields)

    assert said.startswith(reason)
    assert not Job.objects.exists()
    assert not CurationDecision.objects.exists()


def test_a_failed_revision_says_why_and_can_be_asked_for_again(
    console: Client, make_drop: MakeDrop
) -> None:
    drop = make_drop(1, CURATING)
    work = drop.artworks.get()
    send_back(console, drop, [{"id": work.pk, "seen": 0}])
    Job.objects.update(state=Job.State.FAILED, error="none of 32 other pictures is new")

    text = page(console, work)
    seen = CurationDecision.objects.get().pk
    again = send_back(console, drop, [{"id": work.pk, "seen": seen}])

    assert "None of 32 other pictures is new" in text
    assert "Retouch by hand" in text
    assert again.json() == {"asked": 1}
    assert Job.objects.order_by("pk").last().args["first"] == 33  # type: ignore[union-attr]


@pytest.mark.parametrize(("kind", "index"), [("explores", 1), ("retouched", 2)])
def test_special_pictures_can_be_filtered(
    console: Client, make_drop: MakeDrop, kind: str, index: int
) -> None:
    drop = make_drop(3, CURATING)
    drop.artworks.filter(index=1).update(explores=True)
    drop.artworks.filter(index=2).update(drawn_digest="ab" * 32)

    text = read(console, f"{reverse('gallery:board', args=[drop.pk])}?status=all&kind={kind}")

    assert f'data-index="{index}"' in text
    assert text.count("data-index=") == 1


def make_alike(drop: Drop) -> None:
    n = drop.artworks.count()
    add_looks(
        digests=[work.image_digest for work in drop.artworks.in_order()],
        parser_sha256=drop.checkpoint.parser_sha256,
        looks=Looks(np.ones((n, 12), np.float32), np.ones((n, 4), np.float32)),
    )


def test_a_held_drop_says_so_and_a_reason_overrules_it(
    console: Client, lead: User, make_drop: MakeDrop
) -> None:
    drop = make_drop(24, CURATING)
    make_alike(drop)

    said = press(console, "commit", drop.pk)
    text = read(console, reverse("gallery:console"))
    again = press(console, "commit", drop.pk, overruling="a study in sameness")

    assert said[0].startswith("drop 1 is held: mean distance")
    assert "Overrule the guard" in text
    assert text.count("holds the drop") == 3
    assert again == ["Curation of drop 1 is closed; its roots go to the chain."]
    entry = Commitment.objects.get().manifest["curation"][0]
    assert (entry["kind"], entry["reason"], entry["curator"]) == (
        "overruled",
        "a study in sameness",
        "lead",
    )


def test_the_console_shows_what_was_measured(console: Client, in_state: InState) -> None:
    drop = in_state(CURATING, 24)
    assert 'id="guard"' not in read(console, reverse("gallery:console"))
    make_alike(drop)
    press(console, "commit", drop.pk)
    undecide(drop, 0)

    text = read(console, reverse("gallery:console"))

    assert "Diversity of 24 works" in text
    assert "Entropy of facial hair" in text
    assert "not measured" in text  # nearness to earlier drops: there are none
    assert "Overrule the guard" not in text
