"""Sending parts of a CAR file: to a node's RPC interface, or by PUT to an address of their own.

A part may be sent any number of times: blocks are stored under their CIDs, files under their
digests.
"""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from urllib3.filepost import encode_multipart_formdata

from minting.publishing.parts import Part
from minting.publishing.transport import OddAnswerError, Session, check_url, host

CAR_TYPE = "application/vnd.ipld.car"
# The way there has CONNECT_S for each slice: 6.5 kB/s are enough.
SLICE_BYTES = 2**16

Told = Callable[[int], None]  # takes how many bytes of a part are on their way


class Sliced:
    """Bytes in slices; ``told`` is called before each, and may raise to end the request."""

    def __init__(self, raw: bytes, told: Told) -> None:
        self._raw = raw
        self._told = told

    def __len__(self) -> int:
        return len(self._raw)

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._raw), SLICE_BYTES):
            self._told(at)
            yield self._raw[at : at + SLICE_BYTES]


class Node:
    """The RPC interface of Kubo and those that offer the same, below ``url``.

    https://docs.ipfs.tech/reference/kubo/rpc/
    """

    def __init__(self, url: str, session: Session) -> None:
        check_url(url)
        self._url = url.rstrip("/").removesuffix("/api/v0") + "/api/v0"
        self._host = host(url)
        self._session = session

    def send(self, part: Part, raw: bytes, told: Told) -> None:
        """Import a part. OddAnswerError unless the node says that it has each block of it.

        The statistics stand at the end of the answer: an error on the way leaves them out.
        """
        form = {"file": (f"{part.sha256}.car", raw, CAR_TYPE)}
        body, content_type = encode_multipart_formdata(form)
        reply = self._session.ask(
            "POST",
            f"{self._url}/dag/import",
            params={"pin-roots": "false", "stats": "true"},
            headers={"Content-Type": content_type} | _named(part),
            body=Sliced(body, told),
        )
        found = [line["Stats"] for line in self._lines(reply.body) if line.get("Stats")]
        if len(found) != 1 or found[0].get("BlockCount") != part.n_blocks:
            raise OddAnswerError(self._host, f"it did not import {part.n_blocks} blocks")

    def pin(self, cid: str) -> None:
        """Keep everything below a CID, all of whose blocks were sent."""
        reply = self._session.ask(
            "POST", f"{self._url}/pin/add", params={"arg": cid, "recursive": "true"}
        )
        pins = [one for line in self._lines(reply.body) for one in line.get("Pins") or []]
        if cid not in pins:
            raise OddAnswerError(self._host, "it does not say that it keeps the root")

    def _lines(self, body: bytes) -> list[dict[str, Any]]:
        try:
            found = [orjson.loads(line) for line in body.splitlines() if line.strip()]
        except ValueError as error:
            raise OddAnswerError(self._host, "no JSON") from error
        if not all(isinstance(line, dict) for line in found):
            raise OddAnswerError(self._host, "no JSON objects")
        return found


class Place:
    """Addresses that take a file each: ``{root}``, ``{part}`` and ``{sha256}`` are filled in."""

    def __init__(self, template: str, session: Session) -> None:
        check_url(template)
        if "{sha256}" not in template and not ("{root}" in template and "{part}" in template):
            raise ValueError("needs {sha256}, or {root} and {part}, or parts replace each other")
        self._template = template
        self._session = session

    def address(self, root: str, part: Part) -> str:
        filled = self._template.replace("{root}", root).replace("{part}", str(part.number))
        return filled.replace("{sha256}", part.sha256)

    def send(self, root: str, part: Part, raw: bytes, told: Told) -> None:
        self._session.ask(
            "PUT",
            self.address(root, part),
            headers={"Content-Type": CAR_TYPE} | _named(part),
            body=Sliced(raw, told),
        )


def _named(part: Part) -> dict[str, str]:
    """The part's digest, for servers that look (RFC 9530), and its name, for those that count."""
    digest = base64.b64encode(bytes.fromhex(part.sha256)).decode()
    return {"Repr-Digest": f"sha-256=:{digest}:", "Idempotency-Key": part.sha256}
