"""How like the big generator's works those of the contract are; and both, side by side.

    .venv/bin/python -m benchmarks.student [--works 2000] [--out docs/gallery/portraits-onchain.png]

Works follow from sha256 of their numbers, as they would from a token's hash. The big generator
draws each from the same 32 bytes (``generation.gan.lessons``), averaged down to 32 px; and as a
drop draws it, at its own size and with a collection's truncation (``generation.gan.twins``). Two
parsers read both: that of 32 px, whose features were part of the lessons, and that of 64 px, which
had no part in them, on pictures that are doubled. The picture has the first 48 works in pairs, the
big generator's on the left: nothing is picked.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from generation.gan.checkpoint import load_generator
from generation.gan.latent import seeded_spec
from generation.gan.lessons import Lessons, teach
from generation.gan.render import render
from generation.gan.twins import Twin, follow
from generation.imaging import codec
from generation.shipped import SHIPPED
from generation.traits import guard, parser
from generation.traits.diversity import thumbnails
from generation.traits.novelty import Looks
from generation.traits.parameters import uniform
from minting.evolution import network
from minting.evolution.latents import attributes, choose, latents_of

ROOT = Path(__file__).resolve().parent.parent
ART = ROOT / "generation" / "art"
PAIRS, COLUMNS, SCALE = 48, 6, 3
PSI = 0.8  # of a new collection
COLOURS = ("background", "skin", "clothing")
Pictures = NDArray[np.uint8]


def draw(n: int) -> tuple[Pictures, Pictures]:
    """Works of the big generator, and the contract's, of the same latents."""
    student = network.load(ART / "portraits-onchain.safetensors")
    schema = attributes(student)
    words = [hashlib.sha256(i.to_bytes(8)).digest() for i in range(n)]
    latents = np.frombuffer(b"".join(latents_of(schema, word) for word in words), np.uint8)
    latents = latents.reshape(n, network.LATENTS)
    teacher = load_generator(SHIPPED[0].generator)
    lessons = Lessons(
        teacher.config.schema,
        {name: torch.from_numpy(code).float() for name, code in student.codes.items()},
        torch.from_numpy(student.basis),
        float(student.recipe["psi"]),
    )
    parts = []
    with torch.no_grad():
        for batch in torch.split(torch.from_numpy(latents.astype(np.float32)), 64):
            shown = teach(teacher, *lessons.asked(batch), lessons.psi)
            parts.append(shown.round().byte().permute(0, 2, 3, 1).numpy())
    return np.concatenate(parts), network.draw(student, latents)


def compare(big: Pictures, small: Pictures) -> dict[str, float]:
    reader = parser.load_parser(ART / "portraits-alias-free-parser.safetensors")
    (said, features), (repeated, others) = parser.read(reader, big), parser.read(reader, small)
    found = {
        f"agree, {name}": float(
            np.mean([a.values[name] == b.values[name] for a, b in zip(said, repeated, strict=True)])
        )
        for name in reader.schema.names
    }
    stranger = parser.load_parser(ART / "portraits-parser.safetensors")
    seen = [parser.parse(stranger, one.repeat(2, axis=1).repeat(2, axis=2)) for one in (big, small)]
    for name in reader.schema.names:
        same = [a.values[name] == b.values[name] for a, b in zip(*seen, strict=True)]
        found[f"agree for a stranger, {name}"] = float(np.mean(same))
    for by in ("agree", "agree for a stranger"):
        found[f"{by}, colours and accessory"] = float(
            np.mean([found[f"{by}, {name}"] for name in (*COLOURS, "accessory")])
        )
    schema = reader.schema.to_mapping()
    told = [
        guard.measure([one.values for one in read], schema, Looks(thumbnails(pictures), vectors))
        for read, pictures, vectors in ((said, big, features), (repeated, small, others))
    ]
    error = (big.astype(float) - small.astype(float)) ** 2
    for name in ("mean_distance", "spread"):
        measured = [float(getattr(one, name)) for one in told]
        found |= {f"{name}, big": measured[0], f"{name}, contract's": measured[1]}
        found[f"{name}, ratio"] = measured[1] / measured[0]
    found["PSNR between them (dB)"] = float(np.mean(10 * np.log10(255**2 / error.mean((1, 2, 3)))))
    return found


def agree_as_drawn(n: int) -> dict[str, float]:
    """How often both pictures of a work show the same, drawn as a drop draws them."""
    student = network.load(ART / "portraits-onchain.safetensors")
    schema = attributes(student)
    generator = load_generator(SHIPPED[0].generator)
    parameters = uniform(generator.config.schema.to_mapping(), PSI)
    specs, latents = [], []
    for i in range(n):
        word = hashlib.sha256(i.to_bytes(8)).digest()
        latents.append(np.frombuffer(latents_of(schema, word), np.uint8))
        chosen = zip(schema, choose(schema, word), strict=True)
        values = {one.name: one.values[place] for one, place in chosen}
        spec = seeded_spec(i, word, 0, parameters)
        specs.append(follow(spec, Twin(values, latents[-1], student.basis), 0, parameters))
    big, small = render(generator, specs, parameters), network.draw(student, np.stack(latents))
    reader = parser.load_parser(ART / "portraits-parser.safetensors")
    doubled = small.repeat(2, axis=1).repeat(2, axis=2)
    read = [parser.parse(reader, pictures) for pictures in (big, doubled)]
    wanted = [spec.requested for spec in specs]
    found = {}
    for name in reader.schema.names:
        same = [a.values[name] == b.values[name] for a, b in zip(*read, strict=True)]
        kept = [a.values[name] == asked[name] for a, asked in zip(read[0], wanted, strict=True)]
        found[f"as drawn, both agree, {name}"] = float(np.mean(same))
        found[f"as drawn, the big one shows what is asked, {name}"] = float(np.mean(kept))
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--works", type=int, default=2_000)
    arguments.add_argument("--out", type=Path, default=ROOT / "docs/gallery/portraits-onchain.png")
    options = arguments.parse_args()
    big, small = draw(options.works)
    found = compare(big, small) | agree_as_drawn(options.works)
    sys.stdout.write(json.dumps({k: round(v, 3) for k, v in found.items()}, indent=1) + "\n")
    pairs = np.concatenate([big[:PAIRS], small[:PAIRS]], axis=2)
    sheet = codec.contact_sheet(pairs, columns=COLUMNS)
    larger = np.repeat(np.repeat(sheet, SCALE, axis=0), SCALE, axis=1)
    Image.fromarray(larger).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
