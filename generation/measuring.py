"""How far works lie along the directions that steer their drop. Imports torch: workers only."""

import numpy as np

from generation import services
from generation.gan.render import coordinates
from generation.models import Artwork, Drop
from generation.rendering import DIGITS, networks, spec_of


def measure_latents(*, drop: Drop) -> int:
    """Measure the accepted works of a drop that is steered by directions; how many. Twice is fine.

    They follow from seeds and parameters, so nothing has to be drawn.
    """
    parameters = drop.parameter_set.parameters
    works = list(drop.artworks.accepted().in_order())
    if not parameters.directions or not any(not work.latents for work in works):
        return 0
    generator, _ = networks(drop.checkpoint)
    steps = services.named_steps(drop.checkpoint, parameters)
    found = coordinates(generator, [spec_of(work) for work in works], parameters, steps)
    _store(works, found)
    return len(works)


def _store(works: list[Artwork], found: dict[str, np.ndarray]) -> None:
    for row, work in enumerate(works):
        work.latents = {name: round(float(along[row]), DIGITS) for name, along in found.items()}
    services.update_works(works, ["latents"])
