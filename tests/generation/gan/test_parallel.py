"""Two processes on one machine train as one: started by torchrun, joined by gloo."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from generation.gan import parallel
from generation.gan.training import Trainer
from tests.fixtures.flat import flat_art
from tests.generation.gan.parallel_run import CONFIGS, TRAIN

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.enable_socket
@pytest.mark.parametrize("name", list(CONFIGS))
def test_two_processes_have_the_losses_and_weights_of_one_with_the_joint_batch(
    tmp_path: Path, name: str
) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*torchrun, "-m", "tests.generation.gan.parallel_run", name, str(tmp_path / "two")]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    two = json.loads((tmp_path / "two" / "losses.json").read_text())

    pictures, labels = flat_art(64)
    alone = Trainer(CONFIGS[name], TRAIN, pictures, labels, tmp_path / "one")
    steps = alone.run()
    one = [[i.loss_d, i.loss_g, i.loss_attributes, i.penalty] for i in (next(steps), next(steps))]

    assert torch.allclose(torch.tensor(two), torch.tensor(one), rtol=1e-3, atol=1e-4)
    ours = load_file(tmp_path / "one" / "state.safetensors")
    theirs = load_file(tmp_path / "two" / "state.safetensors")
    for key in (key for key in ours if key.startswith("ema.")):
        assert torch.allclose(ours[key], theirs[key], rtol=1e-2, atol=2e-3), key


def test_one_process_shares_with_nobody() -> None:
    assert (parallel.world_size(), parallel.rank()) == (1, 0)
    assert parallel.share(8) == slice(0, 8)
    tensor = torch.ones(3)
    assert parallel.mean(tensor) is tensor
