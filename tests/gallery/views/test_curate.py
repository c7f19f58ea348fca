"""The curation page: who may enter, what each filter shows, what buttons say and refuse."""

import re
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from generation import services, tasks
from generation.imaging.reader import Item
from generation.models import Dataset, Job
from generation.traits.curating import Comparison
from generation.traits.edits import Kind
from tests.fixtures.flat import flat_art

pytestmark = pytest.mark.django_db
GROUNDS, WORN = ("sand", "sky", "rose"), ("none", "glasses")
N = 150


@pytest.fixture(autouse=True)
def silent_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    for task in tasks.INTAKE.values():
        monkeypatch.setattr(task, "delay", lambda **ids: None)


def art(n: int, name: str = "flat") -> Dataset:
    """Pictures whose ground goes round by their place, the odd ones with glasses; no rose has any.

    The seventh is under another licence.
    """
    pictures = flat_art(n)[0]
    items = [
        Item(
            name=f"{n:03d}.png",
            picture=picture,
            labels={
                "ground": GROUNDS[n % 3],
                "worn": WORN[n % 2 if n % 3 != 2 else 0],
            },
            source="tests",
            licence="MIT" if n == 7 else "CC0-1.0",
        )
        for n, picture in enumerate(pictures)
    ]
    schema = {"ground": list(GROUNDS), "worn": list(WORN)}
    made, _ = services.import_dataset(
        name=name, items=items, source="tests", licence="CC0-1.0", image_px=16, schema=schema
    )
    return made


@pytest.fixture
def dataset(db: None) -> Dataset:
    """Two groups alike, 3 10 20 and 40 41, and two outliers, 99 stranger than 12."""
    made = art(N)
    group = np.full(N, -1, np.int64)
    group[[3, 10, 20]], group[[40, 41]] = 3, 40
    factor = np.ones(N, np.float32)
    factor[99], factor[12] = 3, 2
    services.store_comparison(dataset=made, comparison=Comparison(group, factor))
    return made


@pytest.fixture
def ben(db: None) -> User:
    return User.objects.create_user("ben", is_staff=True)


def address(dataset: Dataset, query: str = "") -> str:
    return reverse("gallery:curate", args=[dataset.pk]) + query


def page(reply: Any, status: int = 200) -> str:
    assert reply.status_code == status
    return str(reply.content.decode())


def shown(html: str) -> list[int]:
    return [int(place) for place in re.findall(r'name="place" value="(\d+)"', html)]


def press(console: Client, dataset: Dataset, verb: str, *places: int, **more: Any) -> Any:
    query = more.pop("query", "")
    body = {"verb": verb, "place": list(places), "seen": services.desk(dataset).seen} | more
    return console.post(address(dataset, query), body, headers={"HX-Request": "true"})


def rejected(dataset: Dataset) -> set[int]:
    return services.desk(dataset).state.rejected


def test_curation_is_the_leads_affair(client: Client, wallet: Client, dataset: Dataset) -> None:
    for url in (address(dataset), f"{address(dataset)}/compared"):
        assert client.get(url).status_code == 302
        assert wallet.get(url).status_code == 302
    for browser in (client, wallet):
        browser.post(address(dataset), {"verb": "reject", "place": "1", "seen": "0"})
    assert not dataset.edits.exists()


def test_going_back_asks_again(console: Client, dataset: Dataset) -> None:
    assert "no-store" in console.get(address(dataset)).headers["Cache-Control"]


def test_a_dataset_that_is_not_there_is_not_found(console: Client) -> None:
    assert console.get("/console/art/999/curate").status_code == 404


@pytest.mark.parametrize("n_edits", [0, 6])
def test_a_page_asks_the_database_the_same_however_much_there_is(
    console: Client,
    dataset: Dataset,
    ben: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    n_edits: int,
) -> None:
    for n in range(n_edits):
        services.record_edit(dataset=dataset, kind=Kind.REJECT, places=[n], seen=n, made_by=ben)
    if n_edits:
        services.publish_version(dataset=dataset, seen=n_edits, made_by=ben)

    with django_assert_num_queries(5):  # session, user, dataset, edits, versions
        console.get(address(dataset, "?show=duplicates"))


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", range(60)),
        ("?page=3", range(120, 150)),
        ("?page=99", range(120, 150)),
        ("?page=x", range(60)),
        ("?show=nonsense&sort=nonsense&with=a:b&with=&rows=a", range(60)),
        ("?show=rejected", [5, 12]),
        ("?show=kept&page=3", range(122, 150)),
        ("?show=relabelled", [6]),
        ("?show=relicensed", [8]),
        ("?show=duplicates", [3, 10, 20, 40, 41]),
        ("?show=duplicates&with=worn:glasses", [3, 10, 20]),
        ("?show=duplicates&licence=MIT", []),
        ("?show=outliers", [99, 12]),
        ("?show=outliers&sort=place", [12, 99]),
        ("?licence=MIT", [7]),
        ("?licence=EUPL-1.2", [8]),
        ("?with=ground:moss", [6]),
        ("?with=ground:rose&with=worn:glasses", []),
        ("?with=ground:sand&with=worn:glasses&show=all", range(3, 150, 6)),
    ],
)
def test_a_filter_shows_what_it_says(
    console: Client, dataset: Dataset, query: str, places: list[int]
) -> None:
    press(console, dataset, "reject", 5, 12)
    press(console, dataset, "relabel", 6, label="ground:", other="moss")
    press(console, dataset, "licence", 8, licence_name="EUPL-1.2")

    assert shown(page(console.get(address(dataset, query)))) == list(places)


def test_the_matrix_counts_pairs_of_kept_pictures_and_its_cells_lead_to_them(
    console: Client, dataset: Dataset
) -> None:
    before = page(console.get(address(dataset)))
    press(console, dataset, "reject", 0, 6)

    after = page(console.get(address(dataset)))

    assert "1 of 6 pairs of ground and worn have no picture" in before
    assert 'aria-label="25 pictures with ground sand and worn none">25<' in before
    assert 'aria-label="23 pictures with ground sand and worn none">23<' in after
    assert '<td class="num heat-0"><span>0</span></td>' in after
    link = re.search(r'href="(\?[^"#]+)#pictures" aria-label="23 pictures', after)
    assert link is not None
    query = link.group(1).replace("&amp;", "&")
    cell = page(console.get(address(dataset, query)))
    assert shown(cell) == list(range(12, 150, 6))


def test_the_matrix_turns_round(console: Client, dataset: Dataset) -> None:
    html = page(console.get(address(dataset, "?rows=worn&columns=ground")))

    assert 'aria-label="25 pictures with worn none and ground sand"' in html


def test_a_dataset_without_attributes_says_how_to_get_some(console: Client, db: None) -> None:
    items = [Item(f"{n}.png", p, {}, "tests", "CC0-1.0") for n, p in enumerate(flat_art(4)[0])]
    plain, _ = services.import_dataset(
        name="plain", items=items, source="tests", licence="CC0-1.0", image_px=16
    )

    html = page(console.get(address(plain)))

    assert "Label them first" in html
    assert 'value="relabel"' not in html
    assert shown(html) == [0, 1, 2, 3]


def test_one_attribute_has_its_counts_and_no_matrix(console: Client, db: None) -> None:
    items = [
        Item(f"{n}.png", picture, {"ground": GROUNDS[n % 2]}, "tests", "CC0-1.0")
        for n, picture in enumerate(flat_art(4)[0])
    ]
    one, _ = services.import_dataset(
        name="one", items=items, source="tests", licence="CC0-1.0", image_px=16
    )

    html = page(console.get(address(one)))

    assert "<table" not in html
    assert "(50.0 %)" in html


def test_a_button_says_what_it_did_and_an_undo_takes_it_back(
    console: Client, dataset: Dataset
) -> None:
    done = page(press(console, dataset, "reject", 3, 4))
    back = page(press(console, dataset, "undo:1"))

    assert "You rejected 2 pictures." in done
    assert 'data-result="done"' in done
    assert "<html" not in done
    assert "Taken back: rejected 2 pictures." in back
    assert rejected(dataset) == set()


def test_without_a_script_a_button_leads_back_to_the_same_page(
    console: Client, dataset: Dataset
) -> None:
    url = address(dataset, "?show=kept&page=2")

    reply = console.post(url, {"verb": "reject", "place": ["70", "71"], "seen": "0"}, follow=True)

    assert reply.redirect_chain == [(url, 302)]
    assert "You rejected 2 pictures." in page(reply)
    assert rejected(dataset) == {70, 71}


def test_everything_a_filter_shows_is_one_edit(console: Client, dataset: Dataset) -> None:
    press(console, dataset, "reject", 0, every="on", query="?with=ground:sky&page=1")

    assert rejected(dataset) == set(range(1, N, 3))
    assert dataset.edits.count() == 1


def test_of_a_group_the_first_is_kept(console: Client, dataset: Dataset) -> None:
    html = page(press(console, dataset, "keep:3", query="?show=duplicates"))

    assert rejected(dataset) == {10, 20}
    assert shown(html) == [40, 41]


def test_of_all_groups_of_a_filter_the_first_kept_is_kept(
    console: Client, dataset: Dataset
) -> None:
    press(console, dataset, "reject", 3)

    page(press(console, dataset, "keep-all", query="?show=duplicates"))

    assert rejected(dataset) == {3, 20, 41}


def test_a_group_that_is_gone_is_no_edit(console: Client, dataset: Dataset) -> None:
    press(console, dataset, "keep:3")

    html = page(press(console, dataset, "keep:3"), 400)

    assert "No picture is selected. Nothing was written." in html
    assert dataset.edits.count() == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"verb": "reject"}, "No picture is selected"),
        ({"verb": "reject", "place": "9999"}, "No picture 9999"),
        ({"verb": "reject", "place": "x"}, "no number"),
        ({"verb": "reject", "place": "-1"}, "no number"),
        ({"verb": "reject", "place": "1", "seen": "x"}, "whole number"),
        ({"verb": "reject", "place": "1", "seen": ""}, "required"),
        ({"verb": "dance", "place": "1"}, "unknown button"),
        ({"verb": "undo:1x"}, "unknown button"),
        ({"verb": "undo:7"}, "No edit 7"),
        ({"verb": "", "place": "1"}, "unknown button"),
        ({"verb": "relabel", "place": "1"}, "attribute and a value"),
        ({"verb": "relabel", "place": "1", "label": "hat:top"}, "attribute and a value"),
        ({"verb": "relabel", "place": "1", "label": "worn:"}, "1 to 200"),
        ({"verb": "relabel", "place": "1", "label": "worn:glasses"}, "like that already"),
        ({"verb": "licence", "place": "1", "licence_name": " "}, "1 to 100"),
        ({"verb": "licence", "place": "1", "licence_name": "x" * 101}, "100 characters"),
        ({"verb": "accept", "place": "1"}, "like that already"),
        ({"verb": "publish"}, "no other version"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    console: Client, dataset: Dataset, body: dict[str, str], said: str
) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        reply = console.post(address(dataset), {"seen": "0"} | body, headers=headers)

        html = page(reply, 400)
        alert = re.search(r'id="curate-wrong"[^>]*>([^<]*)<', html)
        assert alert is not None
        assert said in alert.group(1)
    assert not dataset.edits.exists()
    assert Dataset.objects.count() == 1


def test_what_somebody_changed_meanwhile_is_said_and_the_selection_stays(
    console: Client, dataset: Dataset, ben: User
) -> None:
    services.record_edit(dataset=dataset, kind=Kind.REJECT, places=[4], seen=0, made_by=ben)

    html = page(press(console, dataset, "licence", 4, 5, licence_name="MIT", seen=0), 409)

    assert "Changed since you looked: ben rejected 1 picture." in html
    assert set(re.findall(r'value="(\d+)" checked', html)) == {"4", "5"}
    assert 'name="seen" value="1"' in html
    assert dataset.edits.count() == 1


def test_what_somebody_wrote_is_text_on_the_page(console: Client, dataset: Dataset) -> None:
    press(console, dataset, "relabel", 4, label="worn:", other="<script>alert(1)</script>")

    assert "<script>alert" not in page(console.get(address(dataset)))


def test_publishing_leads_to_the_new_version(console: Client, dataset: Dataset, lead: User) -> None:
    press(console, dataset, "reject", 4)

    reply = press(console, dataset, "publish")
    made = Dataset.objects.get(version=2)

    assert reply.headers["HX-Redirect"] == address(made)
    html = page(console.get(address(made)))
    assert "flat v2 is there: 149 pictures. flat v1 stays." in html
    assert f'<a href="{address(dataset)}">flat v1</a> by {lead.username}' in html
    assert f"/console/training?dataset={made.pk}" in html


def test_an_edit_after_publishing_says_that_the_version_does_not_have_it(
    console: Client, dataset: Dataset
) -> None:
    press(console, dataset, "reject", 4)
    press(console, dataset, "publish")

    published = page(console.get(address(dataset)))
    html = page(press(console, dataset, "reject", 5))

    assert "flat v2 has all of this already." in published
    assert "v3 will have 148 pictures: 2 left out" in html
    assert "flat v2 was made before and does not have it." in html
    assert rejected(dataset) == {4, 5}


def test_publishing_what_changed_meanwhile_is_a_conflict(
    console: Client, dataset: Dataset, ben: User
) -> None:
    press(console, dataset, "reject", 4)
    services.record_edit(dataset=dataset, kind=Kind.REJECT, places=[5], seen=1, made_by=ben)

    html = page(press(console, dataset, "publish", seen=1), 409)

    assert "ben rejected 1 picture" in html
    assert Dataset.objects.count() == 1


def test_the_history_says_who_did_what_and_who_took_it_back(
    console: Client, dataset: Dataset, ben: User
) -> None:
    services.record_edit(
        dataset=dataset,
        kind=Kind.RELABEL,
        places=[4, 5],
        seen=0,
        made_by=ben,
        attribute="worn",
        value="hat",
    )
    before = page(console.get(address(dataset)))

    after = page(press(console, dataset, "undo:1"))

    assert '<b>ben</b> <span class="what">labelled 2 pictures worn: hat' in before
    assert "taken back by lead" in after
    assert 'value="undo:1"' not in after


def test_pictures_are_compared_once_with_progress_and_then_known(console: Client, db: None) -> None:
    made = art(40, "new")
    made.comparison_path.unlink(missing_ok=True)

    waiting = page(console.get(address(made, "?show=outliers")))
    console.get(f"{address(made)}/compared")
    job = Job.objects.get()
    job.done, job.state = 10, Job.State.RUNNING
    job.save()
    progress = page(console.get(f"{address(made)}/compared"))
    Job.objects.update(state=Job.State.QUEUED)
    tasks.embed(job_id=job.pk)
    done = page(console.get(f"{address(made)}/compared"))

    assert "0 of 40 pictures looked at" in waiting
    assert "Not known before the pictures are compared" in waiting
    assert "not yet known" in waiting
    assert "10 of 40 pictures looked at" in progress
    assert 'hx-trigger="every 1s"' in progress
    assert "The pictures are compared." in done
    assert "hx-trigger" not in done
    assert "not yet known" not in page(console.get(address(made)))


def test_a_comparison_that_failed_says_why_and_is_tried_again(console: Client, db: None) -> None:
    made = art(41, "other")
    made.comparison_path.unlink(missing_ok=True)
    console.get(address(made))
    Job.objects.update(state=Job.State.FAILED, error="bytes differ")

    failed = page(console.get(address(made)))
    page(press(console, made, "compare"))

    assert "Near duplicates and outliers are not known: bytes differ." in failed
    assert Job.objects.get().state == Job.State.QUEUED


def test_the_page_of_a_dataset_leads_to_its_curation(console: Client, dataset: Dataset) -> None:
    html = page(console.get(reverse("gallery:dataset", args=[dataset.pk])))

    assert address(dataset) in html
    assert "<h1>flat v1</h1>" in html


def test_a_run_is_named_after_the_version_it_learns_from(console: Client, dataset: Dataset) -> None:
    press(console, dataset, "reject", 4)
    press(console, dataset, "publish")
    made = Dataset.objects.get(version=2)

    form = page(console.get(f"/console/training?dataset={made.pk}"))

    assert re.search(rf'<option value="{made.pk}"\s+selected>flat v2 \(149\)</option>', form)
