"""The results of a round: who sees what while it is open, and what is told once it is closed."""

import io
import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from generation.models import Drop
from sentiment.models import Proposal, Round, Voter
from sentiment.services import (
    approve_proposal,
    cast_vote,
    close_round,
    edit_proposal,
    open_round,
    read_lift,
    register_wallet,
)
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import InState, page_address, press
from tests.sentiment.conftest import address, vote_by

State = Drop.State
HIDDEN = "Vote once in this round to see how it stands."
EFFECT = '<table class="intervals">'


@pytest.fixture
def voters(db: None) -> list[Voter]:
    return [register_wallet(address=address(n)) for n in range(2, 14)]


@pytest.fixture
def open_one(make_drop: MakeDrop) -> Round:
    """A round of thirty works, with no vote yet."""
    return open_round(drop=make_drop(30))


@pytest.fixture
def voted(open_one: Round, voters: list[Voter]) -> Round:
    """A round in which everybody likes long hair."""
    vote_by(open_one, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)
    return open_one


@pytest.fixture
def proposal(voted: Round) -> Proposal:
    return close_round(round=voted)


def read(browser: Client, drop: Drop, name: str = "results") -> str:
    reply = browser.get(page_address(drop, name))
    assert reply.status_code == 200
    return reply.content.decode()


def vote_once(round: Round, voter: Voter) -> None:
    left, right = round.drop.artworks.order_by("-index").values_list("pk", flat=True)[:2]
    cast_vote(round=round, voter=voter, left_id=left, right_id=right, winner_id=left)


@pytest.mark.parametrize("state", [State.MINTING, State.LISTENING, State.SCORED, State.CLOSED])
@pytest.mark.parametrize("name", ["results", "results-live"])
def test_every_state_has_results(
    client: Client, in_state: InState, state: State, name: str
) -> None:
    html = read(client, in_state(state), name)

    said = {
        State.MINTING: "Voting on drop 1 has not begun",
        State.LISTENING: HIDDEN,
        State.SCORED: "waits for a lead",
        State.CLOSED: "A lead rejected the proposal and kept the parameters",
    }
    assert said[state] in html


def test_an_unknown_drop_has_no_results(client: Client, collection: object) -> None:
    assert client.get("/collections/portraits/drops/9/results").status_code == 404


def test_the_live_part_is_in_the_page_as_it_is_sent_alone(client: Client, voted: Round) -> None:
    page = read(client, voted.drop)

    assert read(client, voted.drop, "results-live").strip() in page
    assert f'data-socket="/ws/drops/{voted.drop.pk}" data-quiet="1000"' in page


@pytest.mark.parametrize("name", ["results", "results-live"])
def test_those_who_have_not_voted_see_no_standings_and_those_who_have_do(
    client: Client, wallet: Client, voter: Voter, console: Client, voted: Round, name: str
) -> None:
    before = [read(browser, voted.drop, name) for browser in (client, wallet)]
    vote_once(voted, voter)
    after = [read(browser, voted.drop, name) for browser in (wallet, console)]

    for html in before:
        assert HIDDEN in html
        assert EFFECT not in html
        assert "liked than" not in html
        assert "/api/images/" not in html
    for html in after:
        assert HIDDEN not in html
        assert EFFECT in html
        assert 'class="card"' in html


def test_another_rounds_vote_opens_nothing(
    wallet: Client, voter: Voter, voted: Round, lead: User, make_drop: MakeDrop
) -> None:
    vote_once(voted, voter)
    close_round(round=voted)
    second = open_round(drop=make_drop(12))

    assert HIDDEN in read(wallet, second.drop)


def test_a_lead_may_choose_that_everybody_sees_the_standings(client: Client, voted: Round) -> None:
    Round.objects.filter(pk=voted.pk).update(hides_standings=False)

    assert EFFECT in read(client, voted.drop)


@pytest.mark.parametrize(("typed", "hides"), [({"hides_standings": "on"}, True), ({}, False)])
def test_the_lead_chooses_where_voting_is_opened(
    console: Client, in_state: InState, typed: dict[str, str], hides: bool
) -> None:
    drop = in_state(State.MINTING)
    offered = console.get("/console").content.decode()

    press(console, "open-voting", drop.pk, **typed)

    assert 'name="hides_standings" checked' in offered
    assert Round.objects.get(drop=drop).hides_standings == hides


def test_nothing_else_that_is_public_tells_how_an_open_round_stands(
    client: Client, wallet: Client, voted: Round
) -> None:
    drop = voted.drop
    pages = [page_address(drop), page_address(drop, "drop-live"), page_address(drop, "vote"), "/"]
    routes = ["/api/rounds", f"/api/rounds/{voted.pk}/pair"]

    for path in (*pages, *routes):
        for browser in (client, wallet):
            said = browser.get(path).content.decode().lower()
            assert not re.search(r"effect|posterior|more liked|belief", said), path
    assert client.get(f"/api/rounds/{voted.pk}/inputs").status_code == 404
    assert client.get("/api/proposals/1").status_code == 404


def test_the_card_of_an_open_round_tells_turnout_only(
    client: Client, console: Client, voted: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("a card looked how the round stands")

    monkeypatch.setattr("gallery.views.cards.read_standing", refuse)

    for browser in (client, console):
        reply = browser.get(page_address(voted.drop, "round-card"))
        assert Image.open(io.BytesIO(reply.content)).size == (1200, 630)


def test_the_card_of_a_closed_round_follows_what_it_said(
    client: Client, voted: Round, proposal: Proposal
) -> None:
    reply = client.get(page_address(voted.drop, "round-card"))
    again = client.get(
        page_address(voted.drop, "round-card"), headers={"If-None-Match": reply["ETag"]}
    )

    assert reply["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(reply.content)).size == (1200, 630)
    assert again.status_code == 304


def test_no_round_has_no_card(client: Client, in_state: InState) -> None:
    reply = client.get(page_address(in_state(State.MINTING), "round-card"))

    assert reply.status_code == 404


def test_what_is_liked_is_told_in_words_and_numbers(
    client: Client, voted: Round, proposal: Proposal
) -> None:
    html = read(client, voted.drop)

    liked = html.split("More liked than the average value of its attribute:")[1].split("</p>")[0]
    assert "long (head)" in liked
    row = html.split('<tr class="up"><th scope="row">long</th>')[1].split("</tr>")[0]
    found = re.search(r"(\d+) % <small>(\d+) to (\d+)</small>", row)
    assert found is not None
    middle, low, high = (int(one) for one in found.groups())
    assert 50 < low < middle < high
    assert "more liked than the average value of its attribute" in row


def test_the_best_works_have_what_is_liked(
    client: Client, voted: Round, proposal: Proposal
) -> None:
    html = read(client, voted.drop)

    best = html.split("Works that are liked most")[1].split("</ul>")[0]
    assert best.count("<li>") == 6
    assert best.count("head long") == 6 or "head long" in best.split("</li>")[0]


def test_simulated_voters_are_labelled_wherever_weight_is_told(
    client: Client, voted: Round, voters: list[Voter]
) -> None:
    Voter.objects.filter(pk__in=[one.pk for one in voters[:6]]).update(is_simulated=True)

    html = read(client, voted.drop)

    assert "<small>6 simulated</small>" in html
    heaviest = html.split('id="heaviest"')[1].split("</details>")[0]
    assert heaviest.count(">simulated</span>") >= 4
    assert "voters which this installation runs itself" in html


def test_little_agreement_data_claims_nothing(
    client: Client, open_one: Round, voter: Voter
) -> None:
    vote_once(open_one, voter)

    assert "Too few pairs were judged by more than one voter" in read(client, open_one.drop)


def test_the_decision_and_what_was_applied_are_told_with_their_reason(
    client: Client, proposal: Proposal, lead: User, make_drop: MakeDrop
) -> None:
    approve_proposal(proposal=proposal, lead=lead, reason="As <voted>")
    following = make_drop(3, State.CURATING)

    html = read(client, proposal.drop)

    assert "A lead approved the proposal on" in html
    assert "As &lt;voted&gt;" in html
    moves = html.split('<ol class="moves">')[1].split("</ol>")[0]
    assert "<strong>long</strong>" in moves
    assert f'href="/api/proposals/{proposal.pk}"' in html
    assert f'href="{page_address(following)}"' in html


def test_a_leads_own_numbers_are_shown_as_applied(
    client: Client, proposal: Proposal, lead: User
) -> None:
    shares = proposal.base.parameters
    heads = dict(shares.distributions["head"])
    heads["bun"], heads["bald"] = heads["bun"] + heads["bald"] / 2, heads["bald"] / 2
    edited = type(shares)(shares.distributions | {"head": heads})
    edit_proposal(proposal=proposal, parameters=edited, lead=lead)

    html = read(client, proposal.drop)

    assert "A lead applied other numbers than those proposed" in html
    moves = html.split('<ol class="moves">')[1].split("</ol>")[0]
    assert re.findall(r"<strong>(\w+)</strong> <span", moves) == ["bald", "bun"]


def test_drop_and_console_lead_to_the_results(
    client: Client, console: Client, voted: Round
) -> None:
    address = page_address(voted.drop, "results")

    assert f'href="{address}"' in client.get(page_address(voted.drop)).content.decode()
    assert f'href="{address}"' in console.get("/console").content.decode()


def test_the_queries_do_not_depend_on_votes_and_voters(
    client: Client, open_one: Round, voters: list[Voter]
) -> None:
    counts, path = [], page_address(open_one.drop, "results")
    Round.objects.update(hides_standings=False)
    for few in (voters[:2], voters[2:]):
        vote_by(open_one, few, lambda w: float(w.index), every=40)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        counts.append(len(queries))

    assert counts == [32, 32]


def test_the_share_tags_name_the_card_and_the_turnout(client: Client, voted: Round) -> None:
    html = read(client, voted.drop)

    assert "http://testserver/collections/portraits/drops/1/results/card.png" in html
    assert re.search(r'og:description" content="[\d,]+ votes of 12 voters"', html)


def test_what_steering_brought_is_measured_against_works_that_nobody_steered(
    open_one: Round, voters: list[Voter], client: Client
) -> None:
    works = open_one.drop.artworks.in_order()
    works.filter(index__lt=6).update(is_control=True)
    vote_by(open_one, voters, lambda work: (work.index >= 6) + work.index / 1000, every=7)

    client.force_login(voters[0].user)
    html = read(client, open_one.drop)

    assert "Steering brought what the voters like." in html
    assert re.search(r"between steered works and 6 of this drop", html)


def test_without_controls_nothing_is_said_of_steering(voted: Round, client: Client) -> None:
    client.force_login(Voter.objects.filter(votes__round=voted)[0].user)

    assert "no vote has been between a steered work and one" in read(client, voted.drop)


def test_works_drawn_to_be_unusual_are_no_measure(
    open_one: Round, voters: list[Voter], client: Client
) -> None:
    works = open_one.drop.artworks.in_order()
    works.filter(index__lt=6).update(is_control=True)
    works.filter(index__gte=6).update(explores=True)
    vote_by(open_one, voters, lambda work: work.index, every=7)

    assert read_lift(open_one) is None
