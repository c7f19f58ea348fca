"""What each process of ``test_parallel`` runs: two intervals of a small run, losses to a file."""

import json
import sys
from pathlib import Path

import torch

from generation.gan import parallel
from generation.gan.config import GeneratorConfig
from generation.gan.presets import TrainConfig
from generation.gan.schedule import StyleGAN3Config
from generation.gan.training import Trainer
from tests.fixtures.flat import SCHEMA, SMALL, flat_art

CONFIGS: dict[str, GeneratorConfig] = {
    "stylegan3": StyleGAN3Config(
        SCHEMA, 16, z_dim=8, w_dim=8, channel_base=128, channel_max=8, n_layers=4, margin=2
    ),
    "biggan": SMALL,
}
TRAIN = TrainConfig(kimg=1, batch=8, interval_kimg=0.04, seed=5, adaptive=True, penalty_every=2)


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    torch.set_num_threads(1)
    parallel.join()
    pictures, labels = flat_art(64)
    run = Trainer(CONFIGS[name], TRAIN, pictures, labels, folder).run()
    told = [[i.loss_d, i.loss_g, i.loss_attributes, i.penalty] for i in (next(run), next(run))]
    if parallel.rank() == 0:
        (folder / "losses.json").write_text(json.dumps(told))
    parallel.leave()


if __name__ == "__main__":
    main()
