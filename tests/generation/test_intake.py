"""From an upload to a labelled dataset, by way of jobs that may be stopped, killed and repeated."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image

from generation import intake, services, tasks
from generation.imaging import codec
from generation.imaging.reader import DatasetError, Item
from generation.models import Dataset, ItemLabel, Job
from tests.fixtures.networks import flat_art

pytestmark = pytest.mark.django_db
ABOUT: dict[str, Any] = {
    "kind": "pictures",
    "name": "flat",
    "source": "tests",
    "licence": "CC0-1.0",
    "image_px": 16,
}
COLOURS = ("sand", "sky", "rose")


def archive(entries: dict[str, bytes]) -> list[bytes]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, raw in entries.items():
            file.writestr(name, raw)
    return [out.getvalue()]


def rough_art(n: int) -> NDArray[np.uint8]:
    """Pictures [n, 16, 16, 3] no two of which look alike."""
    noise = np.random.default_rng(1).integers(-15, 16, (n, 16, 16, 3))
    rough: NDArray[np.uint8] = np.clip(flat_art(n)[0] + noise, 0, 255).astype(np.uint8)
    return rough


def plain(n: int = 30) -> list[bytes]:
    """An archive of pictures without labels, one of them broken."""
    pictures = rough_art(n)
    entries = {f"{i:03d}.png": codec.encode_png(p) for i, p in enumerate(pictures)}
    return archive(entries | {"x.png": b"broken"})


def layers() -> list[bytes]:
    entries = {}
    for category, names in {"ground": COLOURS, "head": ("bald", "long")}.items():
        for k, name in enumerate(names):
            out = io.BytesIO()
            Image.new("RGBA", (16, 16), (80 * k, 40, 40, 128)).save(out, format="PNG")
            entries[f"{category}/{name}.png"] = out.getvalue()
    return archive(entries)


def test_an_upload_of_pictures_becomes_a_dataset_and_says_what_it_refused() -> None:
    job = services.receive_upload(chunks=plain(), about=ABOUT)

    tasks.read_upload(job_id=job.pk)

    job.refresh_from_db()
    dataset = Dataset.objects.get()
    assert (job.state, job.done, job.total) == ("done", 31, 31)
    assert job.checkpoint["dataset"] == dataset.pk
    assert (dataset.n_items, dataset.schema) == (30, {})
    assert job.checkpoint["refused"] == ["x.png: not a PNG, JPEG or WebP picture"]


def test_an_upload_of_layers_is_composed() -> None:
    about = ABOUT | {"kind": "layers", "count": 6, "seed": "1"}
    job = services.receive_upload(chunks=layers(), about=about)

    tasks.read_upload(job_id=job.pk)

    dataset = Dataset.objects.get()
    assert dataset.schema == {"ground": ["rose", "sand", "sky"], "head": ["bald", "long"]}
    assert dataset.n_items == 6


def test_a_picture_that_looks_like_an_earlier_one_is_refused_by_its_name() -> None:
    first, second, third = rough_art(3)
    again = np.clip(first.astype(int) + 1, 0, 255).astype(np.uint8)
    named = {"a.png": first, "b.png": second, "c.png": again, "d.png": third, "e.png": second}
    entries = {name: codec.encode_png(picture) for name, picture in named.items()}
    job = services.receive_upload(chunks=archive(entries), about=ABOUT)

    tasks.read_upload(job_id=job.pk)

    job.refresh_from_db()
    assert Dataset.objects.get().n_items == 3
    assert job.checkpoint["refused"] == ["c.png: looks like a.png", "e.png: looks like b.png"]


def test_pictures_alike_with_other_labels_are_both_taken() -> None:
    (picture,) = rough_art(1)
    rows = [{"file": "a.png", "mood": "calm"}, {"file": "b.png", "mood": "wild"}]
    entries = {name: codec.encode_png(picture) for name in ("a.png", "b.png")}
    entries["attributes.json"] = json.dumps(rows).encode()
    job = services.receive_upload(chunks=archive(entries), about=ABOUT)

    tasks.read_upload(job_id=job.pk)

    assert Dataset.objects.get().n_items == 2


def test_reading_an_upload_twice_changes_nothing() -> None:
    job = services.receive_upload(chunks=plain(), about=ABOUT)
    again = services.receive_upload(chunks=plain(), about=ABOUT)

    for _ in range(2):
        tasks.read_upload(job_id=job.pk)

    assert again.pk == job.pk
    assert Dataset.objects.count() == 1


def test_a_stopped_upload_leaves_no_dataset_and_can_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    job = services.receive_upload(chunks=plain(), about=ABOUT)
    monkeypatch.setattr(intake, "RENEW_EVERY", 10)
    stored = codec.store

    def stop_in_the_middle(raw: bytes, folder: Path, suffix: str) -> str:
        services.stop_job(job=job)
        return stored(raw, folder, suffix)

    with monkeypatch.context() as patch:
        patch.setattr(codec, "store", stop_in_the_middle)
        tasks.read_upload(job_id=job.pk)
    before = Dataset.objects.count()
    services.resume_job(job=job)
    tasks.read_upload(job_id=job.pk)

    job.refresh_from_db()
    assert before == 0
    assert (job.state, Dataset.objects.count()) == ("done", 1)


def test_what_cannot_be_composed_fails_once_with_its_reason() -> None:
    about = ABOUT | {"kind": "layers", "count": 7, "seed": "1"}
    job = services.receive_upload(chunks=layers(), about=about)

    tasks.read_upload(job_id=job.pk)

    job.refresh_from_db()
    assert job.state == "failed"
    assert "after 6" in job.error
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [([b"no archive"], "not a ZIP"), (archive({"readme.txt": b"hi"}), "nor pictures"), ([], "ZIP")],
)
def test_an_upload_that_is_no_art_is_refused_and_not_kept(chunks: list[bytes], reason: str) -> None:
    folder = Path(settings.DATASET_ROOT) / "uploads"
    before = set(folder.rglob("*.*"))

    with pytest.raises(services.UploadRefusedError, match=reason):
        services.receive_upload(chunks=chunks, about=ABOUT)

    assert not Job.objects.exists()
    assert set(folder.rglob("*.*")) == before


def test_an_upload_over_the_limit_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generation.services.uploads.MAX_UPLOAD_BYTES", 100)

    with pytest.raises(services.UploadRefusedError, match="more than"):
        services.receive_upload(chunks=[bytes(60), bytes(60)], about=ABOUT)


@pytest.fixture
def seen() -> tuple[Dataset, list[str]]:
    """An unlabelled dataset of 120 pictures whose features are there, and its true colours."""
    pictures, labels = flat_art(120)
    items = [Item(f"{i}.png", p, {}, "tests", "CC0-1.0") for i, p in enumerate(pictures)]
    dataset, _ = services.import_dataset(
        name="flat", items=items, source="tests", licence="CC0-1.0", image_px=16
    )
    job = services.create_job(
        kind="embed", key=f"embed:{dataset.pk}", total=120, args={"dataset": dataset.pk}
    )
    tasks.embed(job_id=job.pk)
    return dataset, [COLOURS[k] for k in labels[:, 0]]


def test_a_few_words_of_a_lead_make_a_labelled_dataset(seen: tuple[Dataset, list[str]]) -> None:
    dataset, truth = seen
    said = {place: truth[place] for place in range(20)}
    services.label_items(dataset=dataset, attribute="ground", values=said, labelled_by=None)

    made, left_out = services.finish_labels(
        dataset=dataset, attributes=["ground"], min_confidence=0.5, name="labelled"
    )

    read = {item["file"]: item["attributes"]["ground"] for item in made.items()}
    right = [read[f"{place}.png"] == truth[place] for place in range(120) if f"{place}.png" in read]
    assert made.schema == {"ground": sorted(COLOURS)}
    assert made.n_items + left_out == 120
    assert np.mean(right) > 0.97
    assert dataset.schema == {}


def test_a_later_word_replaces_an_earlier_one_and_an_empty_one_takes_it_back(
    seen: tuple[Dataset, list[str]],
) -> None:
    dataset, _ = seen
    for values in ({0: "sand", 1: "sky"}, {0: "rose"}, {1: ""}):
        services.label_items(dataset=dataset, attribute="ground", values=values, labelled_by=None)

    assert services.said_labels(dataset, "ground") == {0: "rose"}


@pytest.mark.parametrize(
    ("attribute", "values"),
    [("", {0: "a"}), ("x" * 51, {0: "a"}), ("ground", {120: "a"}), ("ground", {0: "a\u202eb"})],
)
def test_a_label_that_cannot_be_is_refused_whole(
    seen: tuple[Dataset, list[str]], attribute: str, values: dict[int, str]
) -> None:
    dataset, _ = seen

    with pytest.raises(ValueError, match=r"printable|no picture"):
        services.label_items(
            dataset=dataset, attribute=attribute, values={1: "ok"} | values, labelled_by=None
        )

    assert not ItemLabel.objects.exists()


def test_pictures_nobody_looked_at_yet_are_not_read() -> None:
    pictures, _ = flat_art(4)
    items = [Item(f"{i}.png", p, {}, "tests", "CC0-1.0") for i, p in enumerate(pictures)]
    dataset, _ = services.import_dataset(
        name="flat", items=items, source="tests", licence="CC0-1.0", image_px=16
    )

    with pytest.raises(services.NotEmbeddedError):
        services.read_attribute(dataset, "ground")


def test_an_unsure_reading_leaves_nothing_rather_than_guesses(
    seen: tuple[Dataset, list[str]],
) -> None:
    dataset, _ = seen
    services.label_items(
        dataset=dataset, attribute="mood", values={0: "calm", 1: "wild"}, labelled_by=None
    )
    (row,) = [item for item in dataset.items() if item["file"] == "0.png"]

    made, left_out = services.finish_labels(
        dataset=dataset, attributes=["mood"], min_confidence=1.0, name="sure"
    )

    assert (made.n_items, left_out) == (2, 118)
    assert json.dumps(row["attributes"]) == "{}"
    with pytest.raises(ValueError, match="two are needed"):
        services.finish_labels(
            dataset=dataset, attributes=["nothing"], min_confidence=0.5, name="none"
        )


def test_a_dataset_of_layers_with_one_choice_is_refused() -> None:
    entries = {}
    out = io.BytesIO()
    Image.new("RGBA", (16, 16), (0, 0, 0, 255)).save(out, format="PNG")
    entries["ground/black.png"] = out.getvalue()
    about = ABOUT | {"kind": "layers", "count": 1, "seed": "1"}
    job = services.receive_upload(chunks=archive(entries), about=about)

    tasks.read_upload(job_id=job.pk)

    job.refresh_from_db()
    assert job.error == str(DatasetError("no category has two values: nothing to choose from"))
