"""Directions found, measured, saved and drawn from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from generation import refinement, rendering, services
from generation.models import Checkpoint, Direction, ParameterSet
from generation.refinement import UnreadableError
from generation.traits.effect import Effect
from tests.fixtures.networks import SMALL

EFFECT = Effect(
    (-1.0, 0.0, 1.0),
    4,
    {"accessory": {"none": (1.0, 0.5, 0.25), "glasses": (0.0, 0.5, 0.75)}},
    {"accessory": {"none": -1.0, "glasses": 1.0}},
    {"accessory": (0.5, 0.0, 0.25)},
)


def wish(checkpoint: Checkpoint, **changes: Any) -> dict[str, Any]:
    vector = np.zeros(SMALL.w_dim, np.float32)
    vector[[3, 12]] = 0.6, 0.8
    return {
        "checkpoint": checkpoint,
        "name": "glasses",
        "method": "linear",
        "vector": vector,
        "scale": 1.25,
        "effect": EFFECT,
        "attribute": "accessory",
        "value": "glasses",
    } | changes


def test_a_direction_comes_back_as_it_was_saved(small_checkpoint: Checkpoint) -> None:
    services.save_direction(**wish(small_checkpoint))

    row = services.known_directions(small_checkpoint).get()
    assert row.step.tobytes() == (np.float32(1.25) * wish(small_checkpoint)["vector"]).tobytes()
    assert row.effect == EFFECT
    assert row.created_by is None


def test_saving_twice_leaves_one_row(small_checkpoint: Checkpoint) -> None:
    first = services.save_direction(**wish(small_checkpoint))

    assert services.save_direction(**wish(small_checkpoint)) == first
    assert Direction.objects.count() == 1


@pytest.mark.parametrize("change", ["vector", "scale"])
def test_a_name_holds_one_direction(small_checkpoint: Checkpoint, change: str) -> None:
    services.save_direction(**wish(small_checkpoint))
    other = {"vector": np.eye(SMALL.w_dim, dtype=np.float32)[0], "scale": 2.0}[change]

    with pytest.raises(services.DirectionNameTakenError, match="glasses"):
        services.save_direction(**wish(small_checkpoint, **{change: other}))

    assert Direction.objects.get().scale == 1.25


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "two words"}, "letters, digits"),
        ({"name": ""}, "letters, digits"),
        ({"name": "x" * 161}, "160 at most"),
        ({"name": "sefa-2"}, "has of itself"),
        ({"method": "guess"}, "is not one of"),
        ({"vector": np.ones(3, np.float32)}, "is not 16 finite"),
        ({"vector": np.full(SMALL.w_dim, np.nan, np.float32)}, "is not 16 finite"),
        ({"vector": np.ones(SMALL.w_dim, np.float32)}, "length 4"),
        ({"scale": 0.0}, "not above 0"),
        ({"scale": float("inf")}, "not above 0"),
        ({"value": "monocle"}, "accessory=monocle"),
    ],
)
def test_what_cannot_be_a_direction_is_refused(
    small_checkpoint: Checkpoint, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        services.save_direction(**wish(small_checkpoint, **changes))

    assert not Direction.objects.exists()


def test_a_drop_draws_with_the_direction_that_its_parameters_name(
    small_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path)
    services.save_direction(**wish(small_checkpoint, scale=40.0))
    wishes: list[dict[str, float]] = [{}, {"glasses": 0.0}, {"glasses": 3.0}]

    drawn = [_digests(small_checkpoint, f"c{i}", wished) for i, wished in enumerate(wishes)]

    assert drawn[0] == drawn[1] != drawn[2]


def _digests(checkpoint: Checkpoint, slug: str, directions: dict[str, float]) -> list[str]:
    collection = services.create_collection(slug=slug, name=slug, story="", checkpoint=checkpoint)
    first = collection.parameter_sets.get()
    wished = services.create_parameter_set(
        parent=first,
        parameters=replace(first.parameters, directions=directions),
        source=ParameterSet.Source.LEAD,
        reason="tests",
    )
    drop = services.open_drop(collection=collection, parameter_set=wished, size=4, seed="07" * 32)
    (job,) = services.start_rendering(drop=drop)
    rendering.run_chunk(job_id=job.pk)
    return [work.image_digest for work in drop.artworks.in_order()]


@pytest.fixture
def shipped(db: None) -> Checkpoint:
    return services.register_shipped_checkpoint()


def test_five_attributes_of_the_shipped_checkpoint_follow_a_direction(shipped: Checkpoint) -> None:
    *_, works = refinement.sample(shipped, 384)

    found = list(refinement.find_directions(works, methods=["linear"], values_each=1, n_effect=32))

    followed = [item.axis.attribute for item in found if item.own is not None and item.own >= 0.9]
    assert len(followed) >= 5
    assert len(found) == 7


def test_the_same_seed_gives_the_same_directions(small_checkpoint: Checkpoint) -> None:
    pairs = []
    for seed in (4, 4, 5):
        *_, works = refinement.sample(small_checkpoint, 64, seed)
        pairs.append(next(iter(refinement.find_directions(works, n_effect=8, methods=["pca"]))))

    assert pairs[0].axis.vector.tobytes() == pairs[1].axis.vector.tobytes()
    assert pairs[0].effect == pairs[1].effect
    assert pairs[0].axis.vector.tobytes() != pairs[2].axis.vector.tobytes()


def test_a_checkpoint_without_a_parser_cannot_be_refined(small_checkpoint: Checkpoint) -> None:
    small_checkpoint.parser_path = ""

    with pytest.raises(UnreadableError, match="no parser"):
        next(refinement.sample(small_checkpoint, 64))


def test_the_command_prints_and_saves_what_it_found_once(
    small_checkpoint: Checkpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        call_command(
            "directions",
            small_checkpoint.sha256[:12],
            n=64,
            effect=4,
            save=True,
            methods=["sefa", "pca"],
        )

    names = [row.name for row in services.known_directions(small_checkpoint)]
    assert names == [f"{method}-{k}" for method in ("pca", "sefa") for k in (1, 2, 3, 4)]
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()[1:9]] == [
        f"{method}-{k}" for method in ("sefa", "pca") for k in (1, 2, 3, 4)
    ]
    assert "not saved" not in err


def test_other_directions_are_not_saved_over_those_that_are_there(
    small_checkpoint: Checkpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (0, 1):
        call_command(
            "directions",
            small_checkpoint.sha256,
            n=64,
            effect=4,
            save=True,
            methods=["pca"],
            seed=seed,
        )

    assert capsys.readouterr().err.count("not saved") == 4
    assert Direction.objects.count() == 4


def test_an_unknown_checkpoint_is_named_by_the_command(db: None) -> None:
    with pytest.raises(CommandError, match="no checkpoint 00ff"):
        call_command("directions", "00ff")
