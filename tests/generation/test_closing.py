"""The end of a curation: what is measured, what holds a drop, what the log says of it."""

from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from generation import rendering, services
from generation.imaging.reader import Item
from generation.models import Artwork, Checkpoint, CurationDecision, Drop, ImmutableRowError
from generation.services import (
    HeldError,
    WrongStateError,
    add_looks,
    close_curation,
    create_job,
    decide,
    update_works,
)
from generation.traits.novelty import Looks
from tests.fixtures.networks import SCHEMA, flat_art
from tests.fixtures.works import MakeDrop

CURATING = Drop.State.CURATING
Kind = CurationDecision.Kind


@pytest.fixture
def lead(db: None) -> User:
    return User.objects.create_user("lead", is_staff=True)


def look_at(drop: Drop, spread: float) -> None:
    """Looks of a drop's works: features that point anywhere, or all one way."""
    chance = np.random.default_rng(1)
    n = drop.artworks.count()
    features = 1 + spread * chance.normal(size=(n, 16)).astype(np.float32)
    thumbnails = chance.uniform(0, 255, (n, 12)).astype(np.float32)
    add_looks(
        digests=[work.image_digest for work in drop.artworks.in_order()],
        parser_sha256=drop.checkpoint.parser_sha256,
        looks=Looks(thumbnails, features),
    )


def test_a_varied_drop_closes_and_the_log_says_how_varied(make_drop: MakeDrop, lead: User) -> None:
    drop = make_drop(30, CURATING)
    look_at(drop, spread=100)

    closed = close_curation(drop=drop, lead=lead)

    entry = CurationDecision.objects.get(drop=drop)
    assert (entry.kind, entry.curator) == (Kind.CLOSED, lead)
    assert entry.body["diversity"] == closed.diversity
    assert entry.body["diversity"]["n_works"] == 30
    assert entry.body["floors"]["mean_distance"] == 0.4


def test_works_too_much_alike_hold_the_drop(make_drop: MakeDrop, lead: User) -> None:
    drop = make_drop(30, CURATING)
    look_at(drop, spread=0.01)

    with pytest.raises(
        HeldError, match=r"mean distance .* is under 0\.4, alike 1 is over 0\.25"
    ) as held:
        close_curation(drop=drop, lead=lead)

    drop.refresh_from_db()
    assert drop.curated_at is None
    assert held.value.found.alike == 1
    assert not CurationDecision.objects.exists()


def test_a_lead_overrules_the_guard_with_a_reason_that_is_kept(
    make_drop: MakeDrop, lead: User
) -> None:
    drop = make_drop(30, CURATING)
    look_at(drop, spread=0.01)

    with pytest.raises(HeldError):
        close_curation(drop=drop, lead=lead, overruling="   ")
    closed = close_curation(drop=drop, lead=lead, overruling=" One mood is the point. ")

    assert closed.curated_at is not None
    overruled, end = CurationDecision.objects.in_order()
    assert (overruled.kind, overruled.reason) == (Kind.OVERRULED, "One mood is the point.")
    assert overruled.curator == lead
    assert [one["measure"] for one in overruled.body["shortfalls"]] == ["mean_distance", "alike"]
    assert end.kind == Kind.CLOSED


def test_a_reason_that_is_not_needed_is_not_recorded(make_drop: MakeDrop, lead: User) -> None:
    drop = make_drop(30, CURATING)
    look_at(drop, spread=100)

    close_curation(drop=drop, lead=lead, overruling="just in case")

    assert CurationDecision.objects.get().kind == Kind.CLOSED


def test_only_accepted_works_count(make_drop: MakeDrop, lead: User) -> None:
    drop = make_drop(60, CURATING)
    look_at(drop, spread=100)
    one_way = drop.artworks.filter(index__gte=25)
    one_way.update(parsed=drop.artworks.get(index=0).parsed)
    ids = list(one_way.values_list("pk", flat=True))
    decide(drop=drop, artwork_ids=ids, status=Artwork.Status.REJECTED, curator=lead)

    close_curation(drop=drop, lead=lead)

    drop.refresh_from_db()
    assert drop.diversity is not None
    assert drop.diversity["n_works"] == 25


def test_works_of_earlier_drops_are_compared(make_drop: MakeDrop, lead: User) -> None:
    first, second = make_drop(30, Drop.State.CLOSED), make_drop(30, CURATING)
    look_at(first, spread=100)
    look_at(second, spread=100)  # the same features

    with pytest.raises(HeldError, match="near earlier 1 is over"):
        close_curation(drop=second, lead=lead)


def test_a_work_whose_other_picture_is_on_its_way_keeps_the_curation_open(
    make_drop: MakeDrop, lead: User
) -> None:
    drop = make_drop(3, CURATING)
    create_job(kind="redraw", key="redraw:1:0", total=1, args={"artwork": 1}, drop=drop)

    with pytest.raises(WrongStateError, match="drawn or read again"):
        close_curation(drop=drop, lead=lead)


def test_closing_twice_writes_one_entry(make_drop: MakeDrop, lead: User) -> None:
    drop = make_drop(3, CURATING)

    close_curation(drop=drop, lead=lead)
    close_curation(drop=drop, lead=lead)

    assert CurationDecision.objects.count() == 1


def test_the_log_is_only_appended_to(make_drop: MakeDrop, lead: User) -> None:
    drop = make_drop(1, CURATING)
    close_curation(drop=drop, lead=lead)
    entry = CurationDecision.objects.get()

    entry.reason = "another"
    with pytest.raises(ImmutableRowError):
        entry.save()
    with pytest.raises(ImmutableRowError):
        CurationDecision.objects.update(reason="another")
    with pytest.raises(ImmutableRowError):
        CurationDecision.objects.all().delete()
    with pytest.raises(ImmutableRowError):
        entry.delete()


def test_works_are_compared_with_the_art_that_the_network_learned_from(
    small_checkpoint: Checkpoint, settings: Settings, tmp_path: Path
) -> None:
    settings.DATASET_ROOT, settings.MEDIA_ROOT = tmp_path / "datasets", tmp_path / "media"
    pictures, labels = flat_art(30)
    schema = SCHEMA.to_mapping()
    items = [
        Item(
            f"{n}.png",
            picture,
            {name: schema[name][k] for name, k in zip(schema, row, strict=True)},
            "tests",
            "CC0-1.0",
        )
        for n, (picture, row) in enumerate(zip(pictures, labels.tolist(), strict=True))
    ]
    dataset, _ = services.import_dataset(
        items=items, name="flat", source="tests", licence="CC0-1.0", image_px=16
    )
    Checkpoint.objects.update(recipe={"dataset": dataset.digest})
    collection = services.create_collection(
        slug="small", name="Small", story="", checkpoint=Checkpoint.objects.get()
    )
    drop = services.open_drop(
        collection=collection, parameter_set=collection.parameter_sets.get(), size=40
    )
    for job in services.start_rendering(drop=drop):
        rendering.run_chunk(job_id=job.pk)

    rendering.finish_drop(drop=Drop.objects.get(pk=drop.pk))

    drop.refresh_from_db()
    assert drop.diversity is not None
    art = services.art_features(collection.checkpoint)
    assert art is not None
    assert len(art) == len(dataset.items())
    (_, looks) = rendering.read_pictures(collection.checkpoint, services.load_dataset(dataset)[0])
    assert np.allclose(art, looks.features, rtol=1e-2, atol=1e-3)
    assert drop.diversity["near_dataset"] is not None
    assert services.load_dataset(dataset, at_most=7)[0].shape[0] == 7


def test_only_the_named_fields_of_a_work_are_written(make_drop: MakeDrop) -> None:
    drop = make_drop(2, CURATING)
    seen = list(drop.artworks.in_order())
    drop.artworks.update(status=Artwork.Status.REJECTED)
    seen[0].token_id, seen[0].confidence = 7, 0.5

    update_works(seen[:1], ["token_id"])

    now = drop.artworks.in_order().values_list("pk", "token_id", "confidence", "status")
    assert list(now) == [
        (seen[0].pk, 7, 1.0, Artwork.Status.REJECTED),
        (seen[1].pk, None, 1.0, Artwork.Status.REJECTED),
    ]
