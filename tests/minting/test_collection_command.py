"""A whole drop by one call: real processes, the shipped network, a kill in the middle."""

import json
import os
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from generation.imaging import codec
from generation.models import (
    Artwork,
    Checkpoint,
    Collection,
    CurationDecision,
    Drop,
    Job,
    ParameterSet,
)
from generation.services import open_drop, start_rendering
from minting.management import pool
from minting.management.commands.collection import Pace
from minting.models import Commitment
from tests.fixtures.commands import done, manage
from tests.fixtures.unixfs import read_car
from tests.fixtures.works import MakeDrop, portrait_schema

SIZE = 160  # three jobs for two processes
SEED = "5a" * 32
CALL = ("collection", "faces", "--size", str(SIZE), "--seed", SEED, "--processes", "2")


def report_of(folder: Path, *arguments: str) -> dict[str, Any]:
    done(folder, *arguments, "--json", str(folder / "report.json"))
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return report


def rows(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "morphora.sqlite3")) as database:
        return database.execute(query).fetchall()


def files(folder: Path) -> dict[str, int]:
    """Everything below, with when it was written."""
    written = (path for path in folder.rglob("*") if path.is_file())
    found = (path for path in written if path.suffix != ".part")  # of a process that was killed
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in found}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with its tables, to be copied; its database is SQLite whatever tests use."""
    if "DATABASE_URL" in os.environ:
        pytest.skip("runs once, with the tests on SQLite")
    folder = tmp_path_factory.mktemp("empty")
    done(folder, "migrate", "-v0")
    return folder


@pytest.fixture
def installation(empty: Path, tmp_path: Path) -> Path:
    return shutil.copytree(empty, tmp_path / "installation")


@pytest.fixture(scope="module")
def whole(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """An installation with an undisturbed run, and what that reported."""
    folder = shutil.copytree(empty, tmp_path_factory.mktemp("whole") / "installation")
    return folder, report_of(folder, *CALL)


def test_each_work_has_its_files_and_its_place_in_the_car(
    whole: tuple[Path, dict[str, Any]],
) -> None:
    folder, report = whole

    car = read_car(Path(report["car"]))
    accepted = rows(
        folder, "SELECT token_id, image_digest FROM generation_artwork WHERE status = 'accepted'"
    )
    packed = {f"images/{token}.png": digest for token, digest in accepted}
    assert len(accepted) == report["works"] > 0.95 * SIZE
    assert report["works"] + report["set_aside"] == SIZE
    assert car["root"] == report["root_cid"]
    assert packed.items() <= car["files"].items()
    assert len(car["files"]) == 2 * len(accepted) + 1  # and what tells how they came about


def test_each_work_is_there_at_512_px_twice(whole: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = whole

    digests = rows(folder, "SELECT image_digest FROM generation_artwork WHERE status = 'accepted'")
    for (digest,) in digests:
        name = f"{digest[:2]}/{digest}"
        picture = codec.read_stored(folder / "media" / "images" / f"{name}.png")
        enlarged = Image.fromarray(picture).resize((512, 512), Image.Resampling.NEAREST)
        with Image.open(folder / "media" / "thumbnails" / f"{name}-512.png") as image:
            assert image.convert("RGB").tobytes() == enlarged.tobytes()
        with Image.open(folder / "media" / "thumbnails" / f"{name}-512.webp") as image:
            assert (image.format, image.size) == ("WEBP", (512, 512))


def test_the_report_has_the_seconds_of_each_step(whole: tuple[Path, dict[str, Any]]) -> None:
    _, report = whole

    assert report["seconds"].keys() == report["cpu_seconds"].keys()
    assert {"render, parse, store", "PNG and WebP at 512 px", "pack the CAR"} <= (
        report["seconds"].keys()
    )
    assert all(seconds > 0 for seconds in report["cpu_seconds"].values())
    # Torch and its libraries count in each process: 1.7 GiB for three, elsewhere 2.6.
    assert 200 < report["peak_mib"] < 4096


def test_a_second_call_changes_nothing(whole: tuple[Path, dict[str, Any]]) -> None:
    folder, first = whole
    with closing(sqlite3.connect(folder / "morphora.sqlite3")) as database:
        before = list(database.iterdump())
    stored = files(folder / "media")

    again = report_of(folder, *CALL)

    with closing(sqlite3.connect(folder / "morphora.sqlite3")) as database:
        assert list(database.iterdump()) == before
    assert files(folder / "media") == stored
    assert {k: again[k] for k in ("works", "root_cid", "metadata_root", "image_root")} == {
        k: first[k] for k in ("works", "root_cid", "metadata_root", "image_root")
    }


def drawing(folder: Path) -> bool:
    return any(folder.glob("media/images/*/*.png"))


def encoding(folder: Path) -> bool:
    return any(folder.glob("media/thumbnails/*/*-512.png"))


@pytest.mark.parametrize("point", [drawing, encoding])
def test_a_killed_run_goes_on_and_ends_the_same(
    whole: tuple[Path, dict[str, Any]], installation: Path, point: Callable[[Path], bool]
) -> None:
    undisturbed, wanted = whole
    process = manage(installation, *CALL)
    while not point(installation):
        time.sleep(0.01)
        assert process.poll() is None
    others = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(others, timeout=20)
    assert len(others) >= 2
    assert alive == []
    assert len(list(installation.glob("media/thumbnails/*/*-512.webp"))) < wanted["works"]

    found = report_of(installation, *CALL)

    # The folder's root is not among them: it holds the curation log, which has the time.
    for name in ("works", "metadata_root", "image_root", "car_bytes"):
        assert found[name] == wanted[name]
    assert beside_cars(installation) == beside_cars(undisturbed)
    cars = [len(list(one.glob("media/cars/*"))) for one in (installation, undisturbed)]
    assert cars == [2, 2]


def beside_cars(folder: Path) -> set[str]:
    """Names of all files but the CAR's, which is named by its root."""
    return {name for name in files(folder / "media") if not name.startswith("cars/")}


def test_a_plan_is_filled_exactly(installation: Path, tmp_path: Path) -> None:
    heads = {"bob": 13, "bald": 10, "mohawk": 9}
    asked = tmp_path / "plan.json"
    asked.write_text(json.dumps(request(32, heads)))
    call = ("collection", "planned", "--size", "32", "--seed", SEED, "--plan", str(asked))

    found = report_of(installation, *call)

    read = rows(installation, "SELECT parsed FROM generation_artwork WHERE status = 'accepted'")
    assert found["works"] == 32
    assert Counter(json.loads(parsed)["head"] for (parsed,) in read) == heads


def request(size: int, heads: dict[str, int]) -> dict[str, Any]:
    """Equal shares of everything but heads."""
    attributes: dict[str, Any] = {
        name: {"shares": dict.fromkeys(values, 1 / len(values))}
        for name, values in portrait_schema().items()
    }
    return {"size": size, "attributes": attributes | {"head": {"counts": heads}}}


@pytest.mark.django_db
def test_an_impossible_plan_is_refused_and_leaves_nothing(
    checkpoint_row: Checkpoint, tmp_path: Path
) -> None:
    asked = tmp_path / "plan.json"
    asked.write_text(json.dumps(request(40, {"bald": 30, "mohawk": 11})))

    with pytest.raises(CommandError, match=r"ImpossibleError.*4[01]"):
        call_command("collection", "new", size=40, plan=asked, checkpoint=checkpoint_row.sha256)

    assert not Collection.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"size": 0}, "size 0"),
        ({"size": 40, "seed": "xyz"}, "ValueError"),
        ({"size": 40, "seed": "5a"}, "32 bytes"),
        ({"size": 40, "plan": Path("missing.json")}, r"missing\.json"),
        ({"size": 40, "checkpoint": "f00d"}, "no checkpoint f00d"),
    ],
)
def test_what_cannot_be_begun_is_said_and_leaves_nothing(
    asked: dict[str, Any], said: str, checkpoint_row: Checkpoint
) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("collection", "new", **{"checkpoint": checkpoint_row.sha256} | asked)

    assert not Collection.objects.exists()


@pytest.fixture
def drop(make_drop: MakeDrop) -> Drop:
    """A drop of 24 accepted works whose large copies are there: no process has to start."""
    drop = make_drop(24)
    pool.encode([str(work.image_path) for work in drop.artworks.in_order()])
    return drop


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"size": 25}, "has 24 works"),
        ({"size": 24, "seed": SEED}, "has another seed"),
        ({"size": 24, "checkpoint": "f00d"}, "has another checkpoint"),
    ],
)
def test_a_call_for_something_else_does_not_go_on_with_a_drop(
    drop: Drop, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(CommandError, match=f"drop 1 of portraits {said}"):
        call_command("collection", "portraits", **asked)

    assert not Commitment.objects.exists()


@pytest.mark.django_db
def test_a_plan_does_not_go_on_with_a_drop_that_has_none(drop: Drop, tmp_path: Path) -> None:
    asked = tmp_path / "plan.json"
    asked.write_text(json.dumps(request(24, {"bald": 24})))

    with pytest.raises(CommandError, match="drop 1 of portraits has no plan"):
        call_command("collection", "portraits", size=24, plan=asked)


@pytest.fixture
def held(drop: Drop) -> Drop:
    """The same with one set of traits in all works."""
    first = drop.artworks.get(index=0)
    drop.artworks.update(parsed=first.parsed)
    return drop


@pytest.mark.django_db
def test_a_held_drop_is_not_committed(held: Drop) -> None:
    with pytest.raises(CommandError, match=r"drop 1 is held: entropy of .* --overruling") as caught:
        call_command("collection", "portraits", size=24)

    assert "entropy of background 0 is under 0.4" in str(caught.value)
    assert not Commitment.objects.exists()
    held.refresh_from_db()
    assert held.diversity is not None
    assert held.diversity["entropy"]["background"] == 0


@pytest.mark.django_db
def test_a_held_drop_is_committed_for_a_reason_that_stays(held: Drop) -> None:
    call_command("collection", "portraits", size=24, overruling="an edition of one")

    overruled = CurationDecision.objects.get(kind=CurationDecision.Kind.OVERRULED)
    assert overruled.reason == "an edition of one"
    assert Commitment.objects.get().count == 24


@pytest.mark.django_db
def test_works_that_nobody_decided_about_are_accepted(drop: Drop) -> None:
    undecided = drop.artworks.filter(index__in=[3, 4])
    undecided.update(status=Artwork.Status.PENDING)
    Artwork.objects.filter(drop=drop, index=7).update(status=Artwork.Status.REJECTED)

    call_command("collection", "portraits", size=24)

    assert Commitment.objects.get().count == 23


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "said"),
    [(Job.State.STOPPED, "render:.*:0: stopped"), (Job.State.FAILED, "render:.*:0: no such disk")],
)
def test_a_job_that_ended_without_its_works_is_said(
    collection: Collection, parameter_set: ParameterSet, state: Job.State, said: str
) -> None:
    drop = open_drop(collection=collection, parameter_set=parameter_set, size=8)
    [job] = start_rendering(drop=drop)
    error = "no such disk" if state == Job.State.FAILED else ""
    Job.objects.filter(pk=job.pk).update(state=state, error=error)

    with pytest.raises(CommandError, match=said):
        call_command("collection", collection.slug, size=8)


def test_a_pace_counts_from_the_first_part_that_came_back() -> None:
    pace = Pace(1000)
    pace.add(100, 60.0)
    pace.add(100, 62.0)

    assert pace.told(62.0) == "200 of 1,000, 50.0 a second, 16 s left"


def test_one_part_alone_has_no_rate() -> None:
    pace = Pace(64)
    pace.add(64, 9.0)

    assert pace.told(9.0) == "64 of 64"
