"""Layered art: a folder per category, composed into pictures whose labels are exact.

    art/
      background/sand.png  sky#3.png      a category; the number after # is a weight, 1 without
      head/bald.png  long.png
      accessory/glasses.png
      layers.json                         optional: order, chances, rules, image_px, source, licence

Categories are stacked in the order of ``layers.json``, else in that of their names. A category with
a chance below 1 is left out in the other cases and labelled ``none``.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.imaging.codec import ImageRefusedError, decode_layer
from generation.imaging.reader import DatasetError, Item, Source

NONE = "none"
MAX_ELEMENTS = 2_000
MAX_TRIES = 200  # draws for one picture before the rules count as too tight
SUFFIXES = (".png", ".webp")


@dataclass(frozen=True)
class Element:
    """One choice of a category: its value, the file it is drawn from, its weight."""

    value: str
    file: str
    weight: float


@dataclass(frozen=True)
class Category:
    """A category in stacking order, lowest first; ``chance`` in (0, 1] that it is drawn at all."""

    name: str
    elements: tuple[Element, ...]
    chance: float = 1.0

    @property
    def values(self) -> tuple[str, ...]:
        named = tuple(element.value for element in self.elements)
        return named if self.chance == 1 else (NONE, *named)


@dataclass(frozen=True)
class Rule:
    """Where ``category`` shows ``value``: ``other`` is one of (or none of) ``values``."""

    category: str
    value: str
    other: str
    values: frozenset[str]
    is_exclusion: bool

    def allows(self, chosen: dict[str, str]) -> bool:
        if chosen[self.category] != self.value:
            return True
        return (chosen[self.other] in self.values) != self.is_exclusion


@dataclass(frozen=True)
class LayeredArt:
    """Categories with their rules, read and checked; nothing is drawn yet."""

    categories: tuple[Category, ...]
    rules: tuple[Rule, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> dict[str, list[str]]:
        """Attributes and values of the labels; a category with one value only is not one."""
        return {c.name: list(c.values) for c in self.categories if len(c.values) > 1}


def read_layers(source: Source) -> LayeredArt:
    """Categories, weights and rules of a folder or archive.

    Raises
    ------
    DatasetError
        No categories, a broken ``layers.json``, or a rule about what is not there.
    """
    said = _said(source)
    found: dict[str, list[Element]] = {}
    for name in source.names():
        path = PurePosixPath(name)
        if len(path.parts) != 2 or path.suffix.lower() not in SUFFIXES or path.name[0] == ".":
            continue
        found.setdefault(path.parts[0], []).append(_element(path))
    if not found or sum(map(len, found.values())) > MAX_ELEMENTS:
        raise DatasetError(f"needs a folder per category with 1 to {MAX_ELEMENTS} PNG files in all")
    order = said.get("order", sorted(found))
    if not isinstance(order, list) or sorted(map(str, order)) != sorted(found):
        raise DatasetError(f"layers.json: order must name each of {sorted(found)} once")
    chances = said.get("chances", {})
    categories = tuple(_category(name, found[name], chances) for name in order)
    rules = tuple(_rules(said.get("rules", []), {c.name: set(c.values) for c in categories}))
    return LayeredArt(categories, rules, said)


def plan(art: LayeredArt, count: int, seed: str) -> Iterator[dict[str, str]]:
    """``count`` different choices, one value a category, that keep all rules.

    Item ``i`` depends on the seed and the items before it only, so a longer run extends a shorter.

    Raises
    ------
    DatasetError
        MAX_TRIES draws gave nothing that is both new and allowed.
    """
    if count < 1:
        raise ValueError(f"{count} pictures")
    seen: set[tuple[str, ...]] = set()
    for item in range(count):
        for attempt in range(MAX_TRIES):
            chosen = _draw(art, f"{seed}/{item}/{attempt}")
            key = tuple(chosen.values())
            if key not in seen and all(rule.allows(chosen) for rule in art.rules):
                break
        else:
            raise DatasetError(
                f"no new picture keeps the rules after {item}: ask for fewer, loosen a rule, "
                "or add elements"
            )
        seen.add(key)
        yield chosen


class Composer:
    """Stacks layers; each file is decoded and scaled once."""

    def __init__(self, art: LayeredArt, source: Source, image_px: int) -> None:
        self.art = art
        self.layers: dict[tuple[str, str], Image.Image] = {}
        for category in art.categories:
            for element in category.elements:
                layer = decode_layer(source.read(element.file), element.file)
                if layer.width != layer.height:
                    size = f"{layer.width} x {layer.height} px"
                    raise ImageRefusedError(element.file, f"{size} is not square")
                self.layers[category.name, element.value] = _scaled(layer, image_px)

    def picture(self, chosen: dict[str, str]) -> NDArray[np.uint8]:
        """The picture [image_px, image_px, 3] uint8 of one choice, on white."""
        side = next(iter(self.layers.values())).size
        stack = Image.new("RGBA", side, "white")
        for category in self.art.categories:
            layer = self.layers.get((category.name, chosen[category.name]))
            if layer is not None:
                stack.alpha_composite(layer)
        return np.array(stack.convert("RGB"), dtype=np.uint8)


def items(
    source: Source, *, count: int, seed: str, image_px: int, origin: str, licence: str
) -> Iterator[Item]:
    """Composed pictures with exact labels, one at a time."""
    art = read_layers(source)
    composer = Composer(art, source, image_px)
    for number, chosen in enumerate(plan(art, count, seed)):
        labels = {name: chosen[name] for name in art.schema}
        yield Item(f"{number:05d}.png", composer.picture(chosen), labels, origin, licence)


def _draw(art: LayeredArt, name: str) -> dict[str, str]:
    """One value a category, by weight; the uniform numbers are a hash of ``name``."""
    raw = hashlib.shake_256(name.encode()).digest(16 * len(art.categories))
    numbers = np.frombuffer(raw, ">u8").astype(np.float64) / 2**64
    chosen = {}
    for k, category in enumerate(art.categories):
        is_shown = numbers[2 * k] < category.chance
        chosen[category.name] = _pick(category, float(numbers[2 * k + 1])) if is_shown else NONE
    return chosen


def _pick(category: Category, u: float) -> str:
    left = u * sum(element.weight for element in category.elements)
    for element in category.elements:
        left -= element.weight
        if left < 0:
            return element.value
    return category.elements[-1].value


def _scaled(layer: Image.Image, image_px: int) -> Image.Image:
    """Whole multiples of the target keep pixel art crisp by box averages; the rest by Lanczos."""
    if layer.width == image_px:
        return layer
    if layer.width % image_px == 0:
        return layer.reduce(layer.width // image_px)
    # Lanczos on premultiplied colours: a transparent pixel's colour must not bleed into its edge.
    premultiplied = layer.convert("RGBa")
    return premultiplied.resize((image_px, image_px), Image.Resampling.LANCZOS).convert("RGBA")


def _said(source: Source) -> dict[str, Any]:
    if not source.has("layers.json"):
        return {}
    try:
        said = json.load(io.BytesIO(source.read("layers.json")))
    except ValueError as error:
        raise DatasetError(f"layers.json: {error}") from error
    if not isinstance(said, dict):
        raise DatasetError("layers.json must hold an object")
    return said


def _element(path: PurePosixPath) -> Element:
    value, _, weight = path.stem.partition("#")
    try:
        found = float(weight) if weight else 1.0
    except ValueError:
        found = -1.0
    if not value.strip() or not 0 < found < 1e9:
        raise DatasetError(f"{path}: name it VALUE.png or VALUE#WEIGHT.png, the weight above 0")
    return Element(value.strip(), str(path), found)


def _category(name: str, elements: list[Element], chances: Any) -> Category:
    values = [element.value for element in elements]
    if len(set(values)) != len(values):
        raise DatasetError(f"{name}: two files of one value")
    chance = chances.get(name, 1.0) if isinstance(chances, dict) else None
    if not isinstance(chance, int | float) or not 0 < chance <= 1:
        raise DatasetError(f"layers.json: the chance of {name} must be above 0 and at most 1")
    if chance < 1 and NONE in values:
        raise DatasetError(f"{name}: {NONE!r} is what a left-out category is called")
    return Category(name, tuple(sorted(elements, key=lambda e: e.value)), float(chance))


def _rules(said: Any, known: dict[str, set[str]]) -> Iterator[Rule]:
    """Rules like ``{"if": ["head", "bald"], "exclude": {"accessory": ["hat"]}}``."""
    if not isinstance(said, list):
        raise DatasetError("layers.json: rules must be a list")
    for rule in said:
        try:
            category, value = rule["if"]
            (verb,) = set(rule) - {"if"}
            clauses = dict(rule[verb]).items()
        except (TypeError, KeyError, ValueError) as error:
            raise DatasetError(f"layers.json: {rule!r} is not a rule") from error
        if verb not in ("include", "exclude"):
            raise DatasetError(f"layers.json: {verb!r} is neither include nor exclude")
        for other, values in [(category, [value]), *clauses]:
            unknown = (
                set(values) - known.get(other, set()) if isinstance(values, list) else {values}
            )
            if unknown:
                raise DatasetError(f"layers.json: no {sorted(map(str, unknown))} in {other!r}")
        for other, values in clauses:
            yield Rule(category, value, other, frozenset(values), verb == "exclude")
