"""The rehearsal of a drop's sale, as the launch page shows it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from generation.models import Drop
from minting.services import Rehearsed, recent_rehearsal


@dataclass(frozen=True)
class RehearsalFacts:
    """A line of the checklist, and below it the figures; ``costs`` has a row for each step."""

    state: str
    says: str
    command: str
    at: datetime | None = None
    prices_gwei: list[str] = field(default_factory=list)
    costs: list[tuple[str, int, list[str]]] = field(default_factory=list)
    figures: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def rehearsal_facts(drop: Drop) -> RehearsalFacts:
    found = recent_rehearsal(drop)
    command = f"manage.py rehearse {drop.collection.slug} {drop.number}"
    if found.row is None:
        return RehearsalFacts("none", "on a chain that is thrown away, before it is one", command)
    report = found.row.report
    return RehearsalFacts(
        state=found.state,
        says=_says(found, report),
        command=command,
        at=found.row.created_at,
        prices_gwei=[f"{price:g}" for price in report["gas_prices_gwei"]],
        costs=_costs(report),
        figures=_figures(report),
        refusals=[
            (who, ", ".join(f"{reason} {n:,}" for reason, n in reasons.items()))
            for who, reasons in report["failures"].items()
        ],
        said=report["said"],
    )


def _says(found: Rehearsed, report: dict[str, Any]) -> str:
    if report["violations"]:
        return "; ".join(report["violations"])
    if found.is_stale:
        return "its phases have changed since: rehearse it again"
    return (
        f"{report['sold']:,} of {report['count']:,} works sold to {report['buyers']:,} buyers, "
        f"{report['bots']} bots kept out"
    )


def _costs(report: dict[str, Any]) -> list[tuple[str, int, list[str]]]:
    mints = [
        (f"a buyer: {one['kind']}, {one['works']} at once", one["median_gas"], one["cost_eth"])
        for one in report["mints"]
    ]
    steps = [(f"you: {one['name']}", one["gas"], one["cost_eth"]) for one in report["steps"]]
    return [(name, gas, [f"{eth:.5f}" for eth in eths]) for name, gas, eths in mints + steps]


def _figures(report: dict[str, Any]) -> list[tuple[str, str]]:
    pace, storage = report["pace"], report["storage"]
    size = "not known yet"
    if storage["pictures_mb"] is not None:
        size = (
            f"{storage['pictures_mb']:,} MB of pictures, {storage['metadata_mb']:,} MB of metadata"
        )
    return [
        ("Rate here", f"{pace['works_per_s']:.1f} works/s, bounded by {pace['bounded_by']}"),
        ("Sold out here", f"in {pace['seconds']:,} s" if report["is_sold_out"] else "no"),
        (
            "On a mainnet",
            f"{pace['mainnet_s']:,} s at least, in blocks of nothing else",
        ),
        ("Faults on the way", f"{report['faults']:,}, {report['resent']:,} sent again"),
        ("Files", size),
    ]
