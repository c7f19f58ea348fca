"""The first hundred works of a drop with equal shares, as one picture: nothing is picked.

.venv/bin/python -m benchmarks.contact_sheet [--out docs/gallery/portraits.png] [--psi 1.0]
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from generation.gan import latent
from generation.gan.checkpoint import load_generator
from generation.gan.render import render
from generation.imaging import codec
from generation.traits.parameters import uniform

ROOT = Path(__file__).resolve().parent.parent
SIDE = 10
SCALE = 2


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument(
        "--checkpoint", type=Path, default=ROOT / "generation/art/portraits.safetensors"
    )
    arguments.add_argument("--out", type=Path, default=ROOT / "docs/gallery/portraits.png")
    arguments.add_argument("--psi", type=float, default=1.0)
    options = arguments.parse_args()
    generator = load_generator(options.checkpoint)
    parameters = uniform(generator.config.schema.to_mapping(), options.psi)
    specs = [latent.item_spec(bytes(32), i, parameters) for i in range(SIDE * SIDE)]
    sheet = codec.contact_sheet(render(generator, specs, parameters), columns=SIDE)
    larger = np.repeat(np.repeat(sheet, SCALE, axis=0), SCALE, axis=1)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(larger).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
