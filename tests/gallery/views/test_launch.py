"""The launch page says what came of a rehearsal."""

import html
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from generation.models import Collection, Drop
from minting import services
from minting.models import ChainTransaction, Commitment, Contract, Governance
from minting.provenance import allowlist
from minting.provenance.allowlist import Entry
from tests.fixtures.chain import ALICE, BOB
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import InState

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

    assert line(html).endswith("not yet")
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
        "Publish the files",
    ]


def add(console: Client, drop: Drop, **fields: Any) -> Any:
    given = {
        "kind": "0",
        "price_eth": "0.01",
        "start": "2026-12-01T00:00",
        "end": "2026-12-02T00:00",
        "max_per_transaction": "5",
    }
    path = f"/console/drops/{drop.pk}/launch/phases"
    return console.post(path, given | fields, follow=True)


def test_a_sale_without_a_work_left_is_sold_out(console: Client, in_state: InState) -> None:
    drop = in_state(Drop.State.MINTING)
    running = page(console, drop)
    Commitment.objects.filter(drop=drop).update(count=drop.tokens.count())

    assert 'class="panel running"' in running
    assert 'class="panel sold out"' in page(console, drop)


def test_a_phase_is_planned_and_taken_out(console: Client, drop: Drop) -> None:
    reply = add(console, drop, price_eth="0.02", max_per_wallet="3")
    rows = list(drop.commitment.phases.in_order())
    console.post(f"/console/drops/{drop.pk}/launch/phases/{rows[0].pk}")

    [left] = drop.commitment.phases.all()
    assert "Phase 1 is planned." in reply.content.decode()
    assert (left.pk, left.number) == (rows[1].pk, 0)
    assert (left.price_wei, left.max_per_wallet) == (2 * 10**16, 3)


def test_a_list_is_refused_as_a_whole_with_each_bad_row(console: Client, drop: Drop) -> None:
    table = f"wallet,max_quantity,price_eth\n{ALICE},1,0\nx,1,0\n{BOB},0,0\n"
    upload = SimpleUploadedFile("list.csv", table.encode())

    html = add(console, drop, kind="1", list=upload).content.decode()

    assert "List, row 2" in html
    assert "List, row 3" in html
    assert drop.commitment.phases.count() == 1


def test_a_list_becomes_a_phase_with_its_root(console: Client, drop: Drop) -> None:
    table = f"wallet,max_quantity,price_eth\n{ALICE},1,0\n{BOB},2,0.5\n"

    add(console, drop, kind="1", list=SimpleUploadedFile("list.csv", table.encode()))

    row = drop.commitment.phases.get(number=1)
    entries = [Entry(ALICE, 1, 0), Entry(BOB, 2, 5 * 10**17)]
    assert row.terms == allowlist.root(entries).hex()
    assert row.entries.count() == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "1"}, "needs a CSV file"),
        ({"kind": "1", "list": "binary"}, "not UTF-8"),
        ({"kind": "2"}, "This kind of phase needs it."),
        ({"kind": "2", "floor_eth": "1", "fall_eth": "1", "every_minutes": "1"}, "an auction ends"),
        ({"kind": "3", "signer": "x"}, "This is not an address."),
        ({"end": "2026-11-01T00:00"}, "a phase ends after it starts"),
        ({"price_eth": "NaN"}, "Enter a number."),
        ({"max_per_transaction": "21"}, "less than or equal to 20"),
    ],
)
def test_a_phase_that_contradicts_itself_is_refused(
    console: Client, drop: Drop, fields: dict[str, Any], said: str
) -> None:
    if fields.get("list"):
        fields = fields | {"list": SimpleUploadedFile("list.csv", b"\xff\xfe\x00")}

    html = add(console, drop, **fields).content.decode()

    assert said in html
    assert drop.commitment.phases.count() == 1


def test_the_planned_phases_open_the_sale_once(console: Client, drop: Drop) -> None:
    services.request_deploy(collection=drop.collection)
    for _ in range(2):
        console.post(f"/console/drops/{drop.pk}/launch/open", {"final_by": ""})

    sent = ChainTransaction.objects.filter(drop=drop, kind="open_sale")
    refused = add(console, drop).content.decode()
    assert sent.count() == 1
    assert "its sale not asked for" in refused


def test_a_collection_is_made_on_the_console(console: Client, drop: Drop) -> None:
    given = {
        "name": "Tides",
        "slug": "tides",
        "story": "",
        "checkpoint": str(drop.checkpoint_id),
    }
    made = console.post("/console/new", given)
    again = console.post("/console/new", given)

    assert made.status_code == 302
    assert "has this address already" in again.content.decode()
    assert Collection.objects.filter(slug="tides").count() == 1


@pytest.mark.parametrize("path", ["launch", "launch/live"])
def test_the_launch_page_is_the_leads(client: Client, drop: Drop, path: str) -> None:
    assert client.get(f"/console/drops/{drop.pk}/{path}").status_code == 302


TERMS = {"delay": 1, "period": 5, "threshold": 1, "quorum_percent": 10, "wait_hours": 48}


def test_works_may_be_votes_from_the_start(console: Client, drop: Drop) -> None:
    given = {"name": "Voters", "slug": "voters", "checkpoint": drop.checkpoint_id}

    console.post("/console/new", given | {"contract": "votes"})

    assert Contract.objects.get(collection__slug="voters").has_votes


EVOLVING = {
    "contract": "evolving",
    "volume_on": "on",
    "volume_direction": "shorter hair",
    "volume_highest": 16,
    "stake_on": "on",
    "period_hours": 12,
}


def given(drop: Drop) -> dict[str, Any]:
    return {"name": "Moving", "slug": "moving", "checkpoint": drop.checkpoint_id}


@pytest.mark.usefixtures("small_student")
def test_a_lead_chooses_what_moves_works(console: Client, drop: Drop) -> None:
    console.post("/console/new", given(drop) | EVOLVING)

    contract = Contract.objects.get(collection__slug="moving")
    law = services.law_of(contract)
    assert contract.is_painted
    assert [(rule.name, rule.highest) for rule in law.rules] == [("volume", 16), ("stake age", 10)]
    assert law.rules[0].direction[20] == -8
    assert law.period_s == 43_200


@pytest.mark.usefixtures("small_student")
def test_a_contract_may_draw_works_that_stay_as_they_are(console: Client, drop: Drop) -> None:
    console.post("/console/new", given(drop) | {"contract": "painted"})

    contract = Contract.objects.get(collection__slug="moving")
    assert (contract.is_painted, contract.law) == (True, None)


@pytest.mark.usefixtures("small_student")
@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"volume_on": "", "stake_on": ""}, "0 rules are not 1 to 8"),
        ({"position_on": "on"}, "POSITION needs a peer"),
        ({"pool": "nowhere"}, "This is not an address."),
        ({"story": 'They call it "art".'}, "cannot go into JSON"),
    ],
)
def test_what_no_contract_would_take_is_refused_with_its_reason(
    console: Client, drop: Drop, told: dict[str, str], said: str
) -> None:
    found = console.post("/console/new", given(drop) | EVOLVING | told)

    assert found.status_code == 400
    assert said in html.unescape(found.content.decode())
    assert not Contract.objects.filter(collection__slug="moving").exists()


def test_another_generator_cannot_go_into_a_contract(console: Client, drop: Drop) -> None:
    found = console.post("/console/new", given(drop) | EVOLVING)

    assert "no small generator was taught" in found.content.decode()


@pytest.mark.usefixtures("small_student")
def test_drops_of_known_works_are_refused_where_the_contract_draws(
    console: Client, drop: Drop
) -> None:
    console.post("/console/new", given(drop) | EVOLVING)

    asked = {"size": 3, "kind": "fixed"}
    found = console.post("/console/collections/moving/next", asked, follow=True)

    assert "have to be drawn on the fly" in found.content.decode()
    assert not Drop.objects.filter(collection__slug="moving").exists()


def test_a_lead_hands_over_to_the_holders_once(console: Client, drop: Drop) -> None:
    contract = services.plan_contract(collection=drop.collection)
    before = page(console, drop)
    Contract.objects.filter(pk=contract.pk).update(has_votes=True, address=BOB, deployed_block=1)
    offered = page(console, drop)

    wrong = [
        {"quorum_percent": 101},
        {"threshold": 2**70},
        {"wait_hours": 10**20},
        {"delay": 10**9},
    ]
    for terms in (*(TERMS | one for one in wrong), TERMS, TERMS):
        console.post(f"/console/drops/{drop.pk}/launch/founding", terms)

    after = page(console, drop)
    assert "Hand over to the holders" not in before
    assert "Hand over to the holders" in offered
    assert "Hand over to the holders" not in after
    assert "Let holders decide" in after
    asked = ChainTransaction.objects.get(kind=ChainTransaction.Kind.FOUNDING)
    assert asked.contract == contract
    assert Governance.objects.get().wait_s == 48 * 3600


def test_works_without_votes_cannot_govern(console: Client, drop: Drop) -> None:
    services.plan_contract(collection=drop.collection)
    Contract.objects.update(address=BOB, deployed_block=1)

    reply = console.post(f"/console/drops/{drop.pk}/launch/founding", TERMS, follow=True)

    assert "have no votes" in reply.content.decode()
    assert not ChainTransaction.objects.filter(kind=ChainTransaction.Kind.FOUNDING).exists()
