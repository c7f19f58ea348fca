"""Home, vote, sign-in, health: what every visitor may see."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation.models import Artwork, Collection, Drop
from minting.models import Commitment
from sentiment.models import Round, Voter
from sentiment.services import cast_vote
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import InState, page_address

State = Drop.State


def read(browser: Client, address: str) -> str:
    reply = browser.get(address)
    assert reply.status_code == 200
    return reply.content.decode()


def test_an_empty_installation_has_a_home(client: Client, db: None) -> None:
    assert "Nothing here yet" in read(client, "/")


def test_a_collection_without_drops_says_so(client: Client, collection: Collection) -> None:
    html = read(client, "/")

    assert "<h1>Portraits</h1>" in html
    assert "No drop yet" in html


def test_home_lists_the_drops_newest_first(client: Client, make_drop: MakeDrop) -> None:
    first, second = make_drop(2), make_drop(3, State.CURATING)

    html = read(client, "/")

    listed = html.split('<ul class="drops">')[1].split("</ul>")[0]
    assert re.findall(r'href="(/collections/[^"]+)"', listed) == [
        page_address(second),
        page_address(first),
    ]
    assert '<span class="state curating">curating</span>' in html


def test_home_shows_the_oldest_collection_and_the_way_to_the_others(
    client: Client, collection: Collection
) -> None:
    Collection.objects.create(slug="later", name="Later", checkpoint=collection.checkpoint)

    html = read(client, "/")

    assert "<h1>Portraits</h1>" in html
    assert 'href="/collections/later"' in html
    assert 'href="/collections/portraits"' not in html


def test_every_collection_has_a_page(client: Client, collection: Collection) -> None:
    Collection.objects.create(slug="later", name="Later", checkpoint=collection.checkpoint)

    html = read(client, "/collections/later")

    assert "<h1>Later</h1>" in html
    assert 'href="/collections/portraits"' in html


def test_an_unknown_collection_is_not_found(client: Client, collection: Collection) -> None:
    reply = client.get("/collections/others")

    assert reply.status_code == 404
    assert "Nothing hangs here" in reply.content.decode()


def test_home_begins_with_works_of_the_newest_drop_that_has_some(
    client: Client, in_state: InState, make_drop: MakeDrop
) -> None:
    drop = make_drop(8)
    in_state(State.DRAFT)

    wall = read(client, "/").split('<ul class="mosaic"')[1].split("</ul>")[0]

    digests = [work.image_digest for work in drop.artworks.order_by("index")]
    assert re.findall(r'src="/api/images/(\w+)-128\.webp"', wall) == digests


def test_home_shows_no_rejected_work_and_no_duplicate(client: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(3)
    drop.artworks.filter(index=0).update(status=Artwork.Status.REJECTED)
    drop.artworks.filter(index=1).update(status=Artwork.Status.DUPLICATE)

    html = read(client, "/")

    kept = drop.artworks.get(index=2)
    assert set(re.findall(r"/api/images/(\w+)-128\.webp", html)) == {kept.image_digest}


def test_the_queries_of_home_do_not_depend_on_the_drops(
    client: Client, make_drop: MakeDrop
) -> None:
    counts = []
    for n_drops in (1, 20):
        for _ in range(n_drops):
            make_drop(1)
        with CaptureQueriesContext(connection) as queries:
            read(client, "/")
        counts.append(len(queries))

    assert counts == [19, 19]


def test_drops_come_in_pages_of_twelve(client: Client, make_drop: MakeDrop) -> None:
    drops = [make_drop(1) for _ in range(13)]

    first, second = read(client, "/"), read(client, "/?page=2")

    def listed(html: str) -> list[str]:
        part = html.split('<ul class="drops">')[1].split("</ul>")[0]
        return re.findall(r'href="(/collections/[^"]+)"', part)

    assert listed(first) == [page_address(drop) for drop in drops[:0:-1]]
    assert listed(second) == [page_address(drops[0])]


@pytest.mark.parametrize("state", [s for s in State if s != State.DRAFT])
def test_home_says_where_the_newest_drop_is(
    client: Client, in_state: InState, state: State
) -> None:
    html = read(client, page_home(in_state(state)))

    panel = html.split('<section class="panel live"')[1].split("</section>")[0]
    assert f'<span class="state {state}">{state}</span>' in panel
    calls = {
        State.RENDERING: "Watch it being drawn",
        State.MINTING: "Mint a work",
        State.LISTENING: "Vote on this drop",
    }
    assert calls.get(state, "See its works") in panel


def test_home_offers_no_mint_of_a_drop_that_is_sold_out(client: Client, in_state: InState) -> None:
    drop = in_state(State.MINTING)
    Commitment.objects.filter(drop=drop).update(count=1)

    html = read(client, page_home(drop))

    panel = html.split('<section class="panel live"')[1].split("</section>")[0]
    assert "See its works" in panel
    assert "Mint a work" not in panel
    assert "ETH a work" not in panel


def page_home(drop: Drop) -> str:
    return f"/collections/{drop.collection.slug}"


def test_home_counts_what_has_happened(client: Client, in_state: InState, voter: Voter) -> None:
    drop = in_state(State.LISTENING)
    a, b, c = drop.artworks.order_by("index").values_list("pk", flat=True)[:3]
    current = Round.objects.get(drop=drop)
    cast_vote(round=current, voter=voter, left_id=a, right_id=b, winner_id=a)
    cast_vote(round=current, voter=voter, left_id=a, right_id=c, winner_id=a)

    html = " ".join(read(client, "/").split())

    assert ">6</span><p>works in 1 drop," in html
    assert ">2</span><p>votes of 1 voter." in html
    assert ">1</span><p>work minted from 1 drop that is committed" in html


def test_a_simulated_community_is_named(
    client: Client, collection: Collection, voter: Voter
) -> None:
    assert "simulated community" not in read(client, "/")

    Voter.objects.update(is_simulated=True)

    assert "Includes a simulated community" in read(client, "/")


def test_visitors_are_offered_to_sign_in_and_no_console(client: Client, db: None) -> None:
    html = read(client, "/")

    assert 'href="/sign-in"' in html
    assert 'href="/console"' not in html


def test_wallets_see_who_they_are_and_no_console(
    wallet: Client, voter: Voter, collection: Collection
) -> None:
    html = read(wallet, "/")

    assert voter.address in html
    assert 'href="/console"' not in html


def test_leads_see_the_way_to_the_console(console: Client, collection: Collection) -> None:
    assert 'href="/console"' in read(console, "/")


def test_health_needs_the_database(client: Client, collection: Collection) -> None:
    assert client.get("/health").json() == {"collections": 1}


def test_an_unknown_page_is_not_found(client: Client, db: None) -> None:
    assert client.get("/no/such/page").status_code == 404


def test_visitors_sign_in_before_they_vote(client: Client, in_state: InState) -> None:
    drop = in_state(State.LISTENING)

    html = read(client, page_address(drop, "vote"))

    assert f'href="/sign-in?next={page_address(drop, "vote")}"' in html
    assert 'x-data="ballot"' not in html


def test_a_lead_without_a_wallet_has_no_vote(console: Client, in_state: InState) -> None:
    assert 'x-data="ballot"' not in read(console, page_address(in_state(State.LISTENING), "vote"))


def test_wallets_get_a_ballot_with_the_number_of_their_votes(
    wallet: Client, voter: Voter, in_state: InState
) -> None:
    drop = in_state(State.LISTENING)
    a, b = drop.artworks.order_by("index").values_list("pk", flat=True)[:2]
    current = Round.objects.get(drop=drop)
    cast_vote(round=current, voter=voter, left_id=a, right_id=b, winner_id=a)

    html = read(wallet, page_address(drop, "vote"))

    assert f'data-round="/api/rounds/{current.pk}" data-votes="1"' in html


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.DRAFT, "is not open yet"),
        (State.MINTING, "is not open yet"),
        (State.SCORED, "is not open any more"),
        (State.CLOSED, "is not open any more"),
    ],
)
def test_without_an_open_round_there_is_no_ballot(
    wallet: Client, in_state: InState, state: State, words: str
) -> None:
    html = read(wallet, page_address(in_state(state), "vote"))

    assert words in html
    assert 'x-data="ballot"' not in html


def test_a_lead_signs_in_and_goes_on_to_the_console(client: Client, lead: User) -> None:
    typed = {"username": "lead", "password": "a long password", "next": "/console"}

    reply = client.post("/sign-in", typed)

    assert (reply.status_code, reply.headers["Location"]) == (302, "/console")
    assert client.session["_auth_user_id"] == str(lead.pk)


def test_a_wrong_password_is_answered_with_the_form(client: Client, lead: User) -> None:
    reply = client.post("/sign-in", {"username": "lead", "password": "wrong"})

    assert reply.status_code == 200
    assert "Name or password is wrong." in reply.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_wallet_s_user_cannot_sign_in_by_password(client: Client, voter: Voter) -> None:
    for password in ("", "!", voter.user.password):
        client.post("/sign-in", {"username": voter.address, "password": password})

    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", "javascript:x()"])
def test_signing_in_leads_nowhere_else(client: Client, lead: User, elsewhere: str) -> None:
    typed = {"username": "lead", "password": "a long password", "next": elsewhere}

    assert 'data-next="/"' in client.get("/sign-in", {"next": elsewhere}).content.decode()
    assert client.post("/sign-in", typed).headers["Location"] == "/"


def test_a_trial_wallet_is_explained_on_the_local_chain_only(
    client: Client, db: None, settings: object
) -> None:
    assert "A trial wallet is a key" in read(client, "/sign-in")

    settings.CHAIN_ID = 1  # type: ignore[attr-defined]

    assert "A trial wallet is a key" not in read(client, "/sign-in")


def test_signing_out_is_a_button(console: Client, collection: Collection) -> None:
    assert console.get("/sign-out").status_code == 405

    reply = console.post("/sign-out")

    assert (reply.status_code, reply.headers["Location"]) == (302, "/")
    assert "_auth_user_id" not in console.session


@pytest.mark.parametrize("address", ["/sign-in", "/sign-out"])
def test_a_forged_sign_in_or_out_is_refused(lead: User, address: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(lead)
    typed = {"username": "lead", "password": "a long password"}

    assert browser.post(address, typed).status_code == 403
    assert "_auth_user_id" in browser.session
