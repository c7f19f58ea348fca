"""Canonical JSON (RFC 8785): one sequence of bytes for one value, so that it can be hashed."""

import math
from typing import Any

import rfc8785

MAX_DEPTH = 100
# Beyond it a reader that holds numbers as doubles would read another integer (RFC 8785, 3.2.2.3).
MAX_INTEGER = 2**53 - 1
# Doubles below it are written without an exponent (ECMA-262, Number::toString).
WRITTEN_WITH_EXPONENT = 1e21


class CanonicalError(ValueError):
    """A value has no canonical form; ``path`` says where in it, ``reason`` why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def canonicalize(value: Any) -> bytes:
    """UTF-8 bytes of ``value`` by RFC 8785.

    Parameters
    ----------
    value
        None, bool, int, float, str, and lists, tuples and dicts of these, at most 100 deep.

    Raises
    ------
    CanonicalError
        Another type, a key that is not text, text with a lone surrogate, a number that is not
        finite or would be written as an integer beyond 2^53 - 1: two readers could disagree about
        what was hashed.
    """
    _check(value, "$", 0)
    return rfc8785.dumps(value)


def _check(value: Any, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise CanonicalError(path, f"deeper than {MAX_DEPTH}")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise CanonicalError(path, "an integer beyond 2^53 - 1")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise CanonicalError(path, "not a finite number")
        if MAX_INTEGER < abs(value) < WRITTEN_WITH_EXPONENT:
            raise CanonicalError(path, "written out, an integer beyond 2^53 - 1")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise CanonicalError(path, f"a key is {type(key).__name__}, not text")
            _check_text(key, path)
            _check(item, f"{path}.{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            _check(item, f"{path}[{place}]", depth + 1)
    else:
        raise CanonicalError(path, f"{type(value).__name__} is no JSON value")


def _check_text(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CanonicalError(path, "text with a lone surrogate") from error
