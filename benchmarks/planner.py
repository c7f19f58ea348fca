"""Seconds for a plan, and how far its pairs of attributes are from independence.

Run it with `OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.planner`. Attributes and their numbers
of values are like those of the shipped portraits; every share is by Zipf's law. Rules are random,
the same in every run, of those requests that can be met.
"""

import time
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from generation.imaging.compose import Rule
from generation.traits.planner import Curve, Request, check, exclude, include, plan

N_VALUES = [12, 8, 6, 10, 7, 5, 9]
SCHEMA = {f"a{k}": [f"v{i}" for i in range(n)] for k, n in enumerate(N_VALUES)}
SEED = bytes(range(32))


def main() -> None:
    print(f"{len(SCHEMA)} attributes of {N_VALUES} values; median of 3 requests (slowest)")
    print("works rules    plan s (max)   check s  repeats  TV no rule  (chance)  TV under a rule")
    for size in (1_000, 10_000):
        for n_rules in (0, 5, 20):
            rows = np.array([_measured(size, n_rules, draw) for draw in range(3)])
            mid, top = np.median(rows, axis=0), rows.max(0)
            print(
                f"{size:6,} {n_rules:4} {mid[0]:10.2f} ({top[0]:.2f}) {mid[1]:8.2f} {top[2]:8.0f}"
                f" {mid[3]:10.4f} {mid[4]:10.4f} {mid[5]:14.4f}"
            )


def _measured(size: int, n_rules: int, draw: int) -> tuple[float, ...]:
    request = _request(size, n_rules, np.random.default_rng([n_rules, draw]))
    started = time.perf_counter()
    works = plan(request, SCHEMA, SEED)
    planned = time.perf_counter()
    check(request, SCHEMA)
    checked = time.perf_counter()
    codes = np.array([[SCHEMA[name].index(work[name]) for name in SCHEMA] for work in works])
    ruled = {frozenset((rule.category, rule.other)) for rule in request.rules}
    free: list[float] = []
    bound: list[float] = []
    chance = []
    rng = np.random.default_rng(0)
    for a, b in combinations(range(len(SCHEMA)), 2):
        distance = total_variation(codes[:, a], codes[:, b])
        (bound if frozenset((f"a{a}", f"a{b}")) in ruled else free).append(distance)
        chance.append(total_variation(codes[:, a], rng.permutation(codes[:, b])))
    n_repeats = size - len(np.unique(codes, axis=0))
    mean_bound = float(np.mean(bound)) if bound else 0.0
    return (
        planned - started,
        checked - planned,
        n_repeats,
        float(np.mean(free)),
        float(np.mean(chance)),
        mean_bound,
    )


def _request(size: int, n_rules: int, rng: np.random.Generator) -> Request:
    amounts = {name: Curve("zipf", 0.7, tuple(values)) for name, values in SCHEMA.items()}
    while True:
        request = Request(size, dict(amounts), tuple(_rule(rng) for _ in range(n_rules)))
        if not check(request, SCHEMA):
            return request


def _rule(rng: np.random.Generator) -> Rule:
    """Two in five require half the values of another attribute; the rest exclude two of them."""
    a, b = rng.choice(len(N_VALUES), 2, replace=False)
    value = f"v{rng.integers(N_VALUES[a])}"
    is_include = rng.random() < 0.4
    n = max(2, N_VALUES[b] // 2) if is_include else 2
    values = [f"v{i}" for i in rng.choice(N_VALUES[b], n, replace=False)]
    return (include if is_include else exclude)(f"a{a}", value, f"a{b}", *values)


def total_variation(one: NDArray[np.int64], two: NDArray[np.int64]) -> float:
    """Half the summed distance of the joint shares from the product of the shares; in [0, 1]."""
    joint = np.zeros((one.max() + 1, two.max() + 1))
    np.add.at(joint, (one, two), 1 / len(one))
    return float(np.abs(joint - np.outer(joint.sum(1), joint.sum(0))).sum() / 2)


if __name__ == "__main__":
    main()
