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
from generation.gan.header import read_header, read_report, sha256_file
from generation.gan.latent import ItemSpec
from generation.gan.render import render
from generation.models import Checkpoint
from generation.services import register_shipped_checkpoint
from generation.shipped import SHIPPED, Shipped
from generation.traits.parameters import uniform
from generation.traits.parser import load_parser, parse

N = 512


Drawn = tuple[Shipped, Generator, list[ItemSpec], NDArray[np.uint8]]


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda one: one.name)
def drawn(request: pytest.FixtureRequest) -> Drawn:
    generator = load_generator(request.param.generator)
    parameters = uniform(generator.config.schema.to_mapping())
    specs = [latent.item_spec(bytes(32), index, parameters) for index in range(N)]
    return request.param, generator, specs, render(generator, specs, parameters)


@pytest.fixture
def shipped(db: None) -> Checkpoint:
    return register_shipped_checkpoint()


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda one: one.name)
def test_the_shipped_files_stay_within_16_megabytes(shipped: Shipped) -> None:
    for path in (shipped.generator, shipped.parser):
        assert path.stat().st_size <= 16_000_000


def test_works_show_what_was_asked_for(drawn: Drawn) -> None:
    """Bounds below what 10,000 works gave, as few works are drawn here."""
    shipped, generator, specs, pictures = drawn
    read = parse(load_parser(shipped.parser), pictures)

    found = metrics.agreement(
        [spec.requested for spec in specs],
        [parsed.values for parsed in read],
        generator.config.schema.attributes,
    )

    for attribute, measured in shipped.card["measured"]["agreement"].items():
        assert found[attribute] >= measured - 0.08, attribute


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda one: one.name)
def test_a_card_is_of_the_files_beside_it_and_meets_the_goals(shipped: Shipped) -> None:
    measured = shipped.card["measured"]
    recipe = read_header(shipped.generator).recipe

    assert measured["parser_sha256"] == sha256_file(shipped.parser)
    assert measured["dataset"] == recipe["dataset"]
    assert measured["n"] == 10_000
    assert measured["absent"] == {}
    assert measured["fidelity"]["precision"] >= 0.8
    assert measured["fidelity"]["coverage"] >= 0.8
    assert recipe["n_images"] >= 300_000


def test_no_two_pictures_are_the_same(drawn: Drawn) -> None:
    assert len({picture.tobytes() for picture in drawn[3]}) == N


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda one: one.name)
def test_the_parser_was_measured_on_art_that_it_had_not_seen(shipped: Shipped) -> None:
    report = read_report(shipped.parser)

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
