"""Works before and after a proposal: of the same seeds, from the real network."""

import io
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from generation import services, tasks
from generation.gan import latent
from generation.traits.parameters import Parameters
from sentiment.models import Proposal
from tests.gallery.views.test_refine import own_broker

__all__ = ["own_broker"]
ROW = 6


@pytest.fixture
def shown(proposal: Proposal, monkeypatch: pytest.MonkeyPatch, own_broker: None) -> Proposal:
    """A proposal about works of the shipped network, questions to which are answered at once."""
    proposal.drop.checkpoint = services.register_shipped_checkpoint()
    proposal.drop.save()
    monkeypatch.setattr(
        tasks.preview, "apply_async", lambda *, kwargs, **_: tasks.preview(**kwargs)
    )
    return proposal


def works(console: Client, proposal: Proposal, side: str, row: int = 0) -> Any:
    reply = console.get(f"/console/proposals/{proposal.pk}/{side}.png?row={row}")
    assert reply.status_code == 200, reply.content
    sheet = np.asarray(Image.open(io.BytesIO(reply.content)))
    return np.split(sheet, ROW, axis=1)


def wanted(parameters: Parameters, row: int) -> list[dict[str, str]]:
    seeds = [(1 + row * ROW + k).to_bytes(32, "big") for k in range(ROW)]
    return [latent.item_spec(seed, 0, parameters).requested for seed in seeds]


def test_works_change_where_their_seed_chooses_another_value(
    console: Client, shown: Proposal
) -> None:
    changed = 0
    for row in range(2):
        before, after = (works(console, shown, side, row) for side in ("before", "after"))
        old, new = (wanted(Parameters.from_json(body), row) for body in (shown.old, shown.proposed))
        for pair, asked in zip(
            zip(before, after, strict=True), zip(old, new, strict=True), strict=True
        ):
            assert (pair[0] != pair[1]).any() == (asked[0] != asked[1])
            changed += asked[0] != asked[1]

    assert changed > 0


def test_the_console_shows_both_rows_of_both(console: Client, shown: Proposal) -> None:
    html = console.get(f"/console?drop={shown.drop_id}").content.decode()

    for side in ("before", "after"):
        for row in range(2):
            assert f"/console/proposals/{shown.pk}/{side}.png?of=" in html
            assert f'id="{side}-{row}"' in html


@pytest.mark.parametrize(
    ("path", "status"), [("during.png", 404), ("before.png?row=2", 400), ("after.png?row=x", 400)]
)
def test_other_pictures_there_are_not(
    console: Client, shown: Proposal, path: str, status: int
) -> None:
    assert console.get(f"/console/proposals/{shown.pk}/{path}").status_code == status


def test_they_are_for_leads(client: Client, shown: Proposal) -> None:
    assert client.get(f"/console/proposals/{shown.pk}/before.png").status_code == 403
