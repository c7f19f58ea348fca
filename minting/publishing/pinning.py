"""Services that keep what a CID names: the IPFS Pinning Service API, version 1.

https://ipfs.github.io/pinning-services-api-spec/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from minting.publishing.transport import NOT_DONE, OddAnswerError, Session, check_url, host

MAX_NAME = 255  # characters, by the specification
MAX_ORIGINS = 20


class PinState(StrEnum):
    QUEUED = "queued"
    PINNING = "pinning"
    PINNED = "pinned"
    FAILED = "failed"


@dataclass(frozen=True)
class Pin:
    """A service's word for a pin: ``details`` is its reason, empty if it gives none."""

    request_id: str
    state: PinState
    cid: str
    details: str


class PinningService:
    """The API at ``url``, the address that its paths begin at."""

    def __init__(self, url: str, session: Session) -> None:
        check_url(url)
        self._url = url.rstrip("/") + "/pins"
        self._host = host(url)
        self._session = session

    def add(
        self, cid: str, *, name: str, origins: Sequence[str] = (), meta: Mapping[str, str]
    ) -> Pin:
        """Ask for a pin. A lost answer is not asked for again: ``find`` says whether it is there.

        Parameters
        ----------
        origins
            multiaddresses of nodes that have the blocks; at most 20 are taken.
        """
        request = {
            "cid": cid,
            "name": name[:MAX_NAME],
            "origins": list(origins)[:MAX_ORIGINS],
            "meta": dict(meta),
        }
        reply = self._session.ask("POST", self._url, json=request, passing=NOT_DONE)
        return self._pin(reply.json(self._host))

    def get(self, request_id: str) -> Pin:
        """How a pin is getting on; RefusedError with 404 if the service does not know it."""
        reply = self._session.ask("GET", self._one(request_id))
        return self._pin(reply.json(self._host))

    def find(self, cid: str) -> Pin | None:
        """The newest pin of a CID in any state, if there is one."""
        params = {"cid": cid, "status": ",".join(PinState), "limit": "1"}
        found = self._session.ask("GET", self._url, params=params).json(self._host)
        results = found.get("results") if isinstance(found, dict) else None
        if not isinstance(results, list):
            raise OddAnswerError(self._host, "no list of pins")
        return self._pin(results[0]) if results else None

    def remove(self, request_id: str) -> None:
        """Let the service forget a pin."""
        self._session.ask("DELETE", self._one(request_id))

    def _one(self, request_id: str) -> str:
        return f"{self._url}/{quote(request_id, safe='')}"

    def _pin(self, told: Any) -> Pin:
        try:
            info = told.get("info") or {}
            return Pin(
                request_id=str(told["requestid"]),
                state=PinState(told["status"]),
                cid=str(told["pin"]["cid"]),
                details=str(info.get("status_details", ""))[:200],
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise OddAnswerError(self._host, "no pin") from error
