"""What an address names, fetched and hashed: whoever gave the bytes is believed nothing.

Gateways: https://specs.ipfs.tech/http-gateways/path-gateway/ and .../trustless-gateway/
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import quote

import orjson

from minting.provenance import car, cid
from minting.provenance.keccak import keccak256
from minting.publishing.transport import (
    BusyError,
    OddAnswerError,
    PublishingError,
    RefusedError,
    Session,
    check_url,
    host,
)

RAW_TYPE = "application/vnd.ipld.raw"
MAX_METADATA_BYTES = 2**20
MAX_IMAGE_BYTES = 64 * 2**20
# Nobody has it (404), it may not be given (410), or nobody was found in time who has it (504).
ABSENT = frozenset({404, 410, 504})
PATIENCE = 2  # requests in a row that a gateway may leave unanswered before it is left alone


class Found(StrEnum):
    """What became of an address, from best to worst known."""

    FOUND = "found"
    WRONG = "wrong"  # other bytes than were committed to
    MISSING = "missing"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Sight:
    """What was found, of which file, through which server; ``why`` where it is not there."""

    found: Found
    file: str = ""
    through: str = ""
    why: str = ""


@dataclass(frozen=True)
class Wanted:
    """A work's address and the hashes it was committed with."""

    uri: str
    metadata_keccak256: str
    image_sha256: str


class NoGatewayError(Exception):
    """No gateway is set, or none that still answers."""


class Gateways:
    """Gateways in the order in which they are asked, those that are away left out for a while.

    Parameters
    ----------
    urls
        http or https, without the ``/ipfs/``.
    deadline_s
        seconds for one answer.
    """

    def __init__(self, urls: Sequence[str], deadline_s: float = 15.0) -> None:
        self._away = dict.fromkeys(urls, 0)
        self._session = Session(tries=1, deadline_s=deadline_s, idle_s=deadline_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.__exit__(kind, error, trace)

    @property
    def left(self) -> list[str]:
        return [url for url, n in self._away.items() if n < PATIENCE]

    def look(self, wanted: Wanted) -> Sight:
        """A work's metadata and its picture: both are found, or which one is not.

        An ipfs:// address is asked of one gateway after the other until one has it. What is said
        of it is the most that any of them showed.

        Raises
        ------
        NoGatewayError
            Nobody is left to be asked.
        """
        sight, raw = self._fetch(wanted.uri, MAX_METADATA_BYTES, _keccak(wanted))
        if sight.found != Found.FOUND:
            return _of(sight, "metadata")
        image = _image(raw)
        sight, _ = self._fetch(image, MAX_IMAGE_BYTES, _sha256(wanted))
        return _of(sight, "image")

    def has_block(self, name: str) -> Sight:
        """Whether a gateway gives a block, as bytes that hash to its CID."""
        path = f"/ipfs/{name}?format=raw"
        sight, _ = self._ask(
            [url + path for url in self.left],
            car.MAX_BLOCK_BYTES,
            lambda raw: cid.make(cid.from_text(name)[1], raw) == cid.from_text(name),
            {"Accept": RAW_TYPE},
        )
        return _of(sight, name)

    def _fetch(
        self, uri: str, most_bytes: int, is_right: Callable[[bytes], bool]
    ) -> tuple[Sight, bytes]:
        if uri.startswith("ipfs://"):
            path = "/ipfs/" + quote(uri.removeprefix("ipfs://").removeprefix("ipfs/"))
            return self._ask([url + path for url in self.left], most_bytes, is_right, {})
        try:
            check_url(uri)
        except ValueError:
            return Sight(Found.MISSING, why="an address that is neither ipfs nor http"), b""
        return self._ask([uri], most_bytes, is_right, {})

    def _ask(
        self,
        urls: Sequence[str],
        most_bytes: int,
        is_right: Callable[[bytes], bool],
        headers: dict[str, str],
    ) -> tuple[Sight, bytes]:
        if not urls:
            raise NoGatewayError
        worst: Sight | None = None
        for url in urls:
            sight, raw = self._one(url, most_bytes, is_right, headers)
            if sight.found == Found.FOUND:
                return sight, raw
            if worst is None or _ORDER.index(sight.found) < _ORDER.index(worst.found):
                worst = sight
        assert worst is not None
        return worst, b""

    def _one(
        self, url: str, most_bytes: int, is_right: Callable[[bytes], bool], headers: dict[str, str]
    ) -> tuple[Sight, bytes]:
        through = host(url)
        try:
            reply = self._session.ask(
                "GET", url, headers=headers, most_bytes=most_bytes, follow=True
            )
            raw = reply.body
        except (RefusedError, BusyError) as error:
            is_absent = error.status in ABSENT
            self._note(url, is_away=not is_absent)
            found = Found.MISSING if is_absent else Found.UNREACHABLE
            return Sight(found, through=through, why=f"status {error.status}"), b""
        except OddAnswerError as error:
            return Sight(Found.WRONG, through=through, why=str(error)), b""
        except PublishingError as error:
            self._note(url, is_away=True)
            return Sight(Found.UNREACHABLE, through=through, why=str(error)), b""
        self._note(url, is_away=False)
        if not is_right(raw):
            return Sight(Found.WRONG, through=through, why="other bytes than committed to"), b""
        return Sight(Found.FOUND, through=through), raw

    def _note(self, url: str, *, is_away: bool) -> None:
        for gateway in self._away:
            if url.startswith(gateway + "/"):
                self._away[gateway] = self._away[gateway] + 1 if is_away else 0


_ORDER = [Found.WRONG, Found.MISSING, Found.UNREACHABLE]


def _keccak(wanted: Wanted) -> Callable[[bytes], bool]:
    return lambda raw: keccak256(raw).hex() == wanted.metadata_keccak256


def _sha256(wanted: Wanted) -> Callable[[bytes], bool]:
    return lambda raw: hashlib.sha256(raw).hexdigest() == wanted.image_sha256


def _of(sight: Sight, file: str) -> Sight:
    is_there = sight.found == Found.FOUND
    return Sight(sight.found, "" if is_there else file, sight.through, sight.why)


def _image(raw: bytes) -> str:
    """The picture's address in metadata whose hash is the committed one."""
    return str(orjson.loads(raw).get("image", ""))
