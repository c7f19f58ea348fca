"""The planner of a drop: from what is asked to the traits of every place, and to filling them."""

from generation.traits.planner.check import Problem, check
from generation.traits.planner.exact import UndecidedError
from generation.traits.planner.plan import ImpossibleError, attempt_seed, plan
from generation.traits.planner.quota import Quota, QuotaError, Verdict
from generation.traits.planner.request import (
    CURVES,
    Counts,
    Curve,
    Request,
    RequestError,
    Shares,
    counts,
    exclude,
    include,
    parse_rule,
    sentence,
)

__all__ = [
    "CURVES",
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
    "parse_rule",
    "plan",
    "sentence",
]
