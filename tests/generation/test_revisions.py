"""Other pictures for works under curation: drawn again, or retouched by hand."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from generation import rendering, revising, services, tasks
from generation.imaging import codec
from generation.models import Artwork, Checkpoint, CurationDecision, Drop, Job
from generation.services import ChangedMeanwhileError, WrongStateError
from generation.traits.planner import Counts, Request, Shares, attempt_seed

SIZE = 8
Kind, Status = CurationDecision.Kind, Artwork.Status


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def curator(db: None) -> User:
    return User.objects.create_user("ada", is_staff=True)


def rendered(drop: Drop) -> Drop:
    services.start_rendering(drop=drop)
    while drop.state == Drop.State.RENDERING:
        for job in drop.jobs.filter(state=Job.State.QUEUED).order_by("pk"):
            rendering.run_chunk(job_id=job.pk)
        rendering.finish_drop(drop=Drop.objects.get(pk=drop.pk))
        drop.refresh_from_db()
    return drop


def opened(checkpoint: Checkpoint, size: int, exploration: float) -> Drop:
    collection = services.create_collection(
        slug="small", name="Small", story="", checkpoint=checkpoint, exploration=exploration
    )
    parameters = collection.parameter_sets.get()
    return services.open_drop(collection=collection, parameter_set=parameters, size=size)


@pytest.fixture
def drop(db: None) -> Drop:
    """Portraits of the shipped network, two of them drawn to be unusual."""
    return rendered(opened(services.register_shipped_checkpoint(), SIZE, exploration=0.25))


@pytest.fixture
def planned(db: None) -> Drop:
    """Four portraits of the shipped network, with exact traits."""
    drop = opened(services.register_shipped_checkpoint(), 4, exploration=0)
    schema = drop.checkpoint.schema
    even = {name: Shares(dict.fromkeys(v, 1 / len(v))) for name, v in schema.items()}
    first = dict.fromkeys(schema["background"], 0) | {"mint": 4}
    services.plan_drop(drop=drop, request=Request(4, {**even, "background": Counts(first)}))
    return rendered(drop)


def shown(drop: Drop, index: int = 0) -> Artwork:
    return drop.artworks.curable().in_order()[index]


def newest(work: Artwork) -> int:
    return CurationDecision.objects.newest_ids().get(work.pk, 0)


def send_back(work: Artwork, curator: User) -> Job:
    seen = {work.pk: newest(work)}
    (job,) = services.send_back(drop=work.drop, seen=seen, curator=curator)
    return job


def edited(work: Artwork, levels: int = 60) -> str:
    """The digest of a work's picture with a bright corner, on disk."""
    picture = codec.read_stored(work.image_path).copy()
    picture[:3, :3] = np.where(picture[:3, :3] > 127, 10, 245)
    picture[4:6, :] = levels
    return codec.store(codec.encode_png(picture), work.image_path.parents[1], ".png")


def retouch(work: Artwork, curator: User, digest: str, note: str = "lighter corner") -> Job:
    return services.ask_retouch(
        work=work, digest=digest, note=note, seen=newest(work), curator=curator
    )


def test_a_work_that_is_sent_back_gets_another_picture(drop: Drop, curator: User) -> None:
    before = shown(drop)

    job = send_back(before, curator)
    waiting = shown(drop)
    revising.run_revision(job_id=job.pk)

    after = drop.artworks.get(pk=before.pk)
    assert waiting.status == after.status == Status.PENDING
    assert after.image_digest != before.image_digest
    assert after.image_path.exists()
    assert 1 <= after.attempt <= 32
    seed = bytes.fromhex(drop.seed)
    assert after.item_seed == attempt_seed(seed, before.index, after.attempt).hex()
    assert after.requested == before.requested
    assert {t.trait_type: t.value for t in after.traits.all()} == {
        name: value for name, value in after.parsed.items() if value != "none"
    }
    asked, done = CurationDecision.objects.in_order()
    assert (asked.kind, asked.reason, asked.image_digest) == (
        Kind.DECIDED,
        "sent back",
        before.image_digest,
    )
    assert (done.kind, done.image_digest, done.curator) == (
        Kind.REDRAWN,
        after.image_digest,
        curator,
    )
    assert done.body["before"]["image_sha256"] == before.image_digest


def test_a_second_ring_and_a_second_click_change_nothing(drop: Drop, curator: User) -> None:
    work = shown(drop)
    seen = {work.pk: 0}
    job = send_back(work, curator)
    again = services.send_back(drop=drop, seen=seen, curator=curator)

    tasks.revise(job_id=job.pk)
    digest = shown(drop).image_digest
    tasks.revise(job_id=job.pk)

    assert again == []
    assert shown(drop).image_digest == digest
    assert CurationDecision.objects.count() == 2


def test_another_try_never_draws_the_same_seeds(drop: Drop, curator: User) -> None:
    work = shown(drop)
    jobs = []
    for _ in range(3):
        jobs.append(send_back(drop.artworks.get(pk=work.pk), curator))
        revising.run_revision(job_id=jobs[-1].pk)

    assert [job.args["first"] for job in jobs] == [1, 33, 65]
    assert drop.artworks.get(pk=work.pk).attempt >= 65


def test_works_come_out_again_after_a_retouch_and_another_try(drop: Drop, curator: User) -> None:
    drawn = shown(drop, 1)
    revising.run_revision(job_id=send_back(shown(drop), curator).pk)
    revising.run_revision(job_id=retouch(drawn, curator, edited(drawn)).pk)
    out = StringIO()

    call_command("rerender", "small", 1, stdout=out)

    assert drop.artworks.get(pk=drawn.pk).drawn_digest == drawn.image_digest
    assert out.getvalue().startswith(f"{SIZE} works: {SIZE} sample for sample the same")


def test_an_unusual_work_stays_one(drop: Drop, curator: User) -> None:
    work = drop.artworks.curable().filter(explores=True).in_order()[0]

    revising.run_revision(job_id=send_back(work, curator).pk)

    after = drop.artworks.get(pk=work.pk)
    assert after.image_digest != work.image_digest
    assert after.explores


def test_a_curator_who_looked_too_early_is_told(drop: Drop, curator: User) -> None:
    work = shown(drop)
    services.decide(drop=drop, artwork_ids=[work.pk], status=Status.REJECTED, curator=curator)

    with pytest.raises(ChangedMeanwhileError):
        services.send_back(drop=drop, seen={work.pk: 0}, curator=curator)
    with pytest.raises(ChangedMeanwhileError):
        services.ask_retouch(work=work, digest=edited(work), note="corner", seen=0, curator=curator)

    assert not Job.objects.filter(kind__in=services.REVISIONS).exists()
    assert drop.artworks.get(pk=work.pk).status == Status.REJECTED


def test_a_retouched_picture_is_read_and_both_digests_are_kept(drop: Drop, curator: User) -> None:
    work = shown(drop)
    services.decide(drop=drop, artwork_ids=[work.pk], status=Status.ACCEPTED, curator=curator)
    digest = edited(work)

    revising.run_revision(job_id=retouch(work, curator, digest, "  lighter corner ").pk)

    after = drop.artworks.get(pk=work.pk)
    picture = codec.read_stored(after.image_path)
    (reading,), _ = rendering.read_pictures(drop.checkpoint, picture[np.newaxis])
    assert (after.image_digest, after.drawn_digest) == (digest, work.image_digest)
    assert (after.parsed, after.confidence) == (reading.values, reading.confidence)
    assert after.status == Status.PENDING
    entry = after.decisions.newest_first()[0]
    assert (entry.kind, entry.reason, entry.curator) == (Kind.RETOUCHED, "lighter corner", curator)
    assert entry.body["before"]["image_sha256"] == work.image_digest
    assert entry.image_digest == digest


def test_the_drawn_picture_can_be_taken_back(drop: Drop, curator: User) -> None:
    work = shown(drop)
    revising.run_revision(job_id=retouch(work, curator, edited(work)).pk)
    revising.run_revision(job_id=retouch(work, curator, edited(work, levels=90)).pk)
    twice = drop.artworks.get(pk=work.pk)

    revising.run_revision(job_id=retouch(work, curator, twice.drawn_digest).pk)

    after = drop.artworks.get(pk=work.pk)
    assert twice.drawn_digest == work.image_digest
    assert (after.image_digest, after.drawn_digest) == (work.image_digest, "")
    assert after.parsed == work.parsed


@pytest.mark.parametrize("note", ["", "   "])
def test_a_retouch_needs_a_note(drop: Drop, curator: User, note: str) -> None:
    work = shown(drop)

    with pytest.raises(ValueError, match="note"):
        retouch(work, curator, edited(work), note)
    with pytest.raises(ValueError, match="the picture that the work has"):
        retouch(work, curator, work.image_digest)


def test_a_picture_that_another_work_shows_is_refused(drop: Drop, curator: User) -> None:
    work, other = shown(drop), shown(drop, 1)

    job = revising.run_revision(job_id=retouch(work, curator, other.image_digest).pk)

    assert job is not None
    assert job.state == Job.State.FAILED
    assert job.error == "another work of this collection shows this picture"
    assert drop.artworks.get(pk=work.pk).image_digest == work.image_digest
    assert work.pk not in services.pending(drop)


def test_nothing_is_revised_once_the_curation_is_closed(drop: Drop, curator: User) -> None:
    ids = drop.artworks.curable().values_list("pk", flat=True)
    services.decide(drop=drop, artwork_ids=ids, status=Status.ACCEPTED, curator=curator)
    work = shown(drop)
    services.close_curation(drop=drop, lead=curator, overruling="random weights")

    with pytest.raises(WrongStateError):
        send_back(work, curator)
    with pytest.raises(WrongStateError):
        retouch(work, curator, edited(work))


def test_a_planned_work_keeps_its_traits_when_drawn_again(planned: Drop, curator: User) -> None:
    work = shown(planned)

    job = revising.run_revision(job_id=send_back(work, curator).pk)

    after = planned.artworks.get(pk=work.pk)
    assert job is not None
    assert job.error == ""
    assert after.image_digest != work.image_digest
    assert after.parsed == work.parsed == planned.plan.quota.plan[work.index]


def test_a_retouch_cannot_break_a_plan(planned: Drop, curator: User) -> None:
    work = shown(planned)
    picture = codec.read_stored(work.image_path).copy()
    backdrop = (np.abs(picture - picture[0, -1].astype(int)) < 40).all(2)
    picture[backdrop] = (255, 209, 92)  # sun
    digest = codec.store(codec.encode_png(picture), work.image_path.parents[1], ".png")

    job = revising.run_revision(job_id=retouch(work, curator, digest).pk)

    assert job is not None
    assert job.state == Job.State.FAILED
    assert "background" in job.error
    assert "not mint" in job.error
    assert planned.artworks.get(pk=work.pk).image_digest == work.image_digest
