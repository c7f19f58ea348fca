"""Places that keep a drop's files, as the environment names them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from re import fullmatch

from minting.publishing.cost import Price
from minting.publishing.transport import Session, check_url
from minting.publishing.uploading import Place


class TargetKind(StrEnum):
    PINNING = "pinning"  # a pinning service: it fetches what a CID names
    CAR = "car"  # a node's RPC interface: it is sent the blocks
    PUT = "put"  # an address for each part


@dataclass(frozen=True)
class Target:
    """A place by name. ``gateway`` is where its files can be asked for, empty if nowhere."""

    name: str
    kind: TargetKind
    url: str
    token: str = field(default="", repr=False)
    price: Price | None = None
    origins: tuple[str, ...] = ()
    gateway: str = ""


class TargetError(ValueError):
    """The environment describes a target that cannot be used."""

    def __init__(self, variable: str, why: str) -> None:
        super().__init__(f"{variable}: {why}")
        self.variable = variable


def read_targets(environment: Mapping[str, str]) -> dict[str, Target]:
    """The targets that ``PUBLISH_TARGETS`` names, by name and in its order.

    Of a target ``ours``: ``PUBLISH_OURS_KIND``, ``_URL``, ``_TOKEN`` or ``_TOKEN_FILE``,
    ``_GATEWAY``, ``_ORIGINS``, ``_PER_GB_MONTH``, ``_PER_UPLOAD``, ``_CURRENCY``.

    Raises
    ------
    TargetError
        With the name of the variable, never its value.
    """
    names = environment.get("PUBLISH_TARGETS", "").split(",")
    return {name.strip(): _target(environment, name.strip()) for name in names if name.strip()}


def read_gateways(text: str) -> tuple[str, ...]:
    """Gateways, separated by commas; TargetError for one that is no http or https URL."""
    found = tuple(one.strip().rstrip("/") for one in text.split(",") if one.strip())
    for one in found:
        _check("IPFS_GATEWAYS", one)
    return found


def _target(environment: Mapping[str, str], name: str) -> Target:
    if not fullmatch("[a-z][a-z0-9_]{0,29}", name):
        raise TargetError("PUBLISH_TARGETS", "names are small letters, digits and _, 30 at most")
    prefix = f"PUBLISH_{name.upper()}_"

    def value(part: str) -> str:
        return environment.get(prefix + part, "").strip()

    try:
        kind = TargetKind(value("KIND"))
    except ValueError as error:
        raise TargetError(prefix + "KIND", f"one of {', '.join(TargetKind)}") from error
    _check(prefix + "URL", value("URL"), is_template=kind == TargetKind.PUT)
    if value("GATEWAY"):
        _check(prefix + "GATEWAY", value("GATEWAY"))
    token_file = value("TOKEN_FILE")
    return Target(
        name=name,
        kind=kind,
        url=value("URL"),
        token=Path(token_file).read_text().strip() if token_file else value("TOKEN"),
        price=_price(prefix, value("PER_GB_MONTH"), value("PER_UPLOAD"), value("CURRENCY")),
        origins=tuple(one.strip() for one in value("ORIGINS").split(",") if one.strip()),
        gateway=value("GATEWAY").rstrip("/"),
    )


def _check(variable: str, url: str, *, is_template: bool = False) -> None:
    try:
        if is_template:
            Place(url, Session())
        check_url(url)
    except ValueError as error:
        raise TargetError(variable, str(error)) from error


def _price(prefix: str, per_gb_month: str, per_upload: str, currency: str) -> Price | None:
    """None where nothing is said of it: not known is not free."""
    if not per_gb_month and not per_upload:
        return None
    try:
        return Price(currency, Decimal(per_gb_month or "0"), Decimal(per_upload or "0"))
    except (InvalidOperation, ValueError) as error:
        why = "a price is a number from 0 with a CURRENCY"
        raise TargetError(prefix + "PER_GB_MONTH", why) from error
