"""The planner of a drop: from what is asked to the traits of every place, and to filling them."""

from generation.traits.planner.check import Problem, check
from generation.traits.planner.exact import UndecidedError
from generation.traits.planner.plan import ImpossibleError, attempt_seed, plan
from generation.traits.planner.quota import Quota, QuotaError, Verdict
from generation.traits.planner.request import (
    Counts,
    Curve,
    Request,
    RequestError,
    Shares,
    counts,
    exclude,
    include,
    sentence,
)

__all__ = [
    "Counts",
    "Curve",
    "ImpossibleError",
    "Problem",
    "Quota",
    "QuotaError",
    "Request",
    "RequestError",
    "Shares",
    "UndecidedError",
    "Verdict",
    "attempt_seed",
    "check",
    "counts",
    "exclude",
    "include",
    "plan",
    "sentence",
]
