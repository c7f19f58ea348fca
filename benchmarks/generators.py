"""Speed and memory of the generators, beside the same arithmetic written plainly.

    .venv/bin/python -m benchmarks.generators [--quick] [--device cuda]

Each row draws with random weights: ours, and the plain operations of ``benchmarks.plain_networks``
(grouped modulated convolutions, zeros between samples and depthwise filters; spectral norm, batch
norm, gain and bias one by one). One thread on a CPU. CPU seconds count what the system does for the
process too, which for the plain operations is mostly handing out memory; the last column leaves
that out. Memory is what a process of its own grew by while it drew, weights included.
"""

import argparse
import ctypes
import gc
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import plain_networks
from generation.gan.biggan_deep import BigGanDeep
from generation.gan.config import AttributeSchema, BigGanDeepConfig
from generation.gan.generator import Generator
from generation.gan.schedule import StyleGAN3Config
from generation.gan.stylegan3 import StyleGAN3

FREE = AttributeSchema(())
CLASSES = AttributeSchema((("class", tuple(str(n) for n in range(20))),))
NETWORKS: dict[str, Callable[[], Generator]] = {
    "StyleGAN3-T 64 px, 2048/128": lambda: StyleGAN3(
        StyleGAN3Config(FREE, 64, channel_base=2048, channel_max=128)
    ),
    "StyleGAN3-R 64 px, 4096/256": lambda: StyleGAN3(
        StyleGAN3Config.rotation(FREE, 64, channel_base=4096, channel_max=256)
    ),
    "BigGAN-deep 64 px, 256 to 64": lambda: BigGanDeep(
        BigGanDeepConfig(CLASSES, (256, 192, 128, 96, 64), spectral=True)
    ),
    "BigGAN-deep 128 px, 512 to 32": lambda: BigGanDeep(
        BigGanDeepConfig(CLASSES, (512, 512, 256, 128, 64, 32), attention_px=64, spectral=True)
    ),
    "StyleGAN3-T 256 px, 16384/512": lambda: StyleGAN3(
        StyleGAN3Config(FREE, 256, channel_base=16384)
    ),
}
BATCHES = {"StyleGAN3-T 256 px, 16384/512": (1, 8)}


@dataclass(frozen=True)
class Cost:
    """Seconds a picture: of the processor, of the process's own code, by the clock."""

    cpu_s: float
    user_s: float
    wall_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the small networks only")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.memory:
        print(memory_growth(*asked.memory.rsplit(":", 1)))
        return
    names = [name for name in NETWORKS if not (asked.quick and "256 px" in name)]
    if asked.device != "cpu":
        on_accelerator(names, torch.device(asked.device))
        return
    machine = f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"
    print(f"torch {torch.__version__}, {machine}")
    print("| network | batch | ours, images/s | CPU-s an image | plain | ratio | own code alone |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        for batch in BATCHES.get(name, (1, 4, 8, 32)):
            compare(name, batch)
    print(
        "\n| network, batch 8 | memory, MB | weights + largest | weights + one picture's | ratio |"
    )
    print("|---|---|---|---|---|")
    for name in names:
        print_memory(name)
    if torch.ops.mkldnn._is_mkldnn_bf16_supported() and torch.cpu._is_avx512_bf16_supported():
        half_precision(names)
    else:
        print("\nThis processor has no bfloat16 arithmetic: not measured.")


@torch.no_grad()
def compare(name: str, batch: int) -> None:
    """One row: the same pictures both ways, in turn."""
    torch.manual_seed(1)
    generator = NETWORKS[name]().eval().requires_grad_(False)
    ours, ws = folded(generator), some_ws(generator, batch)
    runs = 1 if "256 px" in name else 3
    fast = cost(lambda: ours.synthesis(ws), batch, runs)
    plain = cost(lambda: plainly(generator, ws), batch, 1 if batch > 4 else runs)
    print(
        f"| {name} | {batch} | {1 / fast.wall_s:.1f} | {fast.cpu_s:.3f} | {plain.cpu_s:.3f} | "
        f"{plain.cpu_s / fast.cpu_s:.1f} | {plain.user_s / fast.user_s:.1f} |",
        flush=True,
    )


def folded(generator: Generator) -> Generator:
    return generator.folded() if isinstance(generator, BigGanDeep) else generator


def plainly(generator: Generator, ws: Tensor) -> Tensor:
    if isinstance(generator, BigGanDeep):
        return plain_networks.biggan_deep(generator, ws)
    assert isinstance(generator, StyleGAN3)
    return plain_networks.stylegan3(generator, ws)


def some_ws(generator: Generator, n: int) -> Tensor:
    z = torch.randn(n, generator.z_dim, device=generator.device)
    c = torch.zeros(n, generator.c_dim, device=generator.device)
    return generator.mapping(z, c)


def cost(draw: Callable[[], Tensor], batch: int, runs: int) -> Cost:
    draw()
    before, started = os.times(), time.perf_counter()
    for _ in range(runs):
        draw()
    wall, after = time.perf_counter() - started, os.times()
    n = batch * runs
    user = after.user - before.user
    return Cost((user + after.system - before.system) / n, user / n, wall / n)


def print_memory(name: str) -> None:
    grown = float(measured_apart(f"{name}:8"))
    generator = NETWORKS[name]()
    weights = sum(t.numel() for t in generator.state_dict().values()) * 4 / 1e6
    one = largest_activation(generator) * 4 / 1e6
    print(
        f"| {name} | {grown:.0f} | {weights + 8 * one:.0f} | {weights + one:.0f} | "
        f"{grown / (weights + 8 * one):.2f} |",
        flush=True,
    )


def measured_apart(what: str) -> str:
    command = [sys.executable, "-m", "benchmarks.generators", "--memory", what]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@torch.no_grad()
def memory_growth(name: str, batch: str) -> str:
    """MB that this process grew by while it drew, weights included; Linux only.

    What making the network took for a while is given back first: it is loaded once, and drawn with
    for hours. A process starts with the peak of the one that made it, so the peak is set anew.
    """
    x = torch.randn(1, 16, 16, 16).contiguous(memory_format=torch.channels_last)
    torch.conv2d(x, torch.randn(16, 16, 3, 3), padding=1)  # what the libraries take once
    torch.randn(512, 512) @ torch.randn(512, 512)
    start = status_kb("VmRSS")
    generator = folded(NETWORKS[name]().eval().requires_grad_(False))
    ws = some_ws(generator, int(batch))
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    generator.synthesis(ws)
    return str((status_kb("VmHWM") - start) / 1e3)


def status_kb(field: str) -> int:
    """A figure of this process: VmRSS what it holds, VmHWM the most that it held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def largest_activation(generator: Generator) -> int:
    """Numbers in the largest tensor between two operations, of one picture."""
    if isinstance(generator, StyleGAN3):
        layers = generator.config.layers
        return max(int(spec.tmp_size**2) * spec.after.channels for spec in layers)
    assert isinstance(generator, BigGanDeep)
    widths = generator.config.g_channels
    return max(int(16 * 4**level) * widths[max(level - 1, 0)] for level in range(len(widths)))


@torch.no_grad()
def half_precision(names: list[str]) -> None:
    print("\n| network | float32, images/s | bfloat16 | ratio |\n|---|---|---|---|")
    for name in names:
        generator = folded(NETWORKS[name]().eval().requires_grad_(False))
        ws = some_ws(generator, 8)
        exact = cost(lambda g=generator, w=ws: g.synthesis(w), 8, 2).wall_s  # type: ignore[misc]
        with torch.autocast("cpu", torch.bfloat16, enabled=isinstance(generator, BigGanDeep)):
            if isinstance(generator, StyleGAN3):
                generator.compute_dtype = torch.bfloat16
            rough = cost(lambda g=generator, w=ws: g.synthesis(w), 8, 2).wall_s  # type: ignore[misc]
        print(f"| {name} | {1 / exact:.1f} | {1 / rough:.1f} | {exact / rough:.2f} |")


@torch.no_grad()
def on_accelerator(names: list[str], device: torch.device) -> None:
    """Images a second in float32, bfloat16 and compiled, and the share of the chip's arithmetic."""
    print(
        "| network | batch | float32 | bfloat16 | compiled | TFLOP/s |\n|---|---|---|---|---|---|"
    )
    for name in names:
        generator = folded(NETWORKS[name]().eval().requires_grad_(False)).to(device)
        ws = some_ws(generator, 64)
        speeds = [clocked(generator.synthesis, ws)]
        if isinstance(generator, StyleGAN3):
            generator.compute_dtype = torch.bfloat16
        with torch.autocast(device.type, torch.bfloat16, enabled=isinstance(generator, BigGanDeep)):
            speeds.append(clocked(generator.synthesis, ws))
            compiled = torch.compile(generator.synthesis, mode="reduce-overhead")
            speeds.append(clocked(compiled, ws))
        flops = flops_of(generator, ws[:1]) * speeds[-1] / 1e12
        print(f"| {name} | 64 | " + " | ".join(f"{s:.0f}" for s in speeds) + f" | {flops:.1f} |")


def clocked(draw: Callable[[Tensor], Tensor], ws: Tensor, runs: int = 20) -> float:
    for _ in range(3):
        draw(ws)
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(runs):
        draw(ws)
    torch.cuda.synchronize()
    return runs * len(ws) / (time.perf_counter() - started)


def flops_of(generator: Generator, ws: Tensor) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        generator.synthesis(ws)
    return int(counter.get_total_flops())


if __name__ == "__main__":
    main()
