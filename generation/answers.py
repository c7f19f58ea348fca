"""Answers to pages that wait: a worker leaves one at the broker, the web process takes it once.

Neither rows nor files: what nobody fetches is gone after a minute.
"""

from functools import lru_cache

from django.conf import settings
from redis import Redis

KEPT_S = 60


class UnansweredError(Exception):
    """Nobody answered in time; ``waited_s`` says how long that was."""

    def __init__(self, waited_s: float) -> None:
        super().__init__(f"no answer in {waited_s:g} s")
        self.waited_s = waited_s


class ProblemError(Exception):
    """The worker's answer is that it cannot; the message says why."""


def leave(name: str, picture: bytes = b"", *, problem: str = "") -> None:
    """Answer the question ``name`` by a picture, or by what stands in its way."""
    body = b"-" + problem.encode() if problem else b"+" + picture
    key = _key(name)
    with _broker(settings.REDIS_URL).pipeline() as pipe:
        pipe.rpush(key, body)
        pipe.expire(key, KEPT_S)
        pipe.execute()


def wait_for(name: str, limit_s: float) -> bytes:
    """The picture that answers ``name``; UnansweredError or ProblemError if none does."""
    found = _broker(settings.REDIS_URL).blpop([_key(name)], timeout=limit_s)
    if found is None:
        raise UnansweredError(limit_s)
    body = found[1]
    assert isinstance(body, bytes)
    if body[:1] == b"-":
        raise ProblemError(body[1:].decode())
    return body[1:]


def _key(name: str) -> str:
    return f"morphora:answer:{name}"


@lru_cache(maxsize=1)
def _broker(url: str) -> Redis:
    """A pool of connections for the process; its threads share it."""
    return Redis.from_url(url, socket_connect_timeout=2, socket_timeout=KEPT_S)
