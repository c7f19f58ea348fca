"""The console: who may enter, and what every state offers."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generation.models import Artwork, Collection, Drop, DropPlan, Job
from generation.traits.planner import Quota
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import InState, offered, press, read, undecide

State = Drop.State
Status = Artwork.Status
BUTTONS = [
    ("next-drop", "portraits"),
    ("decide", 1),
    ("render", 1),
    ("decide-all", 1),
    ("commit", 1),
    ("open-sale", 1),
    ("open-voting", 1),
    ("close-voting", 1),
    ("decide-proposal", 1),
    ("retry-parts", 1),
    ("extend-plan", 1),
]
DROP_BUTTONS = [*(name for name, _ in BUTTONS[2:8]), "retry-parts", "extend-plan"]
SCREENS = ["/console", "/console/live"]


@pytest.mark.parametrize("address", SCREENS)
def test_visitors_are_sent_to_sign_in(client: Client, collection: Collection, address: str) -> None:
    reply = client.get(address)

    assert (reply.status_code, reply.headers["Location"]) == (302, f"/sign-in?next={address}")


@pytest.mark.parametrize("address", SCREENS)
def test_wallets_are_sent_to_sign_in(wallet: Client, collection: Collection, address: str) -> None:
    assert wallet.get(address).headers["Location"] == f"/sign-in?next={address}"


def test_a_lead_who_left_is_sent_to_sign_in(
    console: Client, lead: User, collection: Collection
) -> None:
    User.objects.filter(pk=lead.pk).update(is_active=False)

    assert console.get("/console").status_code == 302


@pytest.mark.parametrize(("name", "target"), BUTTONS)
def test_buttons_answer_to_post_alone(
    console: Client, db: None, name: str, target: int | str
) -> None:
    address = reverse(f"gallery:{name}", args=[target])

    assert [console.get(address).status_code, console.head(address).status_code] == [405, 405]


@pytest.mark.parametrize(("name", "target"), BUTTONS)
def test_buttons_are_for_leads(
    client: Client, wallet: Client, in_state: InState, name: str, target: int | str
) -> None:
    address = reverse(f"gallery:{name}", args=[target])

    for browser in (client, wallet):
        assert browser.post(address).headers["Location"] == f"/sign-in?next={address}"


@pytest.mark.parametrize(("name", "target"), BUTTONS)
def test_a_forged_button_is_refused(lead: User, name: str, target: int | str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(lead)

    assert browser.post(reverse(f"gallery:{name}", args=[target])).status_code == 403


@pytest.mark.parametrize("name", ["decide", *DROP_BUTTONS, "decide-proposal"])
def test_a_button_of_nothing_is_not_found(console: Client, db: None, name: str) -> None:
    assert console.post(reverse(f"gallery:{name}", args=[999])).status_code == 404


def test_the_buttons_of_the_page_carry_their_token(lead: User, make_drop: MakeDrop) -> None:
    drop = make_drop(2, State.CURATING)
    undecide(drop, 0, 1)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(lead)
    html = read(browser)
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', html)[0]

    browser.post(reverse("gallery:decide-all", args=[drop.pk]), {"csrfmiddlewaretoken": token})

    assert drop.artworks.accepted().count() == 2


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        (State.DRAFT, {"render"}),
        (State.RENDERING, set()),
        (State.CURATING, {"commit"}),
        (State.COMMITTED, {"sale"}),
        (State.MINTING, {"voting"}),
        (State.LISTENING, {"score"}),
        (State.SCORED, {"proposals"}),
        (State.CLOSED, {"next"}),
    ],
)
@pytest.mark.parametrize("address", SCREENS)
def test_every_state_offers_the_next_step(
    console: Client, in_state: InState, address: str, state: State, buttons: set[str]
) -> None:
    in_state(state)

    html = read(console, address)

    assert f'data-state="{state}"' in html
    assert offered(html) - {"proposals" if state == State.CLOSED else ""} == buttons


def test_a_collection_without_drops_offers_the_first(
    console: Client, collection: Collection
) -> None:
    assert offered(read(console)) == {"next"}


def test_the_queries_of_the_board_do_not_depend_on_the_works(
    console: Client, make_drop: MakeDrop
) -> None:
    counts = []
    for n_works in (10, 96):
        make_drop(n_works, State.CURATING)
        with CaptureQueriesContext(connection) as queries:
            read(console)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 15


def test_the_preview_shows_a_dozen_and_the_undecided_first(
    console: Client, make_drop: MakeDrop
) -> None:
    drop = make_drop(20, State.CURATING)
    undecide(drop, 15, 17)

    shown = re.findall(r'aria-label="Work (\d+), \w+"', read(console))

    assert [int(index) for index in shown] == [15, 17, *range(10)]


def test_a_part_whose_session_ended_gets_no_sign_in_page(
    client: Client, make_drop: MakeDrop
) -> None:
    drop = make_drop(1, State.CURATING)
    address = reverse("gallery:decide", args=[drop.artworks.get().pk])

    reply = client.post(address, {"status": "rejected"}, headers={"hx-request": "true"})

    assert (reply.status_code, reply["HX-Retarget"]) == (401, "#session")
    assert "Your session has ended" in reply.content.decode()
    assert "<form" not in reply.content.decode()
    assert drop.artworks.get().status == Status.ACCEPTED


def test_the_preview_shows_rejected_works_and_no_duplicates(
    console: Client, make_drop: MakeDrop
) -> None:
    drop = make_drop(4, State.CURATING)
    drop.artworks.filter(index=1).update(status=Status.REJECTED)
    drop.artworks.filter(index=2).update(status=Status.DUPLICATE)

    html = read(console)

    assert re.findall(r'aria-label="Work (\d+), (\w+)"', html) == [
        ("0", "accepted"),
        ("1", "rejected"),
        ("3", "accepted"),
    ]
    assert "0 undecided · 2 accepted · 1 rejected · 1 duplicates set aside" in html


def test_a_part_that_failed_is_shown_to_the_lead(console: Client, in_state: InState) -> None:
    drop = in_state(State.RENDERING, 130)
    failing = drop.jobs.order_by("-pk")[0]
    Job.objects.filter(pk=failing.pk).update(state=Job.State.FAILED, error="out of memory")

    assert "1 part failed: out of memory" in read(console)


def test_a_part_that_failed_is_queued_again_from_the_console(
    console: Client, in_state: InState
) -> None:
    drop = in_state(State.RENDERING, 130)
    failing = drop.jobs.order_by("-pk")[0]
    Job.objects.filter(pk=failing.pk).update(state=Job.State.FAILED, attempts=5, error="memory")
    assert "Render the failed part again" in read(console)

    said = [press(console, "retry-parts", drop.pk) for _ in range(2)]

    failing.refresh_from_db()
    assert said == [
        ["1 part of drop 1 will be rendered again."],
        ["drop 1 is rendering, not missing a part"],
    ]
    assert (failing.state, failing.attempts, failing.error) == (Job.State.QUEUED, 0, "")


def test_a_planned_drop_that_is_stuck_says_why_and_a_lead_tries_again(
    console: Client, in_state: InState
) -> None:
    drop = in_state(State.RENDERING, 130)
    drop.jobs.update(args={"round": 7})
    quota = Quota([{"head": "bob"}] * 130, min_confidence=0.9)
    DropPlan.objects.create(
        drop=drop,
        request_body={},
        quota_body=quota.to_json(),
        floors=[],
        max_attempts=40,
        stuck="130 places stay open",
    )
    page = read(console)
    assert "130 places stay open" in page
    assert "0 of 130 places filled" in page
    assert "90 now" in page

    refused = press(console, "extend-plan", drop.pk, min_confidence_percent="101")
    said = [press(console, "extend-plan", drop.pk, min_confidence_percent="50") for _ in range(2)]

    assert "less than or equal to 100" in refused[0]
    assert said == [
        ["The open places of drop 1 are tried again."],
        ["drop 1 is rendering, not a planned one that is stuck"],
    ]
    drop.plan.refresh_from_db()
    assert (drop.plan.stuck, drop.plan.max_attempts) == ("", 80)
    assert drop.plan.quota_body["min_confidence"] == 0.5
    assert drop.plan.floors == [
        {"from_round": 0, "min_confidence": 0.5, "min_novelty": 0.0, "by": "lead"}
    ]
