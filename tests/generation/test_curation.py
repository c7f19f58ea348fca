"""Edits and versions of datasets: nothing lost, nothing doubled, each version for itself."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from generation import services, tasks
from generation.imaging import codec
from generation.imaging.reader import DatasetError, Item
from generation.models import Dataset, DatasetEdit, ImmutableRowError, Job
from generation.services import EditedMeanwhileError, NothingChangedError
from generation.traits.edits import Kind, State
from tests.fixtures.flat import flat_art

pytestmark = pytest.mark.django_db
GROUNDS, WORN = ("sand", "sky", "rose"), ("none", "glasses")


@pytest.fixture
def dataset() -> Dataset:
    """Twenty-four labelled pictures of 16 px."""
    pictures, labels = flat_art(24)
    noise = np.random.default_rng(1).integers(-15, 16, pictures.shape)
    noisy = np.clip(pictures + noise, 0, 255).astype(np.uint8)
    items = [
        Item(f"{n:02d}.png", picture, {"ground": GROUNDS[g], "worn": WORN[w]}, "tests", "CC0-1.0")
        for n, (picture, (g, w)) in enumerate(zip(noisy, labels, strict=True))
    ]
    made, _ = services.import_dataset(
        name="flat", items=items, source="tests", licence="CC0-1.0", image_px=16
    )
    return made


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", is_staff=True)


@pytest.fixture
def ben(db: None) -> User:
    return User.objects.create_user("ben", is_staff=True)


def say(dataset: Dataset, who: User, kind: Kind, *places: int, **more: Any) -> DatasetEdit:
    seen = more.pop("seen", services.desk(dataset).seen)
    return services.record_edit(
        dataset=dataset, kind=kind, places=places, seen=seen, made_by=who, **more
    )


def publish(dataset: Dataset, who: User, seen: int | None = None) -> Dataset:
    known = services.desk(dataset).seen if seen is None else seen
    return services.publish_version(dataset=dataset, seen=known, made_by=who)


def test_edits_are_numbered_and_change_no_manifest(dataset: Dataset, ada: User) -> None:
    before = dataset.manifest_path.read_bytes()

    say(dataset, ada, Kind.REJECT, 3, 1, 3)
    say(dataset, ada, Kind.RELABEL, 2, attribute="ground", value="  moss ")
    say(dataset, ada, Kind.LICENCE, 4, value="CC-BY-4.0")

    found = services.desk(dataset)
    assert [row.number for row in found.edits] == [1, 2, 3]
    assert found.state == State({1, 3}, {2: {"ground": "moss"}}, {4: "CC-BY-4.0"})
    assert dataset.manifest_path.read_bytes() == before


def test_an_edit_about_the_same_picture_since_then_is_a_conflict_and_writes_nothing(
    dataset: Dataset, ada: User, ben: User
) -> None:
    say(dataset, ada, Kind.REJECT, 3, seen=0)

    with pytest.raises(EditedMeanwhileError) as refused:
        say(dataset, ben, Kind.ACCEPT, 2, 3, seen=0)

    assert [row.made_by for row in refused.value.newer] == [ada]
    assert dataset.edits.count() == 1


def test_an_undo_since_then_is_a_conflict_about_what_it_took_back(
    dataset: Dataset, ada: User, ben: User
) -> None:
    say(dataset, ada, Kind.REJECT, 3)
    services.undo_edit(dataset=dataset, number=1, made_by=ada)

    with pytest.raises(EditedMeanwhileError):
        say(dataset, ben, Kind.LICENCE, 3, value="MIT", seen=1)

    assert say(dataset, ben, Kind.LICENCE, 4, value="MIT", seen=1).number == 3


def test_edits_about_other_pictures_go_by_each_other(
    dataset: Dataset, ada: User, ben: User
) -> None:
    say(dataset, ada, Kind.REJECT, 3, seen=0)

    say(dataset, ben, Kind.REJECT, 4, seen=0)

    assert services.desk(dataset).state.rejected == {3, 4}


def test_an_edit_sent_twice_is_one(dataset: Dataset, ada: User, ben: User) -> None:
    first = say(dataset, ada, Kind.REJECT, 3, 5, seen=0)

    again = say(dataset, ada, Kind.REJECT, 5, 3, seen=0)

    assert again == first
    assert dataset.edits.count() == 1
    with pytest.raises(EditedMeanwhileError):
        say(dataset, ben, Kind.REJECT, 5, 3, seen=0)


def test_an_undo_takes_back_one_edit_and_twice_is_one(dataset: Dataset, ada: User) -> None:
    say(dataset, ada, Kind.REJECT, 1)
    say(dataset, ada, Kind.RELABEL, 1, attribute="worn", value="hat")

    first = services.undo_edit(dataset=dataset, number=1, made_by=ada)
    again = services.undo_edit(dataset=dataset, number=1, made_by=ada)

    assert first == again
    assert services.desk(dataset).state == State(labels={1: {"worn": "hat"}})
    assert dataset.edits.count() == 3


@pytest.mark.parametrize("number", [0, 2, 3])
def test_what_is_no_edit_cannot_be_taken_back(dataset: Dataset, ada: User, number: int) -> None:
    say(dataset, ada, Kind.REJECT, 1)
    services.undo_edit(dataset=dataset, number=1, made_by=ada)

    with pytest.raises(ValueError, match=f"no edit {number}"):
        services.undo_edit(dataset=dataset, number=number, made_by=ada)


@pytest.mark.parametrize(
    ("kind", "places", "more", "why"),
    [
        (Kind.REJECT, [], {}, "no picture is selected"),
        (Kind.REJECT, [24], {}, "no picture 24"),
        (Kind.REJECT, [-1], {}, "no picture"),
        (Kind.UNDO, [1], {}, "names an edit"),
        (Kind.RELABEL, [1], {"attribute": "hat", "value": "top"}, "no attribute 'hat'"),
        (Kind.RELABEL, [1], {"attribute": "worn", "value": " "}, "value"),
        (Kind.RELABEL, [1], {"attribute": "worn", "value": "x" * 201}, "value"),
        (Kind.LICENCE, [1], {"value": "a\x00b"}, "licence"),
        (Kind.LICENCE, [1], {"value": "x" * 101}, "licence"),
        (Kind.ACCEPT, [1], {}, "like that already"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_and_not_written(
    dataset: Dataset, ada: User, kind: Kind, places: list[int], more: dict[str, str], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        say(dataset, ada, kind, *places, **more)

    assert not dataset.edits.exists()


def test_an_attribute_takes_so_many_values_and_no_more(
    dataset: Dataset, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.services.curation.MAX_VALUES", 4)
    say(dataset, ada, Kind.RELABEL, 0, attribute="ground", value="moss")

    with pytest.raises(ValueError, match="more than 4 values of ground"):
        say(dataset, ada, Kind.RELABEL, 1, attribute="ground", value="clay")

    say(dataset, ada, Kind.RELABEL, 1, attribute="ground", value="moss")
    assert dataset.edits.count() == 2


def test_rows_of_evidence_do_not_change(dataset: Dataset, ada: User) -> None:
    row = say(dataset, ada, Kind.REJECT, 1)

    row.kind = Kind.ACCEPT
    with pytest.raises(ImmutableRowError):
        row.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        DatasetEdit.objects.create(dataset=dataset, number=1, kind=Kind.REJECT, places=[2])
    with pytest.raises(IntegrityError), transaction.atomic():
        DatasetEdit.objects.create(dataset=dataset, number=2, kind=Kind.UNDO)


def test_a_version_is_a_manifest_of_its_own_and_the_former_stays(
    dataset: Dataset, ada: User
) -> None:
    before = dataset.items()
    say(dataset, ada, Kind.REJECT, 0)
    say(dataset, ada, Kind.RELABEL, 1, attribute="ground", value="moss")
    say(dataset, ada, Kind.LICENCE, 2, value="CC-BY-4.0")

    made = publish(dataset, ada)

    items = made.items()
    assert (made.title, made.parent, made.first, made.made_by) == (
        "flat v2",
        dataset,
        dataset,
        ada,
    )
    assert (made.n_items, made.n_refused) == (23, 1)
    assert made.schema["ground"][-1] == "moss"
    assert [item["digest"] for item in items] == [item["digest"] for item in before[1:]]
    assert items[0]["attributes"]["ground"] == "moss"
    assert (items[1]["licence"], items[1]["source"]) == ("CC-BY-4.0", "tests")
    assert made.licence == "CC-BY-4.0 AND CC0-1.0"
    assert codec.digest(made.manifest_path.read_bytes()) == made.digest
    assert dataset.items() == before
    pictures, labels = services.load_dataset(made)
    assert pictures.shape == (23, 16, 16, 3)
    assert labels[0, 0] == made.schema["ground"].index("moss")


def test_a_manifest_names_what_it_was_made_from_and_how(dataset: Dataset, ada: User) -> None:
    say(dataset, ada, Kind.REJECT, 0)
    say(dataset, ada, Kind.REJECT, 7)
    services.undo_edit(dataset=dataset, number=1, made_by=ada)

    made = publish(dataset, ada)

    manifest = json.loads(made.manifest_path.read_text())
    assert (manifest["name"], manifest["version"]) == ("flat", 2)
    assert manifest["parent"] == dataset.digest
    assert manifest["edits"] == [{"kind": "reject", "places": [7]}]


def test_publishing_twice_is_one_version(dataset: Dataset, ada: User, ben: User) -> None:
    say(dataset, ada, Kind.REJECT, 0)

    first, again = publish(dataset, ada), publish(dataset, ben)

    assert first == again
    assert Dataset.objects.count() == 2


def test_a_version_of_a_version_counts_on_and_so_does_another_of_the_first(
    dataset: Dataset, ada: User
) -> None:
    say(dataset, ada, Kind.REJECT, 0)
    second = publish(dataset, ada)
    say(second, ada, Kind.REJECT, 0)
    third = publish(second, ada)
    say(dataset, ada, Kind.REJECT, 5)
    fourth = publish(dataset, ada)

    every = Dataset.objects.versions_of(third)
    assert [(row.version, row.n_items) for row in every] == [(4, 22), (3, 22), (2, 23), (1, 24)]
    assert (third.parent, fourth.parent) == (second, dataset)
    assert {third.first, fourth.first} == {dataset}


def test_nothing_changed_is_no_version(dataset: Dataset, ada: User) -> None:
    say(dataset, ada, Kind.REJECT, 0)
    services.undo_edit(dataset=dataset, number=1, made_by=ada)

    with pytest.raises(NothingChangedError):
        publish(dataset, ada)

    assert Dataset.objects.count() == 1


def test_a_version_without_pictures_is_none(dataset: Dataset, ada: User) -> None:
    say(dataset, ada, Kind.REJECT, *range(24))

    with pytest.raises(DatasetError, match="every picture"):
        publish(dataset, ada)

    assert Dataset.objects.count() == 1


def test_an_edit_made_meanwhile_is_said_and_stays_for_the_next_version(
    dataset: Dataset, ada: User, ben: User
) -> None:
    say(dataset, ada, Kind.REJECT, 0)
    say(dataset, ben, Kind.REJECT, 1)

    with pytest.raises(EditedMeanwhileError) as refused:
        publish(dataset, ada, seen=1)
    made = publish(dataset, ada, seen=2)

    assert [row.made_by for row in refused.value.newer] == [ben]
    assert made.n_items == 22


def test_an_edit_made_after_publishing_is_kept_and_not_in_the_version(
    dataset: Dataset, ada: User, ben: User
) -> None:
    say(dataset, ada, Kind.REJECT, 0, seen=0)
    made = publish(dataset, ada)

    say(dataset, ben, Kind.REJECT, 1, seen=0)

    assert made.n_items == 23
    assert services.desk(dataset).state.rejected == {0, 1}
    assert publish(dataset, ben).n_items == 22


def test_labels_of_people_go_along_with_their_pictures(dataset: Dataset, ada: User) -> None:
    services.label_items(
        dataset=dataset, attribute="mood", values={0: "glad", 2: "sad", 23: "glad"}, labelled_by=ada
    )
    say(dataset, ada, Kind.REJECT, 0, 1)

    made = publish(dataset, ada)

    assert services.said_labels(made, "mood") == {0: "sad", 21: "glad"}
    assert services.said_labels(dataset, "mood") == {0: "glad", 2: "sad", 23: "glad"}


@pytest.mark.django_db(transaction=True)
def test_curators_at_the_same_time_lose_and_double_nothing(
    dataset: Dataset, ada: User, ben: User
) -> None:
    def curate(who: User, places: range) -> Dataset:
        try:
            for place in places:
                say(dataset, who, Kind.REJECT, place, seen=0)
            both.wait(60)
            return publish(dataset, who)
        finally:
            connection.close()

    both = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(curate, ada, range(6))
        second = pool.submit(curate, ben, range(6, 12))
        made = {first.result(120), second.result(120)}

    assert len(made) == 1
    assert made.pop().n_items == 12
    numbers = dataset.edits.in_order().values_list("number", flat=True)
    assert list(numbers) == list(range(1, 13))
    assert services.desk(dataset).state.rejected == set(range(12))


def look(dataset: Dataset) -> Job:
    args = {"dataset": dataset.pk}
    job = services.create_job(kind="embed", key="compare", total=dataset.n_items, args=args)
    tasks.embed(job_id=job.pk)
    job.refresh_from_db()
    return job


def test_pictures_are_compared_by_a_job_that_changes_nothing_the_second_time(
    dataset: Dataset,
) -> None:
    dataset.comparison_path.unlink(missing_ok=True)
    assert services.comparison(dataset) is None

    job = look(dataset)
    found = services.comparison(dataset)
    raw = dataset.comparison_path.read_bytes()
    look(dataset)

    assert (job.state, job.error) == (Job.State.DONE, "")
    assert found is not None
    assert len(found.group) == len(found.factor) == 24
    assert dataset.comparison_path.read_bytes() == raw
    assert [p.name for p in dataset.comparison_path.parent.glob(".*.part")] == []


def test_a_stopped_comparison_writes_nothing(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset.comparison_path.unlink(missing_ok=True)
    monkeypatch.setattr("generation.intake.RENEW_EVERY", 1)

    def stop(*, dataset: Dataset, features: Any) -> None:
        services.stop_job(job=Job.objects.get())

    monkeypatch.setattr(services, "store_embedding", stop)
    dataset.embedding_path.unlink(missing_ok=True)

    job = look(dataset)

    assert job.state == Job.State.STOPPED
    assert services.comparison(dataset) is None
