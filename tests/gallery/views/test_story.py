"""The story of a collection: what each chapter says, and that it is what is recorded."""

import re
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from generation.models import Artwork, Collection, CurationDecision, Drop, ParameterSet
from minting.models import Block, ChainTransaction, Contract, Governance, Sale, Token
from sentiment.models import Voter
from sentiment.services import (
    approve_proposal,
    close_round,
    edit_proposal,
    open_round,
    register_wallet,
    start_next_drop,
)
from tests.fixtures.chain import ALICE, BOB
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import InState, page_address
from tests.sentiment.conftest import address, vote_by

State = Drop.State
STORY = "/collections/portraits/story"


def read(browser: Client, path: str = STORY) -> str:
    reply = browser.get(path)
    assert reply.status_code == 200
    return reply.content.decode()


def chapter(html: str, number: int) -> str:
    return html.split(f'aria-labelledby="drop-{number}"')[1].split("</article>")[0]


def words(html: str) -> str:
    """What a reader reads, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_collection_without_drops_has_a_story_to_come(
    client: Client, collection: Collection
) -> None:
    assert "The story begins with the first drop." in read(client)


def test_an_unknown_collection_has_no_story(client: Client, db: None) -> None:
    assert client.get("/collections/others/story").status_code == 404


@pytest.mark.parametrize("state", State)
def test_a_drop_in_every_state_is_a_chapter(
    client: Client, in_state: InState, state: State
) -> None:
    drop = in_state(state)

    told = chapter(read(client), 1)

    assert f'href="{page_address(drop)}"' in told
    assert "Parameters 1: Equal shares of every value." in words(told)
    assert told.count("<img") == (0 if state == State.DRAFT else 6)


def test_chapters_come_newest_first_or_from_the_beginning_in_pages(
    client: Client, make_drop: MakeDrop
) -> None:
    for _ in range(9):
        make_drop(1)

    def numbers(query: str) -> list[int]:
        return [int(n) for n in re.findall(r'id="drop-(\d+)"', read(client, STORY + query))]

    assert numbers("") == [9, 8, 7, 6, 5, 4, 3, 2]
    assert numbers("?page=2") == [1]
    assert numbers("?order=oldest") == [1, 2, 3, 4, 5, 6, 7, 8]
    assert numbers("?order=oldest&page=2") == [9]
    assert numbers("?order=sideways") == numbers("")
    assert 'href="?order=oldest&amp;page=2"' in read(client, f"{STORY}?order=oldest")


def test_what_was_drawn_is_counted_and_refused_works_are_not_shown(
    client: Client, make_drop: MakeDrop
) -> None:
    drop = make_drop(6)
    drop.artworks.filter(index=0).update(status=Artwork.Status.REJECTED)
    drop.artworks.filter(index=1).update(status=Artwork.Status.DUPLICATE)

    told = chapter(read(client), 1)

    assert "6 works drawn; 4 accepted." in words(told)
    assert "1 rejected, 1 set aside as duplicates." in words(told)
    assert told.count("<img") == 4


def test_a_lead_who_overruled_the_guard_is_quoted(client: Client, make_drop: MakeDrop) -> None:
    CurationDecision.objects.create(
        drop=make_drop(2), kind=CurationDecision.Kind.OVERRULED, reason="A small <test>"
    )

    assert escape("“A small <test>”") in chapter(read(client), 1)


def test_the_chain_s_part_is_told_with_block_and_transaction(
    client: Client, in_state: InState
) -> None:
    drop = in_state(State.MINTING)
    pending = words(chapter(read(client), 1))
    contract = Contract.objects.get()
    ChainTransaction.objects.filter(drop=drop, kind="commit").update(
        state="confirmed", block_number=1234, tx_hash="0x" + "ab" * 32
    )
    Governance.objects.create(
        contract=contract,
        delay=1,
        period=1,
        threshold=1,
        quorum_percent=4,
        wait_s=0,
        governor=BOB,
        founded_block=2000,
    )

    told = words(chapter(read(client), 1))

    assert "Committed" not in pending
    assert f"In block 1,234 of chain {contract.chain_id}, transaction 0x{'ab' * 32}." in told
    assert f"The holders' government was founded in block 2,000; its governor is {BOB}." in (
        told.replace("&#x27;", "'")
    )


def test_mints_and_sales_are_summed(client: Client, in_state: InState) -> None:
    in_state(State.MINTING)
    for n, price_wei in enumerate((2 * 10**18, 5 * 10**17)):
        Sale.objects.create(
            block=Block.objects.get(),
            token=Token.objects.get(),
            chain_id=31337,
            tx_hash=f"0x{n}",
            log_index=0,
            order_hash="0x3",
            seller=ALICE,
            buyer=BOB,
            price_wei=price_wei,
        )

    told = words(chapter(read(client), 1))

    assert "1 work minted." in told
    assert "2 sales since, for 2.5 ETH." in told


@pytest.fixture
def second(make_drop: MakeDrop, lead: User) -> Drop:
    """The drop after a round whose proposal was applied."""
    first = open_round(drop=make_drop(30))
    voters = [register_wallet(address=address(n)) for n in range(1, 13)]
    Voter.objects.filter(pk=voters[0].pk).update(is_simulated=True)
    vote_by(first, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)
    proposal = approve_proposal(proposal=close_round(round=first), lead=lead, reason="As voted")
    return start_next_drop(proposal=proposal, size=5)


def test_what_was_voted_decided_and_asked_for_next_fits_together(
    client: Client, second: Drop
) -> None:
    proposal = second.opened_by_proposal
    row = next(r for r in proposal.rows if (r["attribute"], r["value"]) == ("head", "long"))
    was, now = f"{100 * row['old']:.1f}", f"{100 * row['proposed']:.1f}"

    html = read(client)

    first, following = words(chapter(html, 1)), words(chapter(html, 2))
    assert f"{proposal.score_run.n_votes} votes of 12 voters." in first
    assert "1 of the voters are simulated" in first
    assert "A lead approved the proposal on" in first
    assert "“As voted”" in first
    assert f"Long (head) went from {was} to {now} %: {row['why']}." in first
    assert "Parameters 2, after 1: more " in following
    assert f"head long ({was} to {now} %)" in following
    assert f'href="/api/proposals/{proposal.pk}"' in chapter(html, 1)
    assert f'href="{page_address(proposal.drop, "results")}"' in chapter(html, 1)


def test_a_number_of_a_lead_s_own_is_not_explained_by_the_votes(
    client: Client, make_drop: MakeDrop, lead: User
) -> None:
    current = open_round(drop=make_drop(30))
    voters = [register_wallet(address=address(n)) for n in range(1, 13)]
    vote_by(current, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)
    proposal = close_round(round=current)
    base = proposal.base.parameters
    heads = base.distributions["head"] | {"bun": 0.025, "bald": 0.225}
    own = replace(base, distributions=base.distributions | {"head": heads})
    edit_proposal(proposal=proposal, parameters=own, lead=lead)

    told = words(chapter(read(client), 1))

    row = next(r for r in proposal.rows if (r["attribute"], r["value"]) == ("head", "bald"))
    said = f"a lead's number, {100 * row['proposed']:.1f} % was proposed."
    assert f"Bald (head) went from 12.5 to 22.5 %: {escape(said)}" in told


def test_an_open_round_tells_who_voted_and_no_more(
    client: Client, in_state: InState, voter: Voter
) -> None:
    drop = in_state(State.LISTENING)
    vote_by(drop.round, [voter], lambda work: float(work.index))

    told = words(chapter(read(client), 1))

    assert "15 votes of 1 voter." in told
    assert "Decided" not in told


def test_the_queries_do_not_depend_on_the_drops(
    client: Client, make_drop: MakeDrop, parameter_set: ParameterSet
) -> None:
    counts = []
    for n_drops in (1, 7):
        for _ in range(n_drops):
            make_drop(2)
        with CaptureQueriesContext(connection) as queries:
            read(client)
        counts.append(len(queries))

    assert counts == [14, 14]


def test_collection_page_leads_to_the_story(client: Client, make_drop: MakeDrop) -> None:
    make_drop(1)

    assert f'href="{STORY}"' in read(client, "/collections/portraits")


def test_the_story_can_be_shared(client: Client, make_drop: MakeDrop) -> None:
    make_drop(1)

    html = read(client)

    assert 'og:title" content="The story of Portraits"' in html
    assert "http://testserver/collections/portraits/drops/1/card.png" in html
