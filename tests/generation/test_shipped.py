"""The checkpoint and the parser that are committed, measured."""

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray

from generation import rendering, services
from generation.gan import latent, metrics
from generation.gan.checkpoint import load_generator
from generation.gan.generator import Generator
from generation.gan.header import read_report
from generation.gan.latent import ItemSpec
from generation.gan.render import render
from generation.models import Checkpoint
from generation.services import register_shipped_checkpoint
from generation.traits.parameters import uniform
from generation.traits.parser import load_parser, parse

N = 512


@pytest.fixture(scope="module")
def drawn() -> tuple[Generator, list[ItemSpec], NDArray[np.uint8]]:
    generator = load_generator(settings.SHIPPED_CHECKPOINT)
    parameters = uniform(generator.config.schema.to_mapping())
    specs = [latent.item_spec(bytes(32), index, parameters) for index in range(N)]
    return generator, specs, render(generator, specs, parameters)


@pytest.fixture
def shipped(db: None) -> Checkpoint:
    return register_shipped_checkpoint()


def test_the_shipped_files_stay_within_16_megabytes() -> None:
    for path in (settings.SHIPPED_CHECKPOINT, settings.SHIPPED_PARSER):
        assert path.stat().st_size <= 16_000_000


def test_works_show_what_was_asked_for(
    drawn: tuple[Generator, list[ItemSpec], NDArray[np.uint8]],
) -> None:
    """Bounds below what 5,000 works gave, as few works are drawn here."""
    generator, specs, pictures = drawn
    read = parse(load_parser(settings.SHIPPED_PARSER), pictures)

    found = metrics.agreement(
        [spec.requested for spec in specs],
        [parsed.values for parsed in read],
        generator.config.schema.attributes,
    )

    for attribute in ("background", "skin", "clothing"):
        assert found[attribute] >= 0.95
    for attribute in ("head", "facial_hair", "accessory", "expression"):
        assert found[attribute] >= 0.8


def test_no_two_pictures_are_the_same(
    drawn: tuple[Generator, list[ItemSpec], NDArray[np.uint8]],
) -> None:
    assert len({picture.tobytes() for picture in drawn[2]}) == N


def test_the_parser_was_measured_on_art_that_it_had_not_seen() -> None:
    report = read_report(settings.SHIPPED_PARSER)

    accuracy = report["held_out_accuracy"]
    assert isinstance(accuracy, dict)
    assert min(accuracy.values()) >= 0.9
    assert report["n_held_out"] == 1600


def test_traits_follow_the_picture_and_not_the_request(
    shipped: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path)
    collection = services.create_collection(slug="p", name="P", story="", checkpoint=shipped)
    drop = services.open_drop(
        collection=collection, parameter_set=collection.parameter_sets.get(), size=8, seed="07" * 32
    )
    (job,) = services.start_rendering(drop=drop)
    asked = rendering._asked(job)
    honest, _ = rendering.draw_works(drop, asked)
    monkeypatch.setattr(rendering, "render", lambda *args: render(*args)[::-1].copy())

    swapped, _ = rendering.draw_works(drop, asked)

    assert [work.requested for work in swapped] == [work.requested for work in honest]
    assert [work.parsed for work in swapped] == [work.parsed for work in honest[::-1]]
    assert honest[0].parsed != honest[7].parsed
