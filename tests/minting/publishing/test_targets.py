"""Targets from the environment, and what they cost."""

from decimal import Decimal
from pathlib import Path

import pytest

from minting.publishing.cost import Price, shown
from minting.publishing.targets import Target, TargetError, TargetKind, read_gateways, read_targets

OURS = {
    "PUBLISH_TARGETS": "ours, theirs",
    "PUBLISH_OURS_KIND": "car",
    "PUBLISH_OURS_URL": "https://node.example",
    "PUBLISH_OURS_TOKEN": "hidden",
    "PUBLISH_OURS_GATEWAY": "https://gateway.example/",
    "PUBLISH_OURS_PER_GB_MONTH": "0.15",
    "PUBLISH_OURS_CURRENCY": "EUR",
    "PUBLISH_THEIRS_KIND": "pinning",
    "PUBLISH_THEIRS_URL": "https://pins.example/psa",
    "PUBLISH_THEIRS_ORIGINS": "/dns/node.example/tcp/4001/p2p/Qm, /ip4/203.0.113.7/tcp/4001",
}


def test_targets_are_read_in_their_order() -> None:
    ours, theirs = read_targets(OURS).values()

    assert ours == Target(
        "ours",
        TargetKind.CAR,
        "https://node.example",
        token="hidden",
        price=Price("EUR", Decimal("0.15")),
        gateway="https://gateway.example",
    )
    assert theirs.origins == ("/dns/node.example/tcp/4001/p2p/Qm", "/ip4/203.0.113.7/tcp/4001")
    assert theirs.price is None


def test_a_token_is_not_shown() -> None:
    assert "hidden" not in repr(read_targets(OURS))


def test_a_token_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from a file\n")
    given = OURS | {"PUBLISH_OURS_TOKEN_FILE": str(tmp_path / "token")}

    assert read_targets(given)["ours"].token == "from a file"


def test_nothing_set_is_no_target() -> None:
    assert read_targets({}) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLISH_TARGETS", "Ours"),
        ("PUBLISH_OURS_KIND", "ftp"),
        ("PUBLISH_OURS_URL", "file:///etc/passwd"),
        ("PUBLISH_OURS_URL", ""),
        ("PUBLISH_OURS_GATEWAY", "javascript:alert(1)"),
        ("PUBLISH_OURS_PER_GB_MONTH", "-1"),
        ("PUBLISH_OURS_PER_GB_MONTH", "NaN"),
        ("PUBLISH_OURS_PER_GB_MONTH", "cheap"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(TargetError, match=name):
        read_targets(OURS | {name: value})


def test_parts_must_not_replace_each_other() -> None:
    given = OURS | {"PUBLISH_OURS_KIND": "put"}

    with pytest.raises(TargetError, match="PUBLISH_OURS_URL: needs"):
        read_targets(given | {"PUBLISH_OURS_URL": "https://store.example/drop.car"})
    read_targets(given | {"PUBLISH_OURS_URL": "https://store.example/{sha256}.car"})


def test_gateways_are_http_addresses() -> None:
    assert read_gateways(" https://a.example/ ,http://b.example") == (
        "https://a.example",
        "http://b.example",
    )
    with pytest.raises(TargetError):
        read_gateways("ipfs://nobody")


def test_a_cost_is_bytes_by_months_and_an_upload() -> None:
    price = Price("EUR", per_gb_month=Decimal("0.15"), per_upload=Decimal("0.02"))

    assert price.cost(2_500_000_000, 12) == Decimal("4.52")
    assert str(price) == "0.15 EUR a GB and month, 0.02 EUR an upload"


def test_a_cost_is_shown_rounded_up() -> None:
    assert shown(Decimal("0.00001")) == "0.0001"
    assert shown(Decimal(4)) == "4.0000"
