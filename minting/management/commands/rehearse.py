"""A drop's sale before it is one: a crowd, bots and faults on a chain that is thrown away."""

import json
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation.models import Drop
from minting import rehearsing
from minting.chain.client import ChainError
from minting.chain.node import NodeError
from minting.chain.rehearsal import Options, StageError
from minting.models import Rehearsal
from minting.services import NotPlannedError


class Command(BaseCommand):
    help = (
        "Sell a committed drop in its planned or real phases to a crowd of our own, with bots and "
        "faults, on a node of its own; report works a second, gas, costs and refusals. Exit "
        "status 1 if anything was lost, doubled, or let in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="of a collection")
        parser.add_argument("number", type=int, help="number of a drop")
        parser.add_argument("--buyers", type=_count, default=Options.n_buyers)
        parser.add_argument("--bots", type=_count, default=Options.n_bots)
        parser.add_argument(
            "--faults",
            action=BooleanOptionalAction,
            default=True,
            help="requests are delayed, reset, answered by halves, by 429 and by 500, or lose "
            "their answer",
        )
        parser.add_argument("--gas-prices", type=_prices, default=Options.gas_prices_gwei)
        parser.add_argument("--eth-usd", type=float, help="what an ETH costs, for costs in USD")
        parser.add_argument("--json", type=Path, help="write the report here, too")
        parser.add_argument("--seed", type=int, default=0, help="of the keys and what they do")

    def handle(self, *args: Any, **options: Any) -> None:
        slug, number = options["slug"], options["number"]
        rows = Drop.objects.select_related("collection")
        drop = rows.filter(collection__slug=slug, number=number).first()
        if drop is None:
            raise CommandError(f"no drop {number} of {slug}")
        asked = Options(
            n_buyers=options["buyers"],
            n_bots=options["bots"],
            has_faults=options["faults"],
            seed=options["seed"],
            gas_prices_gwei=options["gas_prices"],
            eth_usd=options["eth_usd"],
        )
        try:
            row = rehearsing.rehearse(drop, asked, self.stderr.write)
        except (NotPlannedError, NodeError, ChainError, StageError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            options["json"].write_text(json.dumps(row.report, indent=1) + "\n")
        for line in lines(row):
            self.stdout.write(line)
        if not row.has_passed:
            raise CommandError("the rehearsal failed: " + "; ".join(row.report["violations"]))


def lines(row: Rehearsal) -> list[str]:
    """The report as text."""
    report = row.report
    pace, storage = report["pace"], report["storage"]
    said = [
        f"{report['sold']:,} of {report['count']:,} works sold to {report['buyers']:,} buyers, "
        f"{report['orders']:,} orders, {report['bots']} bots, {report['faults']} faults, "
        f"{report['resent']} sent again",
        f"{pace['works_per_s']:.1f} works/s in {pace['blocks']} blocks of 1 s, bounded by "
        f"{pace['bounded_by']} (blocks {pace['block_fullness']:.0%} full)",
        f"mainnet: {pace['gas']:,} gas, {pace['mainnet_blocks']} blocks of 30M gas that hold "
        f"nothing else, {pace['mainnet_s']} s",
        "",
        _heading(report),
    ]
    said += [
        _row(f"{one['kind']}, {one['works']}", one["n"], one["median_gas"], one, report)
        + f"  p95 {one['p95_gas']:,}"
        for one in report["mints"]
    ]
    said += [_row(one["name"], "", one["gas"], one, report) for one in report["steps"]]
    said.append("")
    for who, reasons in report["failures"].items():
        counts = ", ".join(f"{reason} {n}" for reason, n in reasons.items())
        said.append(f"refused, {who}: {counts}")
    mb = storage["pictures_mb"]
    size = "" if mb is None else f"pictures {mb:,} MB, metadata {storage['metadata_mb']:,} MB, "
    return [*said, f"storage: {size}{storage['source']}", *report["said"]]


def _heading(report: dict[str, Any]) -> str:
    prices = "".join(f"{price:>11g} gwei" for price in report["gas_prices_gwei"])
    return f"{'':22}{'n':>7}{'gas':>12}{prices}   (ETH)"


def _row(name: str, n: int | str, gas: int, priced: dict[str, Any], report: dict[str, Any]) -> str:
    costs = "".join(f"{eth:16.6f}" for eth in priced["cost_eth"])
    usd = report["eth_usd"]
    dollars = "  USD " + " ".join(f"{eth * usd:,.2f}" for eth in priced["cost_eth"]) if usd else ""
    return f"{name:22}{n:>7}{gas:>12,}{costs}{dollars}"


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError("a number from 1")
    return int(text)


def _prices(text: str) -> Sequence[float]:
    try:
        prices = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise ArgumentTypeError("gwei, separated by commas") from error
    if not all(0 < price < 10**6 for price in prices):
        raise ArgumentTypeError("gwei, each above 0")
    return prices
