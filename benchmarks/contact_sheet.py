"""The first hundred works of a drop with equal shares, as one picture: nothing is picked.

.venv/bin/python -m benchmarks.contact_sheet [--checkpoint portraits-alias-free] [--psi 1.0]

Writes docs/gallery/CHECKPOINT.png, each work 128 px wide.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from generation.gan import latent
from generation.gan.checkpoint import load_generator
from generation.gan.render import render
from generation.imaging import codec
from generation.shipped import SHIPPED, Shipped
from generation.traits.parameters import uniform

GALLERY = Path(__file__).resolve().parent.parent / "docs" / "gallery"
SIDE = 10
WORK_PX = 128


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [shipped.name for shipped in SHIPPED]
    arguments.add_argument("--checkpoint", choices=names, default=names[0])
    arguments.add_argument("--psi", type=float, default=1.0)
    options = arguments.parse_args()
    generator = load_generator(Shipped(options.checkpoint).generator)
    parameters = uniform(generator.config.schema.to_mapping(), options.psi)
    specs = [latent.item_spec(bytes(32), i, parameters) for i in range(SIDE * SIDE)]
    sheet = codec.contact_sheet(render(generator, specs, parameters), columns=SIDE)
    scale = WORK_PX // generator.img_resolution
    larger = np.repeat(np.repeat(sheet, scale, axis=0), scale, axis=1)
    Image.fromarray(larger).save(GALLERY / f"{options.checkpoint}.png", optimize=True)


if __name__ == "__main__":
    main()
