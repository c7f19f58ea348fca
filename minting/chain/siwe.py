"""Sign-in with Ethereum: EIP-4361 messages, read strictly, checked against what was asked.

A nonce is good once; remembering that is the caller's part.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from eth_account.messages import encode_defunct
from eth_utils.address import to_checksum_address

from minting.chain.signatures import SignatureError, recover

MAX_MESSAGE_BYTES = 4096
# A message may be good for a day, and may be issued a minute ahead of our clock.
MAX_LIFETIME = timedelta(days=1)
CLOCK_SKEW = timedelta(minutes=1)

_TIME = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})"
_URI = r"[a-z][a-z0-9+.-]*:[!-~]+"
_MESSAGE = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<domain>[A-Za-z0-9.:\[\]_~%-]+)"
    r" wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9a-fA-F]{40})\n\n"
    r"(?:(?P<statement>[ -~]+)\n)?\n"
    rf"URI: (?P<uri>{_URI})\n"
    r"Version: (?P<version>1)\n"
    r"Chain ID: (?P<chain_id>[1-9]\d{0,18})\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,128})\n"
    rf"Issued At: (?P<issued_at>{_TIME})"
    rf"(?:\nExpiration Time: (?P<expiration_time>{_TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{_TIME}))?"
    r"(?:\nRequest ID: (?P<request_id>[!-~]*))?"
    rf"(?P<resources>\nResources:(?:\n- {_URI})*)?",
    re.ASCII,
)


class SiweError(Exception):
    """A message or its signature is refused; ``code`` is stable, ``detail`` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class SiweMessage:
    """The fields of an EIP-4361 message; times carry an offset, the address is in checksum case."""

    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: datetime
    statement: str | None = None
    expiration_time: datetime | None = None
    not_before: datetime | None = None
    request_id: str | None = None
    resources: tuple[str, ...] = ()
    scheme: str | None = None


def build(message: SiweMessage) -> str:
    """The text a wallet signs; SiweError if a field does not fit the format."""
    scheme = f"{message.scheme}://" if message.scheme else ""
    lines = [
        f"{scheme}{message.domain} wants you to sign in with your Ethereum account:",
        message.address,
        "",
        *([message.statement] if message.statement is not None else []),
        "",
        f"URI: {message.uri}",
        "Version: 1",
        f"Chain ID: {message.chain_id}",
        f"Nonce: {message.nonce}",
        f"Issued At: {_write_time(message.issued_at)}",
    ]
    if message.expiration_time:
        lines.append(f"Expiration Time: {_write_time(message.expiration_time)}")
    if message.not_before:
        lines.append(f"Not Before: {_write_time(message.not_before)}")
    if message.request_id is not None:
        lines.append(f"Request ID: {message.request_id}")
    if message.resources:
        lines += ["Resources:", *(f"- {uri}" for uri in message.resources)]
    text = "\n".join(lines)
    if parse(text) != message:
        raise SiweError("bad_format", "a field would be read as another")
    return text


def parse(text: str) -> SiweMessage:
    """Read a message by the grammar of EIP-4361; anything else is SiweError bad_format."""
    if len(text.encode(errors="surrogatepass")) > MAX_MESSAGE_BYTES:
        raise SiweError("too_long", f"more than {MAX_MESSAGE_BYTES} bytes")
    match = _MESSAGE.fullmatch(text)
    if match is None:
        raise SiweError("bad_format", "not an EIP-4361 message")
    address = match["address"]
    if address != to_checksum_address(address):
        raise SiweError("address_case", "the address is not in EIP-55 checksum case")
    resources = (match["resources"] or "").split("\n- ")[1:]
    return SiweMessage(
        domain=match["domain"],
        address=address,
        uri=match["uri"],
        chain_id=int(match["chain_id"]),
        nonce=match["nonce"],
        issued_at=_read_time(match["issued_at"]),
        statement=match["statement"],
        expiration_time=_read_time(match["expiration_time"]) if match["expiration_time"] else None,
        not_before=_read_time(match["not_before"]) if match["not_before"] else None,
        request_id=match["request_id"],
        resources=tuple(resources),
        scheme=match["scheme"],
    )


def verify(
    text: str, signature: str, *, domain: str, uri: str, chain_id: int, nonce: str, now: datetime
) -> str:
    """The checksum address that signed ``text``, if it says what was asked; else SiweError.

    Parameters
    ----------
    text, signature
        the message and its EIP-191 signature, 65 bytes in hex with 0x.
    domain
        the host (and port, if any) the visitor is on.
    uri
        the origin the message must be for: scheme, host and port. A path below it is accepted.
    chain_id, nonce
        what the server gave out.
    now
        an aware datetime.
    """
    message = parse(text)
    asked = [
        (message.domain == domain and message.scheme in (None, uri.split("://")[0]), "domain"),
        (message.uri == uri or message.uri.startswith(f"{uri}/"), "uri"),
        (message.chain_id == chain_id, "chain"),
        (message.nonce == nonce, "nonce"),
    ]
    for holds, what in asked:
        if not holds:
            raise SiweError(f"wrong_{what}", f"the message names another {what}")
    _check_times(message, now)
    if _recover(text, signature) != message.address:
        raise SiweError("bad_signature", "somebody else signed this message")
    return message.address


def _check_times(message: SiweMessage, now: datetime) -> None:
    issued = message.issued_at - CLOCK_SKEW
    starts = max(issued, message.not_before or issued)
    ends = message.expiration_time or message.issued_at + MAX_LIFETIME
    if ends - message.issued_at > MAX_LIFETIME:
        raise SiweError("too_long_lived", f"good for more than {MAX_LIFETIME}")
    if now < starts:
        raise SiweError("not_yet_valid", f"good from {starts.isoformat()}")
    if now >= ends:
        raise SiweError("expired", f"expired at {ends.isoformat()}")


def _recover(text: str, signature: str) -> str:
    try:
        return recover(encode_defunct(text=text), signature)
    except SignatureError as error:
        raise SiweError(error.code, error.detail) from error


def _write_time(time: datetime) -> str:
    if time.utcoffset() is None:
        raise SiweError("bad_format", "a time lacks its offset from UTC")
    return time.isoformat().replace("+00:00", "Z")


def _read_time(text: str) -> datetime:
    # Nanoseconds are allowed by RFC 3339 and mean nothing here: six digits are read.
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError as error:
        raise SiweError("bad_format", f"{text} is not a time") from error
