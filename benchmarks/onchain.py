"""What a picture drawn inside the chain costs, and whether it is the one that numpy draws.

    .venv/bin/python -m benchmarks.onchain [--seeds 1000] [--json FILE]

Gas of each part by `contracts/test/onchain/PainterParts.sol`, bytes and gas of what is deployed,
seconds of eth_call on anvil, pictures that are not numpy's, and how far rounding moves a picture.
Needs what `make test` installs.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from minting.evolution.network import Network
    from tests.fixtures.painting import Painting

ROOT = Path(__file__).resolve().parent.parent
PARTS = ROOT / "var/forge/out/PainterParts.sol/PainterParts.json"
NAMES = (
    "reading the network",
    "linear layer, 4 x 4 x 24",
    "first 3 x 3, 8 x 8 x 24",
    "second 3 x 3, 16 x 16 x 16",
    "third 3 x 3, 32 x 32 x 16",
    "colours and BMP",
    "picture in base64",
)
WHOLES = ("latentsOf", "picture", "describe", "tokenURI")
REPEATS = 21


@dataclass(frozen=True)
class Row:
    """A number and what it counts."""

    what: str
    found: float
    unit: str

    def __str__(self) -> str:
        return f"{self.what:34} {self.found:>14,.10g} {self.unit}"


def gas(painting: "Painting", network: str) -> Iterator[Row]:
    """Of each part, measured by a contract that draws with the same library."""
    from minting.chain.abi import Interface

    # Building the tests builds it.
    command = ["node", "contracts/forge.mjs", "test", "--match-contract", "PainterUnit"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    built = json.loads(PARTS.read_text())
    chain, interface = painting.chain, Interface(built["abi"])
    creation = bytes.fromhex(built["bytecode"]["object"][2:])
    address = chain.succeed(creation).contract_address
    assert address is not None
    word = bytes(range(32))
    for call, names in (
        (("parts", network, word), NAMES),
        (("wholes", painting.address, word), WHOLES),
    ):
        raw = chain.read(address, interface.call(*call))
        for name, spent in zip(names, interface.answer(call[0], raw), strict=True):
            yield Row(name, spent, "gas")


def deployment(painting: "Painting", parts: dict[str, str]) -> Iterator[Row]:
    """Bytes on the chain, and what putting them there costs."""
    from minting.chain.abi import compiled
    from minting.evolution.packing import creation

    chain = painting.chain
    painter = compiled("Painter").deployment(parts["network"], parts["label"])
    for name, address in (parts | {"painter": painting.address}).items():
        code = bytes.fromhex(chain.call("eth_getCode", address, "latest")[2:])
        receipt = chain.succeed(painter if name == "painter" else creation(code))
        yield Row(f"{name}, deployed", len(code), "bytes")
        yield Row(f"{name}, deployment", receipt.gas_used, "gas")


def seconds(painting: "Painting") -> Row:
    """Median of eth_call of tokenURI, after a first one."""
    taken = []
    for seed in range(REPEATS + 1):
        start = time.perf_counter()
        painting.ask("tokenURI", seed, seed.to_bytes(32))
        taken.append(time.perf_counter() - start)
    return Row("eth_call of tokenURI", statistics.median(taken[1:]), "s")


def different(painting: "Painting", network: "Network", n: int) -> Row:
    """How many of n pictures, half of them of works and half of noise, are not numpy's."""
    from minting.evolution import network as evolution
    from minting.evolution.latents import attributes, latents_of

    words = np.random.default_rng(0).integers(0, 256, (n, 32), dtype=np.uint8)
    schema = attributes(network)
    for i in range(0, n, 2):
        words[i] = np.frombuffer(latents_of(schema, words[i].tobytes()), np.uint8)
    drawn = [np.frombuffer(painting.ask("draw", one.tobytes()), np.uint8) for one in words]
    expected = evolution.draw(network, words).reshape(n, -1)
    unequal = (np.stack(drawn) != expected).any(1).sum()
    return Row(f"pictures of {n} that numpy draws otherwise", int(unequal), "")


def rounding(network: "Network", n: int = 200) -> Row:
    """PSNR of pictures against the same int8 weights with activations that are not rounded."""
    from minting.evolution import network as evolution
    from minting.evolution.latents import attributes, latents_of

    words = np.random.default_rng(1).integers(0, 256, (n, 32), dtype=np.uint8)
    schema = attributes(network)
    latents = np.stack(
        [np.frombuffer(latents_of(schema, one.tobytes()), np.uint8) for one in words]
    )
    squares = np.square(exact(network, latents) - evolution.draw(network, latents))
    psnr = 10 * np.log10(255**2 / squares.mean((1, 2, 3)))
    return Row("PSNR against unrounded activations", float(psnr.mean()), "dB")


def exact(network: "Network", latents: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Pictures [N, 32, 32, 3] in 0..255, nothing rounded after the weights."""
    import torch
    import torch.nn.functional as F

    x = torch.from_numpy(latents).double()[:, :, None, None]
    last = len(network.layers) - 1
    for place, layer in enumerate(network.layers):
        if place == 1:
            x = x.reshape(len(x), -1, 4, 4)
        if 0 < place < last:
            x = F.interpolate(x, scale_factor=2.0)
        weight, bias = (torch.from_numpy(one).double() for one in (layer.weight, layer.bias))
        total = F.conv2d(x, weight, bias, padding=weight.shape[2] // 2)
        x = (total * layer.multiplier / 2**16).clamp(0, 255)
    found: NDArray[np.float64] = x.permute(0, 2, 3, 1).numpy()
    return found


def measure(n_seeds: int) -> Iterator[Row]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    import django

    django.setup()
    from minting.evolution.packing import pack, pack_label
    from tests.fixtures.chain import running_chain
    from tests.fixtures.painting import deploy, label, put, shipped

    network = shipped()
    with running_chain() as chain:
        painting = deploy(chain)
        places = {
            "network": put(chain, pack(network.layers)),
            "label": put(chain, pack_label(label())),
        }
        yield from gas(painting, places["network"])
        yield from deployment(painting, places)
        yield seconds(painting)
        yield different(painting, network, n_seeds)
    yield rounding(network)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for row in measure(options.seeds):
        print(row, flush=True)
        rows.append(asdict(row))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
