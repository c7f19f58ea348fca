import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from generation.imaging import compose
from generation.imaging.codec import ImageRefusedError
from generation.imaging.reader import DatasetError, Source

SIDE = 8
COLOURS = {"sand#3": (240, 220, 190, 255), "sky": (170, 210, 250, 255)}


def layer(path: Path, fill: tuple[int, int, int, int], box: tuple[int, int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    image.paste(fill, box)
    image.save(path)


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """Two grounds, three heads on the left half, one hat that is worn by every second."""
    folder = tmp_path / "art"
    for name, colour in COLOURS.items():
        layer(folder / "background" / f"{name}.png", colour, (0, 0, SIDE, SIDE))
    for k, name in enumerate(("bald", "long", "bun")):
        layer(folder / "head" / f"{name}.png", (60 * k, 20, 20, 255), (0, 0, 4, SIDE))
    layer(folder / "accessory" / "hat.png", (0, 0, 255, 255), (0, 0, 2, 2))
    say(folder)
    return folder


def say(folder: Path, **said: Any) -> None:
    known = {"order": ["background", "head", "accessory"], "chances": {"accessory": 0.5}}
    (folder / "layers.json").write_text(json.dumps(known | said))


def plan(folder: Path, count: int, seed: str = "1") -> list[dict[str, str]]:
    return list(compose.plan(compose.read_layers(Source(folder)), count, seed))


def test_layers_are_stacked_in_their_order_and_labelled_exactly(art: Path) -> None:
    made = list(
        compose.items(
            Source(art), count=12, seed="1", image_px=SIDE, origin="us", licence="CC0-1.0"
        )
    )

    heads = {"bald": 0, "long": 60, "bun": 120}
    assert len(made) == 12
    for item in made:
        ground = COLOURS.get(item.labels["background"], COLOURS["sand#3"])
        corner = (0, 0, 255) if item.labels["accessory"] == "hat" else None
        assert item.picture[7, 7].tolist() == list(ground[:3])
        assert item.picture[7, 0, 0] == heads[item.labels["head"]]
        assert (item.picture[0, 0].tolist() == list(corner or ())) == (corner is not None)


def test_a_longer_run_extends_a_shorter_one_without_repeats(art: Path) -> None:
    short, long = plan(art, 6), plan(art, 12)

    assert long[:6] == short
    assert len({tuple(chosen.items()) for chosen in long}) == 12
    assert plan(art, 6, seed="2") != short


def test_weights_and_chances_decide_how_often(art: Path) -> None:
    read = compose.read_layers(Source(art))
    drawn = [compose._draw(read, f"x/{i}") for i in range(4_000)]

    counts = Counter(chosen["background"] for chosen in drawn)
    hats = Counter(chosen["accessory"] for chosen in drawn)
    assert counts["sand"] / 4_000 == pytest.approx(0.75, abs=0.03)
    assert hats["hat"] / 4_000 == pytest.approx(0.5, abs=0.03)


def test_rules_are_kept(art: Path) -> None:
    say(
        art,
        rules=[
            {"if": ["head", "bald"], "include": {"accessory": ["hat"]}},
            {"if": ["head", "bun"], "exclude": {"accessory": ["hat"], "background": ["sky"]}},
        ],
    )

    made = plan(art, 7)

    assert {c["accessory"] for c in made if c["head"] == "bald"} == {"hat"}
    assert {(c["accessory"], c["background"]) for c in made if c["head"] == "bun"} == {
        ("none", "sand")
    }


def test_more_pictures_than_there_are_is_said_not_repeated(art: Path) -> None:
    with pytest.raises(DatasetError, match="after 12"):
        plan(art, 13)


def test_a_category_with_one_value_is_drawn_but_is_no_attribute(art: Path) -> None:
    for name in ("long", "bun"):
        (art / "head" / f"{name}.png").unlink()

    read = compose.read_layers(Source(art))

    assert list(read.schema) == ["background", "accessory"]
    assert next(compose.plan(read, 1, "1"))["head"] == "bald"


def test_larger_layers_are_scaled_without_a_dark_rim(tmp_path: Path) -> None:
    (tmp_path / "ground").mkdir()
    Image.new("RGBA", (30, 30), (255, 255, 255, 255)).save(tmp_path / "ground" / "white.png")
    (tmp_path / "top").mkdir()
    disc = Image.new("RGBA", (30, 30), (0, 0, 0, 0))
    disc.paste((255, 0, 0, 255), (7, 7, 23, 23))
    disc.save(tmp_path / "top" / "disc.png")
    source = Source(tmp_path)
    composer = compose.Composer(compose.read_layers(source), source, 16)

    picture = composer.picture({"ground": "white", "top": "disc"})

    assert picture.shape == (16, 16, 3)
    assert picture[8, 8].tolist() == [255, 0, 0]
    assert picture[..., 0].min() >= 250  # between red and white nothing is dark


BROKEN = {
    "order": ({"order": ["head"]}, "order must name"),
    "chance": ({"chances": {"accessory": 0}}, "chance of accessory"),
    "verb": ({"rules": [{"if": ["head", "bald"], "unless": {}}]}, "neither include"),
    "value": ({"rules": [{"if": ["head", "afro"], "exclude": {}}]}, "no \\['afro'\\]"),
    "shape": ({"rules": ["no hats"]}, "not a rule"),
}


@pytest.mark.parametrize(("said", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_layers_file_is_refused_with_its_reason(
    art: Path, said: dict[str, Any], reason: str
) -> None:
    say(art, **said)

    with pytest.raises(DatasetError, match=reason):
        compose.read_layers(Source(art))


def test_a_layer_that_is_not_square_is_refused_by_name(art: Path) -> None:
    Image.new("RGBA", (8, 9)).save(art / "head" / "tall.png")
    source = Source(art)

    with pytest.raises(ImageRefusedError, match=r"head/tall.png: 8 x 9 px is not square"):
        compose.Composer(compose.read_layers(source), source, SIDE)


def test_a_folder_without_layers_is_no_layered_art(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="folder per category"):
        compose.read_layers(Source(tmp_path))


def test_stacking_equals_the_formula_of_porter_and_duff(art: Path) -> None:
    layer(art / "accessory" / "veil.png", (10, 250, 90, 128), (0, 0, SIDE, SIDE))
    source = Source(art)
    composer = compose.Composer(compose.read_layers(source), source, SIDE)

    picture = composer.picture({"background": "sand", "head": "bald", "accessory": "veil"})

    over, under = np.array([10, 250, 90]), np.array(COLOURS["sand#3"][:3])
    expected = over * 128 / 255 + under * 127 / 255
    assert np.abs(picture[7, 7] - expected).max() <= 1
