"""How large works are in three dimensions, and how long they take to make.

.venv/bin/python -m benchmarks.glb [--checkpoint portraits] [--works 100]
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from generation.gan import latent
from generation.gan.checkpoint import load_generator
from generation.gan.render import render
from generation.imaging import codec, relief, solids
from generation.shipped import SHIPPED, Shipped
from generation.traits.parameters import uniform


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [shipped.name for shipped in SHIPPED]
    arguments.add_argument("--checkpoint", choices=names, default=names[0])
    arguments.add_argument("--works", type=int, default=100)
    options = arguments.parse_args()
    pictures = draw(options.checkpoint, options.works)
    files = [codec.encode_png(picture) for picture in pictures]
    print(f"{len(files)} works of {pictures[0].shape[0]} px, PNG of {kb(files)}")
    for shape, make in solids.SHAPES.items():
        measure(shape, make, files)
    tall = [relief.heights(picture) for picture in pictures]
    merged = [len(relief.merged(one).corners) for one in tall]
    print(f"rectangles {spread(merged)}, faces of blocks {spread([faces(one) for one in tall])}")


def draw(checkpoint: str, n: int) -> np.ndarray:
    generator = load_generator(Shipped(checkpoint).generator)
    parameters = uniform(generator.config.schema.to_mapping(), 1.0)
    specs = [latent.item_spec(bytes(32), i, parameters) for i in range(n)]
    return render(generator, specs, parameters)


def measure(shape: str, make: Callable[[bytes, str], bytes], files: list[bytes]) -> None:
    made, took_ms = [], []
    for png in files:
        started = time.perf_counter()
        made.append(make(png, shape))
        took_ms.append(1000 * (time.perf_counter() - started))
    print(f"{shape}: {kb(made)}, {np.median(took_ms):.1f} ms (median)")


def faces(tall: np.ndarray) -> int:
    """Faces of single blocks on the surface: fronts, backs, and steps between neighbours."""
    steps = [np.abs(np.diff(np.pad(tall, 1), axis=axis)).sum() for axis in (0, 1)]
    return int(2 * tall.size + sum(steps))


def kb(files: list[bytes]) -> str:
    sizes = [len(raw) / 1000 for raw in files]
    return f"{np.mean(sizes):.1f} kB ({min(sizes):.1f} to {max(sizes):.1f})"


def spread(counts: list[int]) -> str:
    return f"{np.mean(counts):,.0f} ({min(counts):,} to {max(counts):,})"


if __name__ == "__main__":
    main()
