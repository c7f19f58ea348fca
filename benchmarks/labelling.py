"""How far a few labels go: asking about the unsure pictures against asking about any.

    .venv/bin/python -m benchmarks.labelling [--art var/art/portraits] [--labels 240]

Reads labelled pictures, forgets the labels, and gives them back a question at a time. Prints the
share of all pictures read right, per attribute, both ways in the same run. The art is drawn by
`node generation/art/portraits.mjs --out var/art/portraits --count 3000 --size 64 --seed 1`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.imaging.reader import Item, read_items
from generation.traits import labelling

FIRST = 60
STEP = 20


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--art", type=Path, default=Path("var/art/portraits"))
    arguments.add_argument("--pictures", type=int, default=3000)
    arguments.add_argument("--labels", type=int, default=240)
    options = arguments.parse_args()
    items = []
    for item in read_items(options.art, image_px=64, source="", licence=""):
        if isinstance(item, Item):
            items.append(item)
        if len(items) == options.pictures:
            break
    features = labelling.embed(np.stack([item.picture for item in items]))
    sys.stdout.write(f"{len(items)} pictures, {options.labels} labels\n")
    sys.stdout.write(f"{'attribute':16}{'asked':>8}{'any':>8}{'largest':>9}\n")
    for name in items[0].labels:
        truth = np.array([item.labels[name] for item in items])
        asked = share_right(features, truth, options.labels, is_asking=True)
        anyhow = share_right(features, truth, options.labels, is_asking=False)
        largest = np.unique(truth, return_counts=True)[1].max() / len(truth)
        sys.stdout.write(f"{name:16}{asked:8.3f}{anyhow:8.3f}{largest:9.3f}\n")


def share_right(
    features: NDArray[np.float32], truth: NDArray[np.str_], n_labels: int, *, is_asking: bool
) -> float:
    rng = np.random.default_rng(0)
    first = rng.choice(len(truth), FIRST if is_asking else n_labels, replace=False)
    said = {int(row): str(truth[row]) for row in first}
    while len(said) < n_labels:
        reading = labelling.read(features, said)
        for row in labelling.unsure(reading, set(said), min(STEP, n_labels - len(said))):
            said[row] = str(truth[row])
    return float((np.array(labelling.read(features, said).best) == truth).mean())


if __name__ == "__main__":
    main()
