from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.traits.parameters import Parameters, uniform
from sentiment.control.allocate import apply, propose
from sentiment.control.forecast import broken, forecast
from sentiment.control.shares import Bounds
from sentiment.preference.bradley_terry import Belief
from sentiment.preference.features import options

SCHEMA = {"hat": ["red", "blue", "green"], "coat": ["none", "long"]}
NAMES = options(SCHEMA, ["age"])
START = replace(uniform(SCHEMA), directions={"age": 0.0})


def believe(*effects: float, sd: float = 0.1) -> Belief:
    return Belief(np.array([*effects, 0.0]), np.diag([sd**2] * (len(effects) + 1)))


def wearing(red: float, blue: float, green: float, age: float = 0.0) -> Parameters:
    hats = {"red": red, "blue": blue, "green": green}
    return Parameters({**START.distributions, "hat": hats}, directions={"age": age})


def test_the_gain_is_that_worked_by_hand() -> None:
    belief = believe(1, 0, -1, 0, 0, 0.5, -0.2)

    wanted = wearing(1 / 3 + 0.1, 1 / 3, 1 / 3 - 0.1, age=0.3)

    found = forecast(START, wanted, NAMES, belief, Bounds())

    assert found.gain == pytest.approx(0.1 + 0.1 + 0.3 * 0.5 - 0.09 * 0.2)
    assert found.gain_sd == pytest.approx(0.1 * np.sqrt(0.01 + 0.01 + 0.09 + 0.0081))
    assert found.confidence > 0.99
    assert found.broken == ()


def test_a_proposal_is_foretold_what_it_says_itself() -> None:
    belief = believe(1, 0, -1, 0.3, -0.3, 0.5, -0.2)
    plan = propose(START, NAMES, belief)

    found = forecast(START, apply(START, plan), NAMES, belief, Bounds())

    assert (found.gain, found.gain_sd) == pytest.approx((plan.gain, plan.gain_sd))
    assert found.confidence == pytest.approx(plan.confidence)
    assert found.broken == ()


def test_nothing_changed_is_nothing_gained() -> None:
    found = forecast(START, START, NAMES, believe(1, 0, -1, 0, 0, 0.5, -0.2), Bounds())

    assert (found.gain, found.gain_sd, found.confidence, found.broken) == (0, 0, 0.5, ())


BREACHES = {
    "hat: red is below 2.0%": wearing(0.01, 0.5, 0.49),
    "hat: evenness 0.36 is below 0.70": wearing(0.9, 0.05, 0.05),
    "hat: 56.7% of works change, 25.0% may": wearing(0.9, 0.05, 0.05),
    "age: 2.50 is beyond 2.00 sd": wearing(1 / 3, 1 / 3, 1 / 3, age=2.5),
    "age: moves by more than 0.30 sd": wearing(1 / 3, 1 / 3, 1 / 3, age=0.5),
}


@pytest.mark.parametrize(("said", "wanted"), BREACHES.items(), ids=BREACHES.keys())
def test_what_is_broken_is_said_in_words(said: str, wanted: Parameters) -> None:
    assert said in list(broken(START, wanted, Bounds()))


def test_more_than_was_promised_is_said() -> None:
    bounds = Bounds(ranges={("hat", "red"): (0.0, 0.1)})

    assert "hat: red is above 10.0%" in broken(START, wearing(0.4, 0.3, 0.3), bounds)


@given(st.floats(0, 1))
def test_a_way_back_from_broken_bounds_breaks_none(part: float) -> None:
    outside = wearing(0.98, 0.01, 0.01)
    hats = {
        name: share + 0.3 * part * (1 / 3 - share)
        for name, share in outside.distributions["hat"].items()
    }

    back = replace(outside, distributions={**outside.distributions, "hat": hats})

    assert list(broken(outside, back, Bounds())) == []


def test_a_value_that_nobody_knows_is_refused() -> None:
    other = Parameters({"hat": {"red": 1.0}, "coat": START.distributions["coat"]})

    with pytest.raises(ValueError, match="hat has no blue"):
        forecast(START, other, NAMES, believe(1, 0, -1, 0, 0, 0.5, -0.2), Bounds())
