"""HTTP requests that come to an end: bounded answers, few tries, no token in any message."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import orjson
import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

CONNECT_S = 10.0
IDLE_S = 60.0
CHUNK_BYTES = 2**16
MAX_ANSWER_BYTES = 2**20
MAX_REASON = 200
TRIES = 4
# Longer waits that a server asks for are the caller's: it has other things to do meanwhile.
MAX_WAIT_S = 30.0
PASSING = frozenset({429, 500, 502, 503, 504})
# Where a request must not take effect twice: those that say that it had none.
NOT_DONE = frozenset({429, 503})
ADVICE = {
    401: "it does not take the token",
    403: "the token may not do this, or the account is used up",
    413: "what was sent is too large for it: make parts smaller",
}

Wait = Callable[[float], None]


class PublishingError(Exception):
    """Something about a place that keeps files, or the way to it, is wrong."""


class AwayError(PublishingError):
    """No answer, or none that can be read: the request may or may not have had its effect."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host} cannot be reached: {why}")
        self.host = host


class BusyError(PublishingError):
    """The server asks to come back later; ``after_s`` is what it said, 0 if nothing."""

    def __init__(self, host: str, status: int, after_s: float, why: str) -> None:
        super().__init__(f"{host} answers {status}{': ' if why else ''}{why}")
        self.host = host
        self.status = status
        self.after_s = after_s


class RefusedError(PublishingError):
    """The server will not do it, however often it is asked."""

    def __init__(self, host: str, status: int, why: str) -> None:
        said = "; ".join(part for part in (ADVICE.get(status, ""), why) if part)
        super().__init__(f"{host} refuses with {status}{': ' if said else ''}{said}")
        self.host = host
        self.status = status


class OddAnswerError(PublishingError):
    """The server answers something else than its protocol says."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host} answers oddly: {why}")
        self.host = host


class Body(Protocol):
    """What is sent, once for each try; its length is known."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Any: ...


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes

    def json(self, host: str) -> Any:
        try:
            return orjson.loads(self.body)
        except ValueError as error:
            raise OddAnswerError(host, "no JSON") from error


class _Authorization(AuthBase):
    """A header; as the session's auth it keeps .netrc from taking its place."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


class Session:
    """Requests to one server. The token is in headers only and never in a message.

    Parameters
    ----------
    token
        sent as ``Authorization: Bearer``; one that names its own scheme (``Basic ...``) as it is.
    tries
        how often a request is made at most while the server is away or says to come back.
    deadline_s
        seconds that one request may take, reading its answer included. What is sent may take
        longer, as long as the server keeps taking it.
    wait
        called with seconds between tries.
    """

    def __init__(
        self,
        *,
        token: str = "",
        tries: int = TRIES,
        deadline_s: float = 120.0,
        idle_s: float = IDLE_S,
        wait: Wait = time.sleep,
    ) -> None:
        self._token = token
        self._tries = tries
        self._deadline_s = deadline_s
        self._idle_s = idle_s
        self._wait = wait
        self._session = requests.Session()
        self._session.headers["Accept-Encoding"] = "identity"
        if token:
            self._session.auth = _Authorization(token if " " in token else f"Bearer {token}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def ask(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: Body | None = None,
        most_bytes: int = MAX_ANSWER_BYTES,
        passing: Iterable[int] = PASSING,
        follow: bool = False,
    ) -> Reply:
        """The answer to a request, if it says that all went well.

        Raises
        ------
        AwayError
            No answer after the last try.
        BusyError
            A status of ``passing`` after the last try, or a wait that is too long to be made here.
        RefusedError
            Any other status than 2xx.
        OddAnswerError
            More than ``most_bytes``.
        """
        data = orjson.dumps(json) if json is not None else body
        named = dict(headers or {})
        if json is not None:
            named["Content-Type"] = "application/json"
        again = frozenset(passing)
        for number in range(self._tries):
            is_last = number + 1 == self._tries
            try:
                return self._once(
                    method,
                    url,
                    data,
                    most_bytes,
                    again,
                    params=params,
                    headers=named,
                    follow=follow,
                )
            except BusyError as error:
                if is_last or error.after_s > MAX_WAIT_S:
                    raise
                self._wait(error.after_s or 2.0**number)
            except AwayError:
                if is_last or again != PASSING:
                    raise
                self._wait(2.0**number)
        raise AssertionError("no try was made")

    def _once(
        self,
        method: str,
        url: str,
        data: Any,
        most_bytes: int,
        again: frozenset[int],
        *,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        follow: bool,
    ) -> Reply:
        name = host(url)
        try:
            with self._session.request(
                method,
                url,
                params=params,
                headers=headers,
                data=data,
                timeout=(CONNECT_S, self._idle_s),
                allow_redirects=follow,
                stream=True,
            ) as reply:
                content = self._read(name, reply, most_bytes)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise AwayError(name, type(error).__name__) from error
        if reply.ok and reply.status_code < 300:
            return Reply(reply.status_code, content)
        why = self._reason(content)
        if reply.status_code in again:
            raise BusyError(name, reply.status_code, _after(reply), why)
        raise RefusedError(name, reply.status_code, why)

    def _read(self, name: str, reply: requests.Response, most_bytes: int) -> bytes:
        """The answer as it comes in: one that trickles is given up after its time."""
        ends = time.monotonic() + self._deadline_s
        content = bytearray()
        while chunk := reply.raw.read1(CHUNK_BYTES):
            content += chunk
            if len(content) > most_bytes:
                raise OddAnswerError(name, f"more than {most_bytes} bytes")
            if time.monotonic() > ends:
                raise AwayError(name, "its answer takes too long")
        return bytes(content)

    def _reason(self, content: bytes) -> str:
        """What the server says, one line of it, without our secret should it repeat it."""
        said = _said(content)
        for secret in (self._token, self._token.rpartition(" ")[2]):
            if secret:
                said = said.replace(secret, "…")
        return " ".join(said.split())[:MAX_REASON]


def host(url: str) -> str:
    """Which server a URL is of: all that is told of it, as the rest may hold a key."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2]


def check_url(url: str) -> None:
    """ValueError unless it is an http or https URL with a host."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an http or https URL: {parts.scheme or 'none'}:")


def _after(reply: requests.Response) -> float:
    """Seconds that Retry-After asks for (RFC 9110, 10.2.3); its dates are not read."""
    text = reply.headers.get("Retry-After", "")
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _said(content: bytes) -> str:
    try:
        told = orjson.loads(content)
    except ValueError:
        text = content.decode("utf-8", "replace")
        return "" if text.lstrip().startswith("<") else text
    if not isinstance(told, dict):
        return ""
    error = told.get("error")
    if isinstance(error, dict):  # IPFS pinning services
        return ": ".join(str(error[key]) for key in ("reason", "details") if error.get(key))
    return str(told.get("Message") or error or told.get("message") or "")
