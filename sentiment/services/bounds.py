"""How far parameters may be steered: the defaults, and what holders have decided on chain."""

import logging
from collections.abc import Mapping

from generation.models import Collection
from minting.chain.bounds import ENTROPY, STEP, Range, ranges
from minting.services.governance import bounds_at, options_of
from sentiment.control.shares import Bounds, BoundsError
from sentiment.preference.features import Option

logger = logging.getLogger(__name__)

# Holders may hold a collection still; the mathematics asks for some step.
LEAST_STEP = 1e-6


def bounds_of(collection: Collection, until_block: int | None) -> Bounds:
    """The bounds in force after a block; the defaults where nobody decided others.

    What holders voted counts as far as it can be met: ends are cut to what shares can be, and
    ranges of an attribute that no shares meet together are left out.
    """
    found = {} if until_block is None else bounds_at(collection, until_block)
    usual = Bounds()
    low = found[ENTROPY][0] if ENTROPY in found else usual.min_entropy
    step = found[STEP][1] if STEP in found else usual.max_step
    options = options_of(collection)
    return Bounds(
        min_entropy=_within(low, 0.0, 1.0),
        max_step=_within(step, LEAST_STEP, 1.0),
        ranges=_met(ranges(found, options), options),
    )


def _within(value: float, low: float, high: float) -> float:
    return min(max(float(value), low), high)


def _met(voted: Mapping[Option, Range], options: list[Option]) -> dict[Option, tuple[float, float]]:
    """Ranges within [0, 1], of attributes whose options can keep to them."""
    cut = {
        option: (_within(low, 0.0, 1.0), _within(high, 0.0, 1.0))
        for option, (low, high) in voted.items()
    }
    kept: dict[Option, tuple[float, float]] = {}
    for attribute in sorted({attribute for attribute, _ in cut}):
        mine = {option: ends for option, ends in cut.items() if option[0] == attribute}
        values = tuple(value for name, value in options if name == attribute)
        try:
            Bounds(ranges=mine).of(attribute, values)
        except BoundsError as error:
            logger.warning("what holders decided cannot be met: %s", error)
            continue
        kept |= mine
    return kept
