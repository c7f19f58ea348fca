"""The launch page says what came of a rehearsal."""

import re
from typing import Any

import pytest
from django.test import Client

from generation.models import Drop
from minting import services
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop

REPORT: dict[str, Any] = {
    "count": 12,
    "sold": 12,
    "is_sold_out": True,
    "buyers": 6,
    "bots": 5,
    "faults": 21,
    "resent": 3,
    "pace": {
        "works_per_s": 2.4,
        "bounded_by": "how fast orders come in",
        "seconds": 5,
        "mainnet_blocks": 1,
        "mainnet_s": 12,
    },
    "storage": {"source": "measured", "pictures_mb": 1.5, "metadata_mb": 0.01},
    "gas_prices_gwei": [5, 20, 100],
    "mints": [
        {
            "kind": "public",
            "works": 1,
            "n": 8,
            "median_gas": 102407,
            "cost_eth": [0.000512, 0.00204, 0.01024],
        }
    ],
    "steps": [{"name": "deploy", "gas": 7742428, "cost_eth": [0.03871, 0.15484, 0.77424]}],
    "failures": {"wrong price": {"WrongPayment": 4}},
    "said": ["Every phase kept its length."],
    "violations": [],
}


@pytest.fixture
def drop(make_drop: MakeDrop) -> Drop:
    """Committed, one phase planned."""
    drop = make_drop(3, Drop.State.CURATING)
    services.prepare_commitment(drop=drop)
    Drop.objects.filter(pk=drop.pk).update(state=Drop.State.COMMITTED)
    drop.refresh_from_db()
    services.add_phase(drop=drop, terms=everybody()[0])
    return drop


def page(console: Client, drop: Drop) -> str:
    reply = console.get(f"/console/drops/{drop.pk}/launch")
    assert reply.status_code == 200
    return reply.content.decode()


def line(html: str) -> str:
    """The checklist's line, its tags taken out."""
    [item] = re.findall(r"<li class=\"[^>]*>\s*<strong>Rehearse the sale.*?</li>", html, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", item).split())


def record(drop: Drop, **changed: Any) -> None:
    services.record_rehearsal(
        drop=drop, report=REPORT | changed, digest=services.terms_digest(drop)
    )


def test_before_a_rehearsal_the_page_says_how_to_start_one(console: Client, drop: Drop) -> None:
    html = page(console, drop)

    assert line(html).endswith("none")
    assert "manage.py rehearse portraits 1" in html


def test_a_rehearsal_that_passed_shows_its_figures(console: Client, drop: Drop) -> None:
    record(drop)

    html = page(console, drop)

    said = "12 of 12 works sold to 6 buyers, 5 bots kept out passed"
    assert line(html) == f"Rehearse the sale {said}"
    for figure in ("at 100 gwei", "0.77424", "7,742,428", "WrongPayment 4", "2.4 works/s"):
        assert figure in html


def test_a_rehearsal_that_failed_says_why(console: Client, drop: Drop) -> None:
    record(drop, violations=["a bot was let in: wrong price, 1 times"])

    assert line(page(console, drop)).endswith("a bot was let in: wrong price, 1 times failed")


def test_another_phase_asks_for_another_rehearsal(console: Client, drop: Drop) -> None:
    record(drop)
    services.add_phase(drop=drop, terms=everybody(10**15)[0])

    said = line(page(console, drop))

    assert said.endswith("its phases have changed since: rehearse it again stale")


def test_the_steps_stand_in_the_order_of_a_launch(console: Client, drop: Drop) -> None:
    titles = re.findall(r"<li class=\"[^>]*>\s*<strong>([^<]+)", page(console, drop))

    assert titles == [
        "Deploy the contract",
        "Commit the drop",
        "Rehearse the sale",
        "Open the sale",
    ]
