"""Pictures of a law that is tried on works of the past."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generation.models import Checkpoint
from minting.evolution import latents, laws, levels, network
from minting.evolution.laws import CODES
from minting.evolution.network import LATENTS
from minting.evolution.rules import Law
from minting.provenance.keccak import keccak256
from minting.services.painting import network_of

Pictures = NDArray[np.uint8]
MIDDLE = 128


def draw_examples(
    checkpoint: Checkpoint, law: Law, works: Sequence[str], own: NDArray[np.uint8]
) -> tuple[Pictures, Pictures]:
    """Works as a contract would draw them at first, and at their levels; NoStudentError.

    ``own``: [N, K]. Both results are [N, 32, 32, 3]. A work of the past was drawn by another
    generator, or in another way: here its name gives the 32 bytes that it is drawn from.
    """
    student = network_of(checkpoint)
    schema = latents.attributes(student)
    words = [keccak256(f"trial/{work}".encode()) for work in works]
    found = b"".join(latents.latents_of(schema, word) for word in words)
    start = np.frombuffer(found, np.uint8).reshape(-1, LATENTS)
    moved = levels.move(start, own, law.directions)
    return network.draw_layers(student.layers, start), network.draw_layers(student.layers, moved)


def draw_directions(checkpoint: Checkpoint, n_steps: int = 5) -> dict[str, Pictures]:
    """By its name, what each direction does to one work on the way to a highest level.

    [n_steps, 32, 32, 3] from the work as it begins. NoStudentError.
    """
    student = network_of(checkpoint)
    word = keccak256(b"trial/directions")
    begun = np.frombuffer(latents.latents_of(latents.attributes(student), word), np.uint8)
    start = np.concatenate([begun[:CODES], np.full(LATENTS - CODES, MIDDLE, np.uint8)])
    steps = np.linspace(0, n_steps - 1, n_steps).astype(np.uint8)[:, None]
    return {
        name: network.draw_layers(
            student.layers,
            levels.move(
                start[None].repeat(n_steps, 0),
                steps,
                np.array([laws.vector(name, n_steps - 1)], np.int8),
            ),
        )
        for name in laws.DIRECTIONS
    }
