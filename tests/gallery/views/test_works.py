"""The gallery: filters, counts, orders and pages, over HTTP."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gallery.views import catalogue as page
from generation.models import Artwork, Collection, Drop
from minting.models import Contract, Listing, Token
from tests.fixtures.chain import ALICE
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import InState, read

ADDRESS = "/collections/portraits/works"
State = Drop.State


def shown(html: str) -> list[int]:
    """Token ids of the works on a page, in their order."""
    return [
        int(n) for n in re.findall(r'class="card" href="/collections/portraits/works/(\d+)"', html)
    ]


def total(html: str) -> int:
    match = re.search(r'role="status"><strong class="num">([\d,]+)<', html)
    assert match
    return int(match[1].replace(",", ""))


def counts(html: str) -> dict[tuple[str, str], int]:
    """(field, value) -> the number beside its checkbox."""
    found = re.findall(
        r'name="([^"]+)" value="([^"]+)"(?: checked)?>\s*<span class="choice-name">[^<]*</span> '
        r'<span class="count num">([\d,]+)<',
        html,
    )
    return {(name, value): int(n.replace(",", "")) for name, value, n in found}


def link(html: str, rel: str) -> str:
    match = re.search(rf'rel="{rel}" href="([^"]+)"', html)
    return match[1].replace("&amp;", "&") if match else ""


def walk(browser: Client, address: str, rel: str = "next") -> list[list[int]]:
    """The pages from an address on, following the links of one direction."""
    pages = []
    while address:
        html = read(browser, address)
        pages.append(shown(html))
        address = link(html, rel)
    return pages


@pytest.fixture
def drop(in_state: InState) -> Drop:
    """60 works on sale, the first one minted."""
    return in_state(State.MINTING, 60)


def offer(token: Token, price_wei: int, **changes: Any) -> Listing:
    now = timezone.now()
    fields = {
        "token": token,
        "contract": token.contract,
        "token_number": token.token_id,
        "seller": token.owner,
        "order_hash": f"0x{Listing.objects.count():064x}",
        "price_wei": price_wei,
        "starts_at": now - timedelta(hours=1),
        "expires_at": now + timedelta(hours=1),
        "order": {},
        "signature": "0x",
    }
    return Listing.objects.create(**fields | changes)


def mint(drop: Drop, *token_ids: int) -> list[Token]:
    first = Token.objects.get(drop=drop, token_id=1)
    works = {work.token_id: work for work in drop.artworks.filter(token_id__in=token_ids)}
    return [
        Token.objects.create(
            contract=first.contract,
            token_id=token_id,
            drop=drop,
            artwork=works[token_id],
            owner=ALICE,
            minted_block=first.minted_block,
        )
        for token_id in token_ids
    ]


def test_without_a_committed_drop_the_gallery_says_so(client: Client, in_state: InState) -> None:
    in_state(State.CURATING)

    assert "No work is published yet" in read(client, ADDRESS)


def test_works_come_the_rarest_first(client: Client, drop: Drop) -> None:
    ranked = drop.artworks.order_by("-rarity_score", "token_id").values_list("token_id", flat=True)

    html = read(client, ADDRESS)

    assert shown(html) == list(ranked[: page.PAGE_SIZE])
    assert total(html) == 60


def test_a_filter_shows_the_works_with_any_of_its_values(client: Client, drop: Drop) -> None:
    wanted = {w.token_id for w in drop.artworks.all() if w.parsed["head"] in ("bun", "bob")}

    html = read(client, f"{ADDRESS}?trait.head=bun&trait.head=bob")

    assert set(shown(html)) == wanted
    assert total(html) == len(wanted)


def test_counts_follow_the_other_filters(client: Client, drop: Drop) -> None:
    works = [w.parsed for w in drop.artworks.all()]

    found = counts(read(client, f"{ADDRESS}?trait.head=bun&trait.skin=honey&trait.skin=amber"))

    for value in {w["skin"] for w in works}:
        expected = sum(w["head"] == "bun" and w["skin"] == value for w in works)
        assert found["trait.skin", value] == expected
    for value in {w["head"] for w in works}:
        expected = sum(w["skin"] in ("honey", "amber") and w["head"] == value for w in works)
        assert found["trait.head", value] == expected
    for value in {w["accessory"] for w in works}:
        both = [w for w in works if w["head"] == "bun" and w["skin"] in ("honey", "amber")]
        assert found["trait.accessory", value] == sum(w["accessory"] == value for w in both)


def test_a_drop_is_a_filter(client: Client, in_state: InState) -> None:
    in_state(State.MINTING, 5)
    second = in_state(State.MINTING, 4)

    html = read(client, f"{ADDRESS}?drop=2")

    assert set(shown(html)) == set(second.artworks.values_list("token_id", flat=True))
    assert counts(html)["drop", "1"] == 5


def test_chips_take_one_filter_away_each(client: Client, drop: Drop) -> None:
    html = read(client, f"{ADDRESS}?trait.head=bun&trait.skin=honey&sort=newest")

    chips = html.split('class="chips"')[1].split("</ul>")[0]
    found = [
        a.replace("&amp;", "&") for a in re.findall(r'<a (?:class="clear" )?href="([^"]+)"', chips)
    ]
    assert found == [
        f"{ADDRESS}?trait.skin=honey&sort=newest",
        f"{ADDRESS}?trait.head=bun&sort=newest",
        f"{ADDRESS}?sort=newest",
    ]


@pytest.mark.parametrize("sort", page.SORTS)
def test_pages_show_every_work_once_even_if_scores_are_equal(
    client: Client, drop: Drop, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr(page, "PAGE_SIZE", 7)
    drop.artworks.update(rarity_score=1.0)
    for token, price in zip(mint(drop, *range(2, 12)), [5, 3, 3, 3, 9, 5, 5, 2, 2, 7], strict=True):
        offer(token, price)

    forwards = walk(client, f"{ADDRESS}?sort={sort}")
    last = f"{ADDRESS}?sort={sort}&before={forwards[-1][0]}"
    flat = [token for part in forwards for token in part]

    assert sorted(flat) == list(range(1, 61))
    assert [len(part) for part in forwards] == [7] * 8 + [4]
    if sort != "price":
        backwards = walk(client, last, "prev")
        assert backwards == forwards[-2::-1]


def test_the_cheapest_come_first_and_then_what_nobody_offers(client: Client, drop: Drop) -> None:
    two, three, four, five = mint(drop, 2, 3, 4, 5)
    offer(two, 5 * 10**18)
    offer(three, 4 * 10**18)
    offer(four, 4 * 10**18)
    offer(two, 10**17)
    offer(five, 1, state=Listing.State.CANCELLED)

    html = read(client, f"{ADDRESS}?sort=price")

    assert shown(html)[:6] == [2, 3, 4, 1, 5, 6]
    assert re.findall(r'class="price">([\d.]+) ETH', html) == ["0.1", "4", "4"]


def test_the_cheapest_page_back_is_the_page_it_came_from(
    client: Client, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "PAGE_SIZE", 4)
    for token in mint(drop, *range(2, 12)):
        offer(token, 7)

    first = read(client, f"{ADDRESS}?sort=price")
    second = read(client, link(first, "next"))
    back = read(client, link(second, "prev"))

    assert (shown(first), shown(second)) == ([2, 3, 4, 5], [6, 7, 8, 9])
    assert shown(back) == shown(first)


def test_what_was_sold_meanwhile_does_not_lose_the_place(
    client: Client, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "PAGE_SIZE", 3)
    listings = [offer(token, 10 + n) for n, token in enumerate(mint(drop, *range(2, 10)))]
    next_page = link(read(client, f"{ADDRESS}?sort=price"), "next")

    Listing.objects.filter(pk=listings[2].pk).update(state=Listing.State.FILLED)

    assert shown(read(client, next_page)) == [5, 6, 7]


def test_availability_follows_the_chain_while_the_works_do_not_change(
    client: Client, drop: Drop
) -> None:
    before = counts(read(client, ADDRESS))
    tokens = mint(drop, 2, 3)
    offer(tokens[0], 10**18)

    html = read(client, f"{ADDRESS}?status=for_sale")
    after = counts(html)

    assert [before["status", s] for s in page.STATUS_NAMES] == [1, 59, 0]
    assert [after["status", s] for s in page.STATUS_NAMES] == [3, 57, 1]
    assert shown(html) == [2]


def test_a_price_on_a_tile_is_short(client: Client, drop: Drop) -> None:
    offer(mint(drop, 2, 3)[0], 14_898_621_464_655_944)

    assert "0.014899 ETH" in read(client, f"{ADDRESS}?status=for_sale")


def test_a_gap_in_what_is_minted_is_a_gap(client: Client, drop: Drop) -> None:
    mint(drop, 5, 9)

    assert set(shown(read(client, f"{ADDRESS}?status=minted"))) == {1, 5, 9}


def test_an_offer_that_ran_out_is_none(client: Client, drop: Drop) -> None:
    now = timezone.now()
    ran_out = {"starts_at": now - timedelta(hours=2), "expires_at": now - timedelta(hours=1)}
    offer(mint(drop, 2)[0], 10**18, **ran_out)

    assert counts(read(client, ADDRESS))["status", "for_sale"] == 0


def test_a_new_drop_is_there_as_soon_as_it_is_committed(client: Client, in_state: InState) -> None:
    in_state(State.MINTING, 3)
    assert total(read(client, ADDRESS)) == 3

    in_state(State.COMMITTED, 2)

    assert total(read(client, ADDRESS)) == 5


@pytest.mark.parametrize(
    "query",
    [
        "trait.head=horns",
        "trait.tail=long",
        "drop=99",
        "drop=x",
        "status=stolen",
        "sort=beauty",
        "after=x",
        "after=999",
        "after=-1",
        "before=1-x&sort=price",
        "after=99999999999999999999999999",
        "trait.=x",
        "trait.head=%00",
        "trait.head=" + "a" * 3000,
        "&".join(f"drop={n}" for n in range(300)),
        "after=5-5",
    ],
)
def test_an_address_that_makes_no_sense_is_refused_in_words(
    client: Client, drop: Drop, query: str
) -> None:
    reply = client.get(f"{ADDRESS}?{query}")

    html = reply.content.decode()
    assert reply.status_code == 400
    assert "Nothing can be shown for this address" in html
    assert 'id="catalogue"' in html


@pytest.mark.parametrize("query", ["sort=&q=&drop=&status=", "foo=bar", "trait.head="])
def test_empty_fields_of_a_form_ask_for_nothing(client: Client, drop: Drop, query: str) -> None:
    assert total(read(client, f"{ADDRESS}?{query}")) == 60


@pytest.mark.parametrize("text", ["7", "#7", " 7 ", "1:6", "drop 1:6", "1/6"])
def test_a_search_that_names_a_work_leads_to_it(client: Client, drop: Drop, text: str) -> None:
    reply = client.get(ADDRESS, {"q": text})

    assert (reply.status_code, reply.headers["Location"]) == (302, f"{ADDRESS}/7")


@pytest.mark.parametrize("text", ["999", "2:1", "1:999", "bun", "<script>x</script>", "1" * 70])
def test_a_search_that_finds_nothing_says_what_it_understands(
    client: Client, drop: Drop, text: str
) -> None:
    html = read(client, f"{ADDRESS}?q={text}")

    assert "is not here" in html
    assert "<script>x" not in html
    assert 'class="found"' not in html


def test_values_are_escaped(client: Client, in_state: InState, make_drop: MakeDrop) -> None:
    drop = make_drop(2, State.CURATING)
    drop.artworks.update(parsed={'<b>"name"': '"><script>x</script>'})
    Drop.objects.filter(pk=drop.pk).update(state=State.COMMITTED)
    for work in drop.artworks.all():
        Artwork.objects.filter(pk=work.pk).update(token_id=work.index + 1)

    html = read(client, ADDRESS)

    assert "<script>x" not in html
    assert "<b>" not in html


@pytest.mark.parametrize("sort", page.SORTS)
def test_the_number_of_queries_does_not_depend_on_works_or_drops(
    client: Client, in_state: InState, sort: str
) -> None:
    counted = []
    for n_works in (3, 60, 5):
        drop = in_state(State.MINTING, n_works)
        offer(Token.objects.get(drop=drop), 10**18)
        read(client, ADDRESS)
        with CaptureQueriesContext(connection) as queries:
            read(client, f"{ADDRESS}?sort={sort}&drop=1&status=unminted")
        counted.append(len(queries))

    assert counted == [7, 7, 7]


def test_the_gallery_is_read_only(client: Client, drop: Drop) -> None:
    assert client.post(ADDRESS).status_code == 405


def test_an_unknown_collection_has_no_gallery(client: Client, collection: Collection) -> None:
    assert client.get("/collections/others/works").status_code == 404


def test_tokens_of_another_collection_do_not_count(client: Client, drop: Drop) -> None:
    other = Collection.objects.create(
        slug="later", name="Later", checkpoint=drop.collection.checkpoint
    )
    contract = Contract.objects.create(
        collection=other, chain_id=31337, treasury=ALICE, royalty_bps=0
    )
    first = Token.objects.get(drop=drop)
    Token.objects.create(
        contract=contract, token_id=2, drop=drop, owner=ALICE, minted_block=first.minted_block
    )

    assert counts(read(client, ADDRESS))["status", "minted"] == 1
