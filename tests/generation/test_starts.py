"""Runs that go on from a checkpoint: which fit, and whose terms their weights are under."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from django.core.management import CommandError, call_command
from django.utils import timezone
from safetensors.torch import load_file

from generation import services, training
from generation.gan.checkpoint import make_generator, save_generator
from generation.gan.config import AttributeSchema, BigGanDeepConfig, GeneratorConfig
from generation.gan.header import sha256_file
from generation.gan.presets import ARCHITECTURES, TrainConfig, plain, settings_of
from generation.gan.schedule import StyleGAN3Config
from generation.models import Checkpoint, Dataset, Job
from generation.services.runs import misfit
from tests.fixtures.networks import SCHEMA, SMALL
from tests.generation.test_commands import art
from tests.generation.test_run_scores import own_folder

__all__ = ["art", "own_folder"]
pytestmark = pytest.mark.django_db
TINY3 = StyleGAN3Config(
    SCHEMA, 16, z_dim=8, w_dim=8, channel_base=128, channel_max=8, n_layers=4, margin=2
)
DEEP = BigGanDeepConfig(SCHEMA, (16, 16, 12, 8), z_dim=8, embed_dim=8)
TRAIN = TrainConfig(kimg=1, batch=8, game="hinge", interval_kimg=0.04, warm_kimg=1)
NC = "CC-BY-NC-4.0"


@pytest.fixture
def dataset(art: Path) -> Dataset:
    call_command("import_dataset", art)
    return Dataset.objects.get()


def imported(
    folder: Path, dataset: Dataset, licence: str = NC, config: GeneratorConfig = SMALL
) -> Checkpoint:
    """A generator of the dataset's attributes, as somebody else's."""
    config = replace(config, schema=dataset.attributes())  # type: ignore[type-var]
    torch.manual_seed(5)
    path = folder / "theirs.safetensors"
    save_generator(path, make_generator(config), {"trained": "elsewhere"})
    return services.register_checkpoint(
        name="theirs", path=path, parser_path=None, source="somebody's run", licence=licence
    )


def going_on(dataset: Dataset, start: Checkpoint, seed: int = 1) -> Checkpoint:
    """What one interval makes of a checkpoint."""
    path = Path(start.path)
    architecture, network = services.start_settings(path)
    job = services.request_run(
        dataset=dataset,
        architecture=architecture,
        network=network,
        train=replace(TRAIN, seed=seed),
        start=str(path),
    )
    leased = services.lease_job(pk=job.pk, now=timezone.now(), lease=training.LEASE)
    assert leased is not None
    next(training.run(job=leased))
    return services.keep_run(job=leased, name="ours")


@pytest.mark.parametrize(
    "config", [SMALL, TINY3, replace(TINY3, kernel=1, radial=True), DEEP], ids=str
)
def test_settings_make_the_same_network_again(config: GeneratorConfig) -> None:
    architecture, network = settings_of(config)

    again = ARCHITECTURES[architecture](config.schema, config.img_resolution, **network)

    assert plain(again) == plain(config)


def test_terms_of_a_non_commercial_checkpoint_stay_with_what_is_made_from_it(
    dataset: Dataset, tmp_path: Path
) -> None:
    theirs = imported(tmp_path, dataset)

    ours = going_on(dataset, theirs)

    assert ours.licence == f"CC0-1.0 AND {NC}"
    assert ours.source == f"{dataset.source}; started from somebody's run"
    assert ours.recipe["started_from"] == theirs.sha256
    assert not services.is_saleable(ours)
    second = going_on(dataset, ours, seed=2)
    assert second.licence == f"CC0-1.0 AND {NC}"
    assert [one["sha256"] for one in second.recipe["chain"]] == [ours.sha256, theirs.sha256]
    assert not services.is_saleable(second)


def test_a_file_that_says_more_than_its_row_is_believed(dataset: Dataset, tmp_path: Path) -> None:
    ours = going_on(dataset, imported(tmp_path, dataset))
    Checkpoint.objects.filter(pk=ours.pk).update(licence="MIT")

    second = going_on(dataset, ours, seed=2)

    assert second.licence == f"CC0-1.0 AND MIT AND {NC}"


def test_a_start_without_a_row_or_a_word_of_its_terms_cannot_be_sold(
    dataset: Dataset, tmp_path: Path
) -> None:
    theirs = imported(tmp_path, dataset)
    theirs.delete()

    found = services.lineage(source="us", licence="CC0-1.0", start=Path(theirs.path))

    assert found["licence"] == "CC0-1.0 AND NOASSERTION"
    assert not services.allows_sale(found["licence"])


def test_the_generator_taken_over_is_the_one_that_goes_on(dataset: Dataset, tmp_path: Path) -> None:
    theirs = imported(tmp_path, dataset)

    going_on(dataset, theirs)  # the critic alone: the generator must be theirs still

    state = load_file(services.run_folder(Job.objects.get()) / "state.safetensors")
    kept = load_file(theirs.path)
    assert torch.equal(state["g.to_rgb.weight"], kept["to_rgb.weight"])


@pytest.mark.parametrize(
    ("licence", "may"),
    [
        ("CC0-1.0 AND CC-BY-4.0", True),
        ("MIT  AND  CC0-1.0 AND BSD-3-Clause", True),
        ("CC0-1.0 AND CC-BY-NC-4.0", False),
        ("CC-BY-NC-4.0 AND CC0-1.0", False),
        ("CC0-1.0 AND NOASSERTION", False),
        ("CC0-1.0 AND ", False),
        ("(MIT OR CC-BY-NC-4.0) AND CC0-1.0", False),
        ("CC0-1.0 OR CC-BY-NC-4.0 AND CC0-1.0", False),
    ],
)
def test_of_licences_joined_by_and_each_has_to_allow_sale(licence: str, may: bool) -> None:
    assert services.allows_sale(licence) is may


@pytest.mark.parametrize(
    ("licences", "joined"),
    [
        (("CC0-1.0",), "CC0-1.0"),
        (("CC0-1.0", "CC0-1.0"), "CC0-1.0"),
        (("CC0-1.0", "MIT AND CC0-1.0"), "CC0-1.0 AND MIT"),
        (("CC0-1.0", "MIT OR ISC"), "CC0-1.0 AND (MIT OR ISC)"),
        (("CC0-1.0", " "), "CC0-1.0 AND NOASSERTION"),
    ],
)
def test_each_of_the_joined_licences_is_said_once(licences: tuple[str, ...], joined: str) -> None:
    assert services.joined_licence(*licences) == joined


def test_terms_too_long_for_the_row_are_refused_not_cut_off() -> None:
    with pytest.raises(ValueError, match="too long to record"):
        services.joined_licence("CC0-1.0", "x" * 95)


@pytest.mark.parametrize(
    ("config", "px", "reason"),
    [
        (SMALL, 16, ""),
        (TINY3, 16, ""),
        (DEEP, 32, ""),
        (SMALL, 32, "it draws 16 px, the art has 32"),
        (replace(SMALL, schema=AttributeSchema(())), 16, "not the art's: accessory, background"),
    ],
)
def test_what_does_not_fit_is_told_why(config: GeneratorConfig, px: int, reason: str) -> None:
    found = misfit(config, SCHEMA.to_mapping(), px)

    assert (reason in found) if reason else not found


def test_the_command_takes_network_and_terms_from_the_checkpoint(
    dataset: Dataset, tmp_path: Path
) -> None:
    theirs = imported(tmp_path, dataset, config=TINY3)

    call_command("train", dataset.digest, start=Path(theirs.path), kimg=1, interval_kimg=1.0)

    job = Job.objects.get()
    assert (job.state, job.args["architecture"]) == (Job.State.DONE, "stylegan3")
    assert sha256_file(Path(job.args["start"])) == theirs.sha256


def test_the_command_refuses_a_checkpoint_of_other_attributes(
    dataset: Dataset, small_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    path = tmp_path / "other.safetensors"
    save_generator(path, make_generator(replace(SMALL, schema=AttributeSchema(()))), {})

    with pytest.raises(CommandError, match="attributes are not the art's"):
        call_command("train", dataset.digest, start=path)
