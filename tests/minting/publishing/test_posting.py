"""A drop's files reach a node and are read back; whatever happens on the way, nothing doubles."""

import logging
from dataclasses import replace

import pytest
from pytest_django import Settings

from generation.models import Drop, Job
from generation.services import stop_job
from minting import posting, services, tasks
from minting.models import PackedCar, Publication
from minting.publishing.pinning import PinningService
from minting.publishing.targets import Target
from minting.publishing.transport import Session
from tests.fixtures.ipfs import IMPORT, TOKEN, Node
from tests.minting.publishing.conftest import ask, pack, work


def imported(ipfs: Node) -> list[str]:
    """Digests of the parts that the node says it has taken, in order."""
    return [entry["key"] for entry in ipfs.log(IMPORT) if entry["status"] == 200]


def test_every_part_is_sent_once_and_the_root_is_read_back(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    car = PackedCar.objects.get(drop=drop)

    row = work(ask(drop, targets["car"]))

    assert (row.job.state, row.job.done, row.job.error) == (Job.State.DONE, row.job.total, "")
    assert imported(ipfs) == [part["sha256"] for part in car.parts]
    assert len(car.parts) > 3
    found = ipfs.control()
    assert found["blocks"] == car.n_blocks
    assert found["pinned"] == [drop.commitment.root_cid]
    assert row.checked_at is not None
    assert row.n_checked == len(car.parts)
    assert not row.parts.filter(sent_at=None).exists()


def test_a_place_for_files_gets_each_part_at_its_own_address(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    row = work(ask(drop, targets["put"]))

    root, n_parts = drop.commitment.root_cid, row.parts.count()
    assert row.job.state == Job.State.DONE
    assert ipfs.control()["stored"] == [f"/store/{root}/{n}.car" for n in range(1, n_parts + 1)]
    assert ipfs.control()["blocks"] == PackedCar.objects.get(drop=drop).n_blocks


def test_a_pin_is_asked_for_once_and_waited_for(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    row = ask(drop, targets["pinning"])

    states = [work(row).remote for _ in range(3)]
    ipfs_has_it = work(ask(drop, targets["car"]))
    row = work(row)

    assert states == ["queued", "pinning", "pinning"]
    assert ipfs_has_it.job.state == row.job.state == Job.State.DONE
    assert row.remote == "pinned"
    assert row.checked_at is not None
    [kept] = ipfs.control()["kept"]
    assert kept["requestid"] == row.request_id
    assert kept["pin"]["cid"] == drop.commitment.root_cid
    assert kept["pin"]["name"] == "portraits drop 1"


def test_a_pin_whose_answer_was_lost_is_not_asked_for_twice(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    ipfs.control(faults=[{"at": "POST /pinning/pins", "times": 1, "lose": True}])

    row = work(ask(drop, targets["pinning"]), rings=2)

    assert len(ipfs.control()["kept"]) == 1
    assert row.request_id == ipfs.control()["kept"][0]["requestid"]


def test_a_pin_that_fails_says_why_and_is_asked_for_anew(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    row = work(ask(drop, targets["pinning"]))
    ipfs.control(pins=[["failed", "no providers"]])
    row = work(row)

    assert row.job.state == Job.State.FAILED
    assert row.job.error == "it could not be pinned: no providers"
    assert services.resume_publication(publication=row)
    assert work(row).remote == "queued"
    assert len(ipfs.control()["kept"]) == 2


def test_a_pin_that_somebody_removed_is_asked_for_anew(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    row = work(ask(drop, targets["pinning"]))
    with Session(token=TOKEN) as session:
        PinningService(targets["pinning"].url, session).remove(row.request_id)

    again = work(row)

    assert again.remote == "queued"
    assert again.request_id != row.request_id
    assert len(ipfs.control()["kept"]) == 1


def test_a_job_that_runs_again_sends_nothing(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    row = work(ask(drop, targets["car"]))
    before = (
        ipfs.log(),
        Publication.objects.values().get(),
        Job.objects.values().get(pk=row.job_id),
    )

    tasks.publish(job_id=row.job_id, fence=row.job.fence)
    tasks.publish(job_id=row.job_id, fence=row.job.fence - 1)

    after = (
        ipfs.log(),
        Publication.objects.values().get(),
        Job.objects.values().get(pk=row.job_id),
    )
    assert after == before


def test_asking_twice_gives_one_publication(drop: Drop, targets: dict[str, Target]) -> None:
    assert ask(drop, targets["car"]) == ask(drop, targets["car"], months=1)
    assert Job.objects.filter(kind="publish").count() == 1
    assert Publication.objects.get().months == 12


def test_a_publication_that_is_done_is_done_again_when_asked(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    root = drop.commitment.root_cid
    work(ask(drop, targets["car"]))
    ipfs.control(drop=[root])

    row = work(ask(drop, targets["car"], months=24))

    assert (row.job.state, row.months) == (Job.State.DONE, 24)
    assert len(imported(ipfs)) == 2 * row.parts.count()
    assert ipfs.control()["blocks"] == PackedCar.objects.get(drop=drop).n_blocks


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_target_that_is_busy_is_asked_again(
    drop: Drop, targets: dict[str, Target], ipfs: Node, status: int
) -> None:
    fault = {"at": IMPORT, "times": 1, "status": status, "headers": {"retry-after": "0.1"}}
    ipfs.control(faults=[fault])

    row = work(ask(drop, targets["car"]))

    assert row.job.state == Job.State.DONE
    assert len(imported(ipfs)) == row.parts.count()


def test_a_long_wait_that_a_target_asks_for_is_kept(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    headers = {"retry-after": "3600"}
    ipfs.control(faults=[{"at": IMPORT, "times": 1, "status": 429, "headers": headers}])
    row = ask(drop, targets["car"])

    posting.publish(job_id=row.job_id, tell=lambda row: None)

    row.refresh_from_db()
    row.job.refresh_from_db()
    assert row.job.state == Job.State.QUEUED
    assert row.due_at is not None
    assert (row.due_at - row.agreed_at).total_seconds() == pytest.approx(3600, abs=30)
    assert "answers 429" in row.remote_says
    tasks.sweep_files()  # would ring for it, were it due: there is no broker here
    assert len(ipfs.log(IMPORT)) == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "refuses with 401: it does not take the token"),
        (403, "refuses with 403: the token may not do this"),
        (413, "refuses with 413: what was sent is too large for it: make parts smaller"),
    ],
)
def test_a_refusal_ends_the_job_at_once_and_says_why(
    drop: Drop, targets: dict[str, Target], ipfs: Node, status: int, said: str
) -> None:
    fault = {"at": IMPORT, "times": 1, "status": status, "early": status == 413}
    ipfs.control(faults=[fault])

    row = work(ask(drop, targets["car"]))

    assert row.job.state == Job.State.FAILED
    assert said in row.job.error
    assert len(ipfs.log(IMPORT)) == 1
    assert services.resume_publication(publication=row)
    assert work(row).job.state == Job.State.DONE


def test_smaller_parts_are_taken_after_a_refusal(
    drop: Drop, targets: dict[str, Target], ipfs: Node, settings: Settings
) -> None:
    ipfs.control(faults=[{"at": IMPORT, "times": 1, "status": 413}])
    row = work(ask(drop, targets["car"]))
    n_before, settings.PUBLISH_PART_BYTES = row.parts.count(), 2000

    services.resume_publication(publication=row)
    row = work(row)

    assert row.job.state == Job.State.DONE
    assert row.parts.count() > n_before
    assert row.job.total == row.job.done == row.parts.count() + 1


def test_a_block_that_is_not_given_back_is_sent_again(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    part = PackedCar.objects.get(drop=drop).parts[1]
    row = ask(drop, targets["put"])
    ipfs.control(faults=[{"at": f"GET /ipfs/{part['block']}", "times": 1, "status": 404}])

    first, second = work(row), work(row)

    assert first.job.state == Job.State.QUEUED
    assert f"does not give block {part['block'][:20]}" in first.job.error
    assert second.job.state == Job.State.DONE
    keys = [entry["key"] for entry in ipfs.log("PUT")]
    assert len(keys) == row.parts.count() + 1
    assert keys.count(part["sha256"]) == 2


def test_other_bytes_under_the_root_are_noticed(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    ipfs.lie(drop.commitment.root_cid, b"something else")

    row = work(ask(drop, targets["put"]))

    assert row.checked_at is None
    assert "wrong, other bytes than committed to" in row.job.error


def test_without_a_gateway_nothing_is_said_to_be_checked(
    drop: Drop, targets: dict[str, Target], ipfs: Node, settings: Settings
) -> None:
    settings.PUBLISH_TARGETS = {"put": replace(targets["put"], gateway="")}

    row = work(ask(drop, settings.PUBLISH_TARGETS["put"]))

    assert row.job.state == Job.State.DONE
    assert row.checked_at is None


def test_a_target_that_is_away_is_tried_five_times(
    drop: Drop, targets: dict[str, Target], ipfs: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting._Posting, "wait", lambda self, seconds: None)
    ipfs.control(faults=[{"at": IMPORT, "times": 99, "status": 502}])
    row = ask(drop, targets["car"])

    states = [work(row).job.state for _ in range(5)]

    assert states == [Job.State.QUEUED] * 4 + [Job.State.FAILED]
    assert len(ipfs.log(IMPORT)) == 20


def test_a_lead_stops_it_and_lets_it_go_on(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    row = ask(drop, targets["car"])

    def stop(publication: Publication) -> None:
        if publication.parts.exclude(sent_at=None).count() == 2:
            stop_job(job=publication.job)

    posting.publish(job_id=row.job_id, tell=stop)
    row.job.refresh_from_db()
    stopped = row.job.state
    services.resume_publication(publication=row)
    row = work(row)

    assert (stopped, row.job.state) == (Job.State.STOPPED, Job.State.DONE)
    assert imported(ipfs) == [part.sha256 for part in row.parts.order_by("number")]


def test_a_damaged_picture_is_not_published(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    path = drop.artworks.get(index=3).image_path
    path.write_bytes(path.read_bytes() + b"\0")
    services.drop_car(commitment=drop.commitment).unlink()

    row = work(ask(drop, targets["car"]))

    assert (row.job.state, row.job.error) == (
        Job.State.FAILED,
        "the image of token 4 is not the one that was committed",
    )
    assert ipfs.log() == []


def test_what_costs_something_else_than_was_shown_is_not_begun(
    drop: Drop, targets: dict[str, Target]
) -> None:
    with pytest.raises(services.CostChangedError, match=r"the cost is 0\.0201 EUR now"):
        services.request_publication(drop=drop, target=targets["car"], months=1, agreed="0 EUR")


def test_the_car_is_packed_again_where_its_file_is_gone(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    services.drop_car(commitment=drop.commitment).unlink()

    assert work(ask(drop, targets["car"])).job.state == Job.State.DONE


def test_packing_twice_changes_nothing(drop: Drop) -> None:
    before = PackedCar.objects.values().get()

    pack(drop)

    assert PackedCar.objects.values().get() == before


def test_the_token_is_nowhere_to_be_read(
    drop: Drop, targets: dict[str, Target], ipfs: Node, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = {"error": {"reason": "FORBIDDEN", "details": f"Bearer {TOKEN} is used up"}}
    ipfs.control(faults=[{"at": IMPORT, "times": 1, "status": 403, "body": told}])

    row = work(ask(drop, targets["car"]))
    services.resume_publication(publication=row)
    done = work(row)

    assert "FORBIDDEN: Bearer … is used up" in row.job.error
    assert done.job.state == Job.State.DONE
    rows = repr([list(Publication.objects.values()), list(Job.objects.values()), targets])
    assert TOKEN not in rows + caplog.text
