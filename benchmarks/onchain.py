"""What a picture drawn inside the chain costs, and whether it is the one that numpy draws.

    .venv/bin/python -m benchmarks.onchain [--seeds 1000] [--json FILE]

Gas of each part by `contracts/test/onchain/PainterParts.sol`, bytes and gas of what is deployed,
seconds of eth_call on anvil, pictures that are not numpy's, and how far rounding moves a picture.
Then what evolution adds, with the real Uniswap, and with pools that use all the gas they get.
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
    from minting.evolution.rules import Law
    from tests.fixtures.chain import Chain
    from tests.fixtures.evolving import Evolving
    from tests.fixtures.painting import Painting
    from tests.minting.uniswap import Exchange

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
MOVED = ("levelsOf", "latentsOf, moved", "tokenURI, moved")
N_WORKS = 10_000  # of an epoch
SLOW, BURNS = 1, 4  # modes of contracts/test/evolution/Peer.sol


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


def evolution(world: "Evolving") -> Iterator[Row]:
    """Calls of holders and operator, and a moved picture, with a rule of each source."""
    from minting.chain import evolving
    from minting.chain.abi import compiled
    from minting.evolution import epochs
    from tests.fixtures.chain import ALICE, BOB, OWNER
    from tests.fixtures.evolving import PERIOD_S, POSITION

    def spent(what: str, call: bytes, sender: str = ALICE) -> Row:
        return Row(what, world.chain.succeed(call, world.evolution, sender).gas_used, "gas")

    world.exchange.add_range(ALICE, -600, 600, 10**19)
    world.exchange.add_shares(ALICE, 10**18, 10**18)
    world.chain.succeed(compiled("Staking").call("stake", [1]), world.staking, ALICE)
    yield spent("interact, the first of a work", evolving.interact(1))
    world.wait(PERIOD_S)
    yield spent("interact, a later one", evolving.interact(1))
    snapshot = epochs.snapshot_hash({})
    leaves = epochs.leaves(world.law, 1, snapshot, {n: (10**18, n) for n in range(1, N_WORKS + 1)})
    yield spent("publish", evolving.publish(epochs.root(leaves), snapshot), OWNER)
    [proof] = epochs.proofs(leaves, [1])
    yield spent(f"prove, one of {N_WORKS:,}", evolving.prove(leaves[0], proof), BOB)
    yield spent("namePosition", evolving.name_position(POSITION, 1, 1))
    yield spent("refresh", evolving.refresh(1), BOB)
    yield from moved(world)


def moved(world: "Evolving", note: str = "") -> Iterator[Row]:
    """What is read for a work, and what follows."""
    from tests.fixtures.solidity import build

    interface, creation = build("contracts/test/evolution/EvolutionParts.sol")
    parts = world.chain.succeed(creation).contract_address
    assert parts is not None
    call = interface.call("reads", world.evolution, 1)
    reads = interface.answer("reads", world.chain.read(parts, call))
    for rule, spent in zip(world.law.rules, reads, strict=True):
        if spent and not note:
            yield Row(f"reading {rule.name}", spent, "gas")
    call = interface.call("wholes", world.collection, 1)
    wholes = interface.answer("wholes", world.chain.read(parts, call))
    for name, spent in zip(MOVED, wholes, strict=True):
        yield Row(f"{name}{note}", spent, "gas")


def hostile(chain: "Chain") -> Iterator[Row]:
    """The worst that rules and pools can do: eight positions, each question at its stipend."""
    from minting.chain import evolving
    from minting.evolution.rules import MOST, Law, Rule, Source
    from tests.fixtures.chain import ALICE
    from tests.fixtures.evolving import PERIOD_S, created, open_collection
    from tests.fixtures.solidity import build

    interface, creation = build("contracts/test/evolution/Peer.sol")
    peer = created(chain, creation)
    words = {
        "6352211e": [int(ALICE, 16)],  # ownerOf
        "99fbab88": [0, 0, 1, 2, 500, 2**256 - 60, 60, 2**40, 0, 0, 0, 0],  # positions
        "3850c7bd": [1, 0, 0, 1, 1, 0, 1],  # slot0
        "0dfe1681": [1],  # token0
        "d21220a7": [2],  # token1
        "ddca3f43": [500],  # fee
    }
    for selector, answer in words.items():
        raw = b"".join(word.to_bytes(32) for word in answer)
        chain.succeed(interface.call("say", bytes.fromhex(selector), raw), peer)

    def law(staking: str, exchange: "Exchange") -> "Law":
        rules = [
            Rule(Source.POSITION, f"position {k}", 0, 99, (1,) * 32, peer, peer)
            for k in range(MOST)
        ]
        return Law(tuple(rules), PERIOD_S)

    world = open_collection(chain, law)
    for k in range(MOST):
        world.send(evolving.name_position(k, 1, 1))
    for selector, mode in (("6352211e", SLOW), ("99fbab88", SLOW), ("3850c7bd", BURNS)):
        chain.succeed(interface.call("behave", bytes.fromhex(selector), mode), peer)
    yield from moved(world, ", 8 hostile pools")


def evolving_deployment(world: "Evolving") -> Iterator[Row]:
    """Bytes on the chain, and what putting them there costs."""
    from minting.chain import painted
    from tests.fixtures.chain import OWNER

    evolution = next(iter(painted.evolution(world.collection, world.law).calls.values()))[32:]
    collection = painted.deployment(
        name="Portraits",
        symbol="P",
        contract_uri="ipfs://collection",
        live_uri="https://example.org/live/",
        treasury=OWNER,
        royalty_bps=500,
        painter=world.painter,
        is_evolving=True,
    )
    for name, address, creation in (
        ("evolving collection", world.collection, collection),
        ("evolution", world.evolution, evolution),
    ):
        code = bytes.fromhex(world.chain.call("eth_getCode", address, "latest")[2:])
        yield Row(f"{name}, deployed", len(code), "bytes")
        yield Row(f"{name}, deployment", world.chain.succeed(creation).gas_used, "gas")


def measure(n_seeds: int) -> Iterator[Row]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    import django

    django.setup()
    from minting.evolution.packing import pack, pack_label
    from tests.fixtures.chain import running_chain
    from tests.fixtures.evolving import open_collection
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
        world = open_collection(chain)
        yield from evolving_deployment(world)
        yield from evolution(world)
    with running_chain() as chain:
        yield from hostile(chain)
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
