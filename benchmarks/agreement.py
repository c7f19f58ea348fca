"""How well a shipped generator does as asked, and how fast it draws.

    .venv/bin/python -m benchmarks.agreement [--checkpoint portraits] [--samples 2000]

Prints, per attribute, the share of pictures in which the parser reads the requested value, averaged
over values; beside it the parser's own accuracy on held-out art (a picture can be read no better
than that) and chance. Then the number of different pictures and the canonical renderer's speed.
"""

import argparse
import sys
import time

from generation.gan import latent, metrics
from generation.gan.checkpoint import load_generator
from generation.gan.header import read_report
from generation.gan.render import render
from generation.shipped import SHIPPED, Shipped
from generation.traits import diversity
from generation.traits.parameters import uniform
from generation.traits.parser import load_parser, parse


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [shipped.name for shipped in SHIPPED]
    arguments.add_argument("--checkpoint", choices=names, default=names[0])
    arguments.add_argument("--samples", type=int, default=2000)
    arguments.add_argument("--psi", type=float, default=1.0)
    options = arguments.parse_args()
    shipped = Shipped(options.checkpoint)
    generator = load_generator(shipped.generator)
    held_out = read_report(shipped.parser)["held_out_accuracy"]
    schema = generator.config.schema
    parameters = uniform(schema.to_mapping(), options.psi)
    specs = [latent.item_spec(bytes(32), i, parameters) for i in range(options.samples)]
    started = time.perf_counter()
    pictures = render(generator, specs, parameters)
    elapsed = time.perf_counter() - started
    read = parse(load_parser(shipped.parser), pictures)
    write = sys.stdout.write
    write(f"{'attribute':14}{'agreement':>10}{'parser':>10}{'chance':>10}\n")
    requested = [spec.requested for spec in specs]
    shares = metrics.agreement(requested, [found.values for found in read], schema.attributes)
    for name, values in schema.attributes:
        write(f"{name:14}{shares[name]:10.3f}{held_out[name]:10.3f}{1 / len(values):10.3f}\n")
    different = len({picture.tobytes() for picture in pictures})
    near = len(diversity.near_duplicates(diversity.thumbnails(pictures)))
    write(f"{different} of {len(pictures)} pictures differ; {near} look like an earlier one\n")
    write(f"{len(pictures) / elapsed:.0f} pictures/s on one thread\n")


if __name__ == "__main__":
    main()
