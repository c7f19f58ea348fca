"""The launch page says what it costs to publish a drop, how far it is, and what is lost."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from generation.models import Drop, Job
from minting import inspecting, posting, services
from minting.models import PackedCar, Publication, StorageRound, StoredWork
from minting.publishing.targets import Target, TargetKind
from tests.fixtures.ipfs import IMPORT, TOKEN, Node
from tests.fixtures.works import MakeDrop

N_WORKS = 12


@pytest.fixture
def drop(make_drop: MakeDrop, settings: Settings) -> Drop:
    settings.PUBLISH_PART_BYTES = 4000
    drop = make_drop(N_WORKS, Drop.State.CURATING)
    services.prepare_commitment(drop=drop)
    Drop.objects.filter(pk=drop.pk).update(state=Drop.State.COMMITTED)
    drop.refresh_from_db()
    return drop


@pytest.fixture
def targets(ipfs: Node, settings: Settings) -> dict[str, Target]:
    found = {kind.value: ipfs.target(kind) for kind in (TargetKind.CAR, TargetKind.PINNING)}
    settings.PUBLISH_TARGETS = found
    return found


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What workers were called for; there is no broker here."""
    found: list[str] = []
    for name in ("pack", "publish", "check_storage"):
        monkeypatch.setattr(
            f"minting.tasks.{name}.delay", lambda name=name, **named: found.append(name)
        )
    return found


def page(console: Client, drop: Drop) -> str:
    reply = console.get(f"/console/drops/{drop.pk}/launch")
    assert reply.status_code == 200
    return reply.content.decode()


def section(html: str) -> str:
    """The part about files, as it is read."""
    inside = html[html.index('<section id="files"') :].replace("&#x27;", "'")
    return " ".join(re.sub(r"<[^>]+>", " ", inside).split())


def post(console: Client, path: str, **typed: Any) -> list[str]:
    reply = console.post(f"/console/{path}", typed, follow=True)
    assert reply.status_code == 200
    return [str(message) for message in reply.context["messages"]]


def pack(drop: Drop) -> PackedCar:
    posting.pack(job_id=services.request_packing(drop=drop).pk)
    return PackedCar.objects.get(drop=drop)


def work(row: Publication) -> None:
    Publication.objects.update(due_at=None)
    posting.publish(job_id=row.job_id, tell=lambda row: None)


def terms(html: str, target: str) -> list[str]:
    form = html[html.index(f'<li class="panel" data-target="{target}"') :]
    return re.findall(r'<option value="([^"]+)"', form[: form.index("</li>")])


def test_before_the_works_are_final_there_is_nothing_to_publish(
    console: Client, drop: Drop, targets: dict[str, Target]
) -> None:
    Drop.objects.filter(pk=drop.pk).update(state=Drop.State.CURATING)

    said = section(page(console, drop))

    assert "can be published once they are final: with the commitment" in said
    assert "Storage check" not in said


def test_without_a_target_the_page_says_how_to_set_one(console: Client, drop: Drop) -> None:
    said = section(page(console, drop))

    assert "No place to publish at is set on this installation." in said
    assert "PUBLISH_TARGETS" in said
    assert "No gateway is set ( IPFS_GATEWAYS ), so only our own files are looked at." in said


def test_the_car_is_packed_first(console: Client, drop: Drop, rung: list[str]) -> None:
    with pytest.MonkeyPatch.context():
        post(console, f"drops/{drop.pk}/files/pack")
    waiting = section(page(console, drop))
    posting.pack(job_id=Job.objects.get(kind="pack").pk)

    said = section(page(console, drop))

    car = PackedCar.objects.get()
    assert "The file is being packed." in waiting
    assert f"CAR file {car.n_bytes:,} bytes" in said
    assert drop.commitment.root_cid in said


def test_the_cost_stands_before_the_button(
    console: Client, drop: Drop, targets: dict[str, Target]
) -> None:
    car = pack(drop)

    html = page(console, drop)

    assert terms(html, "car")[2] == "12|0.0201 EUR"
    price = targets["car"].price
    assert price is not None
    assert float(price.cost(car.n_bytes, 12)) == pytest.approx(0.02 + 0.15 * car.n_bytes * 12e-9)
    assert "12 months: 0.0201 EUR" in html
    assert "0.15 EUR a GB and month, 0.02 EUR an upload" in section(html)


def test_a_target_without_a_price_says_so(
    console: Client, drop: Drop, targets: dict[str, Target], settings: Settings
) -> None:
    settings.PUBLISH_TARGETS = {"car": replace(targets["car"], price=None)}
    pack(drop)

    html = page(console, drop)

    assert "no price is set" in section(html)
    assert terms(html, "car")[0] == "1|"


@pytest.mark.django_db(transaction=True)
def test_a_publication_from_its_button_to_its_end(
    console: Client, drop: Drop, targets: dict[str, Target], rung: list[str]
) -> None:
    pack(drop)
    agreed = terms(page(console, drop), "car")[2]

    post(console, f"drops/{drop.pk}/files/publish", target="car", terms=agreed)
    row = Publication.objects.get()
    waiting = section(page(console, drop))
    work(row)
    done = section(page(console, drop))

    assert rung == ["publish"]
    assert "car queued" in waiting
    assert "Waiting for a worker." in waiting
    assert "12 months, 0.0201 EUR" in waiting
    assert f"{row.n_bytes:,} of {row.n_bytes:,} bytes." in done
    assert "blocks read back through 127.0.0.1" in done
    assert "Publish once more" in done
    line = re.search(r"Publish the files</strong>.*?</li>", page(console, drop), re.S)
    assert line is not None
    assert "at car" in line[0]


@pytest.mark.parametrize("asked", ["", "12", "7|0 EUR", "1.5|0 EUR", "-1|", "99999|"])
def test_terms_that_were_not_offered_are_refused(
    console: Client, drop: Drop, targets: dict[str, Target], asked: str
) -> None:
    pack(drop)
    path = f"/console/drops/{drop.pk}/files/publish"

    reply = console.post(path, {"target": "car", "terms": asked}, follow=True)

    assert not Publication.objects.exists()
    refused = reply.status_code == 400
    assert refused or "look at it again" in str(next(iter(reply.context["messages"])))


def test_a_price_that_changed_meanwhile_is_shown_again(
    console: Client, drop: Drop, targets: dict[str, Target]
) -> None:
    pack(drop)

    said = post(console, f"drops/{drop.pk}/files/publish", target="car", terms="12|0.0100 EUR")

    assert said == ["the cost is 0.0201 EUR now, not 0.0100 EUR: look at it again"]


def test_an_unknown_target_is_said(console: Client, drop: Drop) -> None:
    said = post(console, f"drops/{drop.pk}/files/publish", target="nobody", terms="12|")

    assert said == ["no target nobody is set: see PUBLISH_TARGETS"]


def test_a_publication_is_stopped_and_goes_on(
    console: Client, drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    pack(drop)
    told = services.quote(drop=drop, target=targets["car"], months=12)
    row = services.request_publication(
        drop=drop, target=targets["car"], months=12, agreed=told.cost
    )

    post(console, f"publications/{row.pk}", verb="stop")
    stopped = page(console, drop)
    work(row)
    n_sent = len(ipfs.log(IMPORT))
    post(console, f"publications/{row.pk}", verb="resume")
    work(row)

    assert 'value="resume"' in stopped
    assert n_sent == 0
    row.job.refresh_from_db()
    assert row.job.state == Job.State.DONE


def test_a_failure_is_shown_with_a_button_to_go_on(
    console: Client, drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    pack(drop)
    told = services.quote(drop=drop, target=targets["car"], months=1)
    row = services.request_publication(drop=drop, target=targets["car"], months=1, agreed=told.cost)
    body = {"error": {"reason": "FORBIDDEN", "details": f"<b>{TOKEN}</b>"}}
    ipfs.control(faults=[{"at": IMPORT, "times": 1, "status": 403, "body": body}])
    work(row)

    html = page(console, drop)

    assert "the token may not do this" in html
    assert "&lt;b&gt;…&lt;/b&gt;" in html
    assert TOKEN not in html
    assert 'value="resume"' in html


def test_a_pin_says_what_its_service_says(
    console: Client, drop: Drop, targets: dict[str, Target]
) -> None:
    pack(drop)
    told = services.quote(drop=drop, target=targets["pinning"], months=1)
    row = services.request_publication(
        drop=drop, target=targets["pinning"], months=1, agreed=told.cost
    )
    work(row)

    assert "The service says: it waits there." in section(page(console, drop))


def test_a_target_that_is_not_set_any_more_is_still_told_of(
    console: Client, drop: Drop, targets: dict[str, Target], settings: Settings
) -> None:
    pack(drop)
    told = services.quote(drop=drop, target=targets["car"], months=1)
    row = services.request_publication(drop=drop, target=targets["car"], months=1, agreed=told.cost)
    work(row)
    settings.PUBLISH_TARGETS = {}

    assert "the settings do not name it any more" in section(page(console, drop))


def look(drop: Drop) -> None:
    inspecting.look_now(drop, lambda row: None)


def test_a_check_that_found_everything_says_so(console: Client, drop: Drop) -> None:
    look(drop)

    said = section(page(console, drop))

    assert f"In our store {N_WORKS} of {N_WORKS} Where tokenURI says not asked" in said
    assert "Everything is where it should be." in said


def test_works_that_are_not_there_are_named_with_links(console: Client, drop: Drop) -> None:
    drop.artworks.get(token_id=4).image_path.unlink()
    look(drop)

    html = page(console, drop)

    assert "1 work is not as it should be." in section(html)
    assert "#4 our store: missing gateway: not asked image" in section(html)
    assert '<a href="/collections/portraits/works/4">#4</a>' in html


def test_the_check_begins_again_on_a_click(console: Client, drop: Drop, rung: list[str]) -> None:
    look(drop)

    said = post(console, f"drops/{drop.pk}/files/check")

    round = StorageRound.objects.get()
    assert said == ["The check begins with the first work."]
    assert (round.next_token_id, round.finished_at) == (0, None)


def test_all_works_are_told_page_by_page(
    console: Client, drop: Drop, django_assert_max_num_queries: Any
) -> None:
    rows = [
        StoredWork(
            drop=drop,
            token_id=number,
            own="found",
            remote="missing" if number % 2 else "found",
            uri="ipfs://x",
            is_minted=True,
            file="image" if number % 2 else "",
            checked_at=timezone.now(),
        )
        for number in range(1, 401)
    ]
    StoredWork.objects.bulk_create(rows)

    with django_assert_max_num_queries(14):
        reply = console.get(f"/console/drops/{drop.pk}/files?show=missing&page=2")

    html = reply.content.decode()
    assert html.count("<li>") == 100
    assert ">#201<" in html
    assert "Page 2 of 2" in html
    assert "?show=missing&page=1" in html.replace("&amp;", "&")
    assert console.get(f"/console/drops/{drop.pk}/files?show=nonsense&page=x").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["drops/{}/files/pack", "drops/{}/files/publish", "drops/{}/files/check", "publications/1"],
)
def test_the_buttons_are_a_leads(wallet: Client, drop: Drop, path: str) -> None:
    reply = wallet.post("/console/" + path.format(drop.pk))

    assert reply.status_code == 302
    assert "/sign-in" in reply["Location"]
