import csv
import json
import signal
import time
from pathlib import Path

import pytest
import torch
from django.core.management import CommandError, call_command
from PIL import Image
from safetensors.torch import load_file

from generation.imaging import codec
from generation.models import Dataset
from generation.services import load_dataset
from tests.fixtures.commands import done, manage
from tests.fixtures.networks import flat_art

COLOURS, GLASSES = ("sand", "sky", "rose"), ("none", "glasses")


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """A folder of 48 labelled pictures and one broken one."""
    folder = tmp_path / "art"
    folder.mkdir()
    pictures, labels = flat_art(48)
    with (folder / "attributes.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "background", "accessory"])
        for i, (picture, (colour, glasses)) in enumerate(zip(pictures, labels, strict=True)):
            (folder / f"{i}.png").write_bytes(codec.encode_png(picture))
            table.writerow([f"{i}.png", COLOURS[colour], GLASSES[glasses]])
        table.writerow(["broken.png", "sand", "none"])
    (folder / "broken.png").write_bytes(b"no picture")
    about = {
        "name": "flat",
        "source": "tests",
        "licence": "CC0-1.0",
        "image_px": 16,
        "attributes": {"background": COLOURS, "accessory": GLASSES},
    }
    (folder / "dataset.json").write_text(json.dumps(about))
    return folder


@pytest.mark.django_db
def test_an_import_keeps_digest_attributes_source_and_licence_of_each_item(
    art: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_dataset", art)

    said = capsys.readouterr()
    dataset = Dataset.objects.get()
    manifest = json.loads(dataset.manifest_path.read_text())
    first = manifest["items"][0]
    assert "48 taken, 1 refused" in said.out
    assert "refused broken.png: not a PNG" in said.err
    assert codec.digest(dataset.manifest_path.read_bytes()) == dataset.digest
    assert dataset.schema == {"background": list(COLOURS), "accessory": list(GLASSES)}
    assert (first["source"], first["licence"]) == ("tests", "CC0-1.0")
    assert codec.digest(dataset.item_path(first["digest"]).read_bytes()) == first["digest"]


@pytest.mark.django_db
def test_the_same_import_again_is_the_same_dataset(art: Path) -> None:
    call_command("import_dataset", art)

    call_command("import_dataset", art)

    assert Dataset.objects.count() == 1


@pytest.mark.django_db
def test_an_import_without_a_licence_is_refused(art: Path) -> None:
    (art / "dataset.json").unlink()

    with pytest.raises(CommandError, match="licence"):
        call_command("import_dataset", art, name="flat", source="us", image_px=16)


def test_a_killed_training_run_goes_on_where_it_was_and_ends_the_same(
    art: Path, tmp_path: Path
) -> None:
    wanted = ("--kimg", "1", "--interval-kimg", "0.2", "--batch", "20")
    weights = []
    for name in ("whole", "killed"):
        folder = tmp_path / name
        done(folder, "migrate", "-v0")
        digest = done(folder, "import_dataset", str(art)).split()[-1]
        if name == "killed":
            process = manage(folder, "train", digest, *wanted)
            while not list(folder.glob("training/*/samples.png")):
                time.sleep(0.05)
                assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.communicate()
            said = done(folder, "train", digest, *wanted, "--resume")
        else:
            said = done(folder, "train", digest, *wanted)
        assert "v1, 48 pictures" in said
        assert "1 of 1 kimg" in said
        assert "kimg/s" in said
        weights.append(load_file(next(folder.glob("training/*/generator.safetensors"))))
    first, second = weights
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    """Three grounds and three heads, one of them rare."""
    folder = tmp_path / "layers"
    grounds = {"sand": (241, 223, 195), "sky": (169, 214, 245), "rose": (246, 184, 196)}
    for name, colour in grounds.items():
        (folder / "background").mkdir(parents=True, exist_ok=True)
        Image.new("RGBA", (32, 32), (*colour, 255)).save(folder / "background" / f"{name}.png")
    (folder / "head").mkdir()
    for k, name in enumerate(("bald#10", "long#10", "crown")):
        head = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
        head.paste((80 * k, 10, 10, 255), (8, 8, 24, 24))
        head.save(folder / "head" / f"{name}.png")
    about = {"name": "heads", "source": "tests", "licence": "CC0-1.0"}
    (folder / "layers.json").write_text(json.dumps(about))
    return folder


@pytest.mark.django_db
def test_layers_become_a_dataset_with_exact_labels_and_its_shares_are_said(
    layers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("compose_art", layers, count=9, image_px=16)

    said = capsys.readouterr().out
    dataset = Dataset.objects.get()
    pictures, labels = load_dataset(dataset)
    assert said.splitlines()[-1] == f"9 composed: dataset {dataset.digest}"
    assert "head: bald 33.3%, crown 33.3%, long 33.3%" in said
    assert dataset.schema == {
        "background": ["rose", "sand", "sky"], "head": ["bald", "crown", "long"]
    }  # fmt: skip
    reds = {"bald": 0, "long": 80, "crown": 160}
    for picture, (_, head) in zip(pictures, labels, strict=True):
        assert picture[8, 8, 0] == reds[dataset.schema["head"][head]]


@pytest.mark.django_db
def test_composing_again_is_the_same_dataset_and_another_seed_another(layers: Path) -> None:
    for seed in ("1", "1", "2"):
        call_command("compose_art", layers, count=5, image_px=16, seed=seed)

    assert Dataset.objects.count() == 2


@pytest.mark.django_db
def test_more_pictures_than_the_layers_allow_leave_no_dataset(layers: Path) -> None:
    with pytest.raises(CommandError, match="after 9"):
        call_command("compose_art", layers, count=10, image_px=16)

    assert not Dataset.objects.exists()


@pytest.mark.django_db
def test_pictures_without_labels_become_an_unlabelled_dataset(art: Path) -> None:
    (art / "attributes.csv").unlink()
    (art / "dataset.json").unlink()

    call_command("import_dataset", art, name="plain", source="us", licence="CC0-1.0", image_px=16)

    dataset = Dataset.objects.get()
    assert (dataset.schema, dataset.n_items, dataset.n_refused) == ({}, 48, 1)


@pytest.mark.django_db
def test_a_parser_needs_labels_to_learn_from(art: Path, tmp_path: Path) -> None:
    (art / "attributes.csv").unlink()
    (art / "dataset.json").unlink()
    call_command("import_dataset", art, name="plain", source="us", licence="CC0-1.0", image_px=16)

    with pytest.raises(CommandError, match="not labelled"):
        call_command("train_parser", Dataset.objects.get().digest, out=tmp_path / "parser")
