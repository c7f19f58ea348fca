"""Merkle trees beside OpenZeppelin's own package and a Python one, for ``benchmarks.chain``.

Leaves of a drop, ``['uint256', 'bytes32', 'bytes32']``, ready in memory; each way is run once to
warm up, then five times, and its median counts. OpenZeppelin's JavaScript has to give our root
and our proofs. merkly has no such leaves and another shape of tree, but the hashes of one: as it
comes (pycryptodome), and with our keccak. Peers are installed into a temporary folder.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.chain import ROOT, Row
from minting.provenance import merkle
from minting.provenance.merkle import Leaf

OPENZEPPELIN, MERKLY = "@openzeppelin/merkle-tree@1.0.8", "merkly==1.0.2"
ROUNDS = 5
SCRIPT = """
import { readFileSync } from "node:fs";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
const values = JSON.parse(readFileSync(process.argv[2], "utf8"));
const types = ["uint256", "bytes32", "bytes32"];
const median = (all) => all.sort((a, b) => a - b)[all.length >> 1];
const timed = (work) => {
  work();
  return median(Array.from({ length: %d }, () => {
    const started = performance.now();
    work();
    return (performance.now() - started) / 1000;
  }));
};
const tree = StandardMerkleTree.of(values, types);
const proofs = values.map((_, i) => tree.getProof(i));
console.log(JSON.stringify({
  root: tree.root,
  proofs: [proofs[0], proofs.at(-1)],
  root_s: timed(() => StandardMerkleTree.of(values, types).root),
  proofs_s: timed(() => values.map((_, i) => tree.getProof(i))),
}));
"""
MERKLY_SCRIPT = """
import json, statistics, sys, time
from pathlib import Path
from merkly.mtree import MerkleTree
from minting.provenance.keccak import keccak256

def timed(work):
    seconds = []
    for _ in range(1 + %d):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])

texts = json.loads(Path(sys.argv[1]).read_text())
print(json.dumps({
    "merkly, another tree": timed(lambda: MerkleTree(texts).root),
    "merkly with our keccak, another tree": timed(
        lambda: MerkleTree(texts, lambda a, b: keccak256(a + b)).root
    ),
}))
"""


def merkle_trees(asked: argparse.Namespace) -> Iterator[Row]:
    leaves = some_leaves(asked.leaves)
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    n = len(leaves)
    with tempfile.TemporaryDirectory(prefix="morphora-trees-") as name:
        folder = Path(name)
        theirs = openzeppelin(folder / "js", leaves)
        ends = merkle.hashes_proofs(hashes, [0, n - 1])
        assert theirs["root"] == hexed(merkle.root(leaves))
        assert theirs["proofs"] == [[hexed(node) for node in proof] for proof in ends]
        yield Row("merkle root", "OpenZeppelin's JavaScript", n, theirs["root_s"])
        for way, seconds in merkly(folder / "python", leaves).items():
            yield Row("merkle root", way, n, seconds)
        yield Row("merkle root", "ours", n, timed(lambda: merkle.root(leaves)))
        yield Row("merkle proofs", "OpenZeppelin's JavaScript, tree built", n, theirs["proofs_s"])
        everyone = range(n)
        ours = timed(lambda: merkle.hashes_proofs(hashes, everyone))
        yield Row("merkle proofs", "ours, the tree built anew", n, ours)


def some_leaves(n: int) -> list[Leaf]:
    digests = [hashlib.sha256(i.to_bytes(4)).digest() for i in range(2 * n)]
    return [Leaf(i + 1, digests[2 * i], digests[2 * i + 1]) for i in range(n)]


def openzeppelin(folder: Path, leaves: list[Leaf]) -> Any:
    """What their package says of these leaves, and how long it takes."""
    folder.mkdir()
    npm = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(folder)]
    subprocess.run([*npm, OPENZEPPELIN], check=True, capture_output=True)
    (folder / "tree.mjs").write_text(SCRIPT % ROUNDS)
    values = [[str(leaf.token_id), hexed(leaf[1]), hexed(leaf[2])] for leaf in leaves]
    (folder / "values.json").write_text(json.dumps(values))
    node = ["node", "tree.mjs", "values.json"]
    done = subprocess.run(node, cwd=folder, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def merkly(folder: Path, leaves: list[Leaf]) -> dict[str, float]:
    """Seconds of each way, in a process of its own: it wants other packages than ours."""
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(folder), MERKLY], check=True, capture_output=True)
    texts = [(leaf.token_id.to_bytes(32) + leaf[1] + leaf[2]).hex() for leaf in leaves]
    (folder / "texts.json").write_text(json.dumps(texts))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    python = [sys.executable, "-c", MERKLY_SCRIPT % ROUNDS, str(folder / "texts.json")]
    done = subprocess.run(python, env=environment, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def timed(work: Callable[[], object]) -> float:
    """Seconds, the median of five after a first."""
    work()
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def hexed(word: bytes) -> str:
    return "0x" + word.hex()
