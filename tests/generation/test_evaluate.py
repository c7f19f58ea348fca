import json
from pathlib import Path

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from generation import evaluation, services
from generation.gan.header import sha256_file
from generation.imaging.reader import Item
from generation.models import Dataset
from generation.services import import_dataset
from generation.shipped import PORTRAITS
from tests.generation.gan.test_inception import random_weights


@pytest.fixture
def own_pictures(db: None) -> Dataset:
    """A dataset that holds what the shipped generator draws, so that nothing is left to miss."""
    drawn = list(evaluation.draw(PORTRAITS.generator, 64, 1.0))
    items = [
        Item(f"{i}.png", picture, asked, "tests", "CC0-1.0")
        for i, (asked, picture) in enumerate(drawn)
    ]
    dataset, _ = import_dataset(
        name="own", items=items, source="tests", licence="CC0-1.0", image_px=64
    )
    return dataset


def test_a_generator_measured_against_its_own_pictures_scores_full_marks(
    own_pictures: Dataset, tmp_path: Path
) -> None:
    call_command(
        "evaluate", samples=64, dataset=own_pictures.digest, json=tmp_path / "figures.json"
    )

    figures = json.loads((tmp_path / "figures.json").read_text())
    scores = figures["fidelity"]
    assert scores["precision"] == scores["recall"] == scores["coverage"] == 1
    assert figures["n_different"] == 64
    assert figures["nearest"] is None


def test_copies_of_the_art_are_nearer_to_it_than_the_art_is(db: None) -> None:
    drawn = list(evaluation.draw(PORTRAITS.generator, 64, 1.0))
    items = [
        Item(f"{i}.png", picture, asked, "tests", "CC0-1.0")
        for i, (asked, picture) in enumerate(drawn)
    ]
    dataset, _ = import_dataset(
        name="twice", items=items, source="tests", licence="CC0-1.0", image_px=64
    )

    found = evaluation.evaluate(
        requested=[asked for asked, _ in drawn[:32]],
        pictures=np.stack([picture for _, picture in drawn[:32]]),
        parser_path=PORTRAITS.parser,
        dataset=dataset,
    )

    assert found.nearest is not None
    assert found.nearest < 0.9


def test_the_report_sets_agreement_beside_the_parsers_own_accuracy(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("evaluate", samples=96)

    said = capsys.readouterr().out
    row = next(line.split() for line in said.splitlines() if line.startswith("background"))
    assert [float(number) for number in row[1:]] == [1.0, 1.0]
    assert "KID and its kin need the dataset" in said
    assert "FID" not in said


def test_figures_of_a_known_checkpoint_stand_in_its_row(db: None) -> None:
    row = services.register_shipped_checkpoint()

    call_command("evaluate", row.sha256[:12], samples=50)

    assert row.measured["n"] != 50
    row.refresh_from_db()
    assert row.measured["n"] == 50
    assert row.measured["agreement"]["background"] == 1
    assert row.measured["parser_sha256"] == row.parser_sha256


def test_pictures_that_do_not_show_what_was_asked_for_lower_the_agreement(db: None) -> None:
    asked, pictures = zip(*evaluation.draw(PORTRAITS.generator, 64, 1.0), strict=True)
    shifted = [*asked[1:], asked[0]]

    found = evaluation.evaluate(
        requested=shifted,
        pictures=np.stack(pictures),
        parser_path=PORTRAITS.parser,
        dataset=None,
    )

    assert found.agreement["background"] < 0.5


def test_fid_is_said_with_the_network_s_file_and_never_without(
    own_pictures: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "inception.pth"
    torch.save(random_weights(), path)
    wanted = {"samples": 64, "dataset": own_pictures.digest, "json": tmp_path / "figures.json"}

    call_command("evaluate", **wanted, inception=path)

    said = capsys.readouterr().out
    assert f"FID {0:.2f}, 64 pictures against 64 of the art" in said.replace("-0.00", "0.00")
    assert sha256_file(path)[:16] in said
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["fid"] == pytest.approx(0, abs=1e-3)  # a set and itself, in another order


def test_other_weights_are_refused_before_anything_is_drawn(
    own_pictures: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"fc.weight": torch.zeros(1000, 2048)}, tmp_path / "other.pth")
    monkeypatch.setattr(evaluation, "draw", None)

    with pytest.raises(CommandError, match="not the FID network"):
        call_command("evaluate", dataset=own_pictures.digest, inception=tmp_path / "other.pth")


def test_fid_without_art_is_refused(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="needs the dataset"):
        call_command("evaluate", inception=tmp_path / "any.pth")


def test_a_checkpoint_that_is_not_there_is_named(db: None) -> None:
    with pytest.raises(CommandError, match="no checkpoint 00ff"):
        call_command("evaluate", "00ff")
