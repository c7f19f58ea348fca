"""A small drop rehearsed on a real node, and rehearsals that have to fail."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from generation.models import Drop
from minting import rehearsing, services
from minting.chain import contracts, phases
from minting.chain.phases import Phase, PhaseKind
from minting.chain.rehearsal import Options, plan, run
from minting.chain.rehearsal.crowd import TRICKS, signers
from minting.models import Commitment, Rehearsal
from minting.provenance import lineage
from minting.provenance.allowlist import Entry
from minting.provenance.lineage import DropBody
from tests.fixtures.works import MakeDrop

PRICE_WEI = 10**15
START = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
HOUR_S = 3600
WALLETS = [f"0x{n:040x}" for n in range(1, 5)]

pytestmark = pytest.mark.django_db


def phase(kind: PhaseKind, first_hour: int, **changed: Any) -> Phase:
    start = START + first_hour * HOUR_S
    terms = {
        "kind": kind,
        "price_wei": PRICE_WEI,
        "start": start,
        "end": start + HOUR_S,
        "max_per_transaction": 3,
    }
    return Phase(**terms | changed)


def listed(first_hour: int) -> services.Terms:
    entries = [Entry(wallet, 1, PRICE_WEI // 2) for wallet in WALLETS]
    return services.Terms.listed(phase(PhaseKind.PUBLIC, first_hour), entries)


def auction(first_hour: int) -> services.Terms:
    falls = phases.falling(floor_wei=PRICE_WEI // 10, fall_wei=PRICE_WEI // 10, every_s=300)
    return services.Terms(phase(PhaseKind.AUCTION, first_hour, terms=falls))


def everybody(first_hour: int, cap: int = 4) -> services.Terms:
    return services.Terms(phase(PhaseKind.PUBLIC, first_hour, max_per_wallet=cap))


def commit(drop: Drop, *terms: services.Terms) -> Drop:
    """As it is once the commitment is on chain, its phases planned."""
    services.prepare_commitment(drop=drop)
    Drop.objects.filter(pk=drop.pk).update(state=Drop.State.COMMITTED)
    for one in terms:
        services.add_phase(drop=drop, terms=one)
    return Drop.objects.get(pk=drop.pk)


def call(*words: object) -> str:
    out = StringIO()
    call_command("rehearse", *map(str, words), stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_drop_is_sold_out_to_a_crowd_over_a_bad_way(make_drop: MakeDrop, tmp_path: Path) -> None:
    drop = commit(make_drop(12), listed(0), auction(24), everybody(48))
    file = tmp_path / "report.json"

    said = call(
        "portraits", 1, "--buyers", 6, "--bots", 5, "--seed", 7, "--json", file, "--eth-usd", 3000
    )

    row = Rehearsal.objects.get(drop=drop)
    report = json.loads(file.read_text())
    tricks = set(report["failures"]) & set(TRICKS)
    steps = [one["name"] for one in report["steps"]]
    assert row.has_passed
    assert (report["sold"], report["is_sold_out"], report["violations"]) == (12, True, [])
    assert report == row.report
    assert tricks == set(TRICKS)
    assert report["faults"] > 0
    assert {one["kind"] for one in report["mints"]} >= {"allow list", "public"}
    assert steps == ["deploy", "commit", "open the sale", "settle", "withdraw", "all of them"]
    assert "12 of 12 works sold to 6 buyers" in said
    assert "Lists of 4 wallets" in said
    assert "USD" in said


def test_a_later_drop_stands_after_the_earlier_ones(make_drop: MakeDrop) -> None:
    commit(make_drop(3), everybody(0))
    drop = commit(make_drop(4), everybody(0))

    row = rehearsing.rehearse(drop, Options(n_buyers=3, n_bots=1, has_faults=False), print)

    assert row.report["violations"] == []
    assert row.report["sold"] == 4
    assert row.report["storage"]["source"] == "measured"


def test_a_drop_drawn_on_the_fly_is_revealed_and_sealed_with_stand_ins(
    make_drop: MakeDrop,
) -> None:
    drop = commit(make_drop(4), everybody(0, cap=1))
    secret = bytes(range(32))
    words = ("metadata_root", "image_root", "folder", "provenance", "curation_log_root")
    Commitment.objects.filter(drop=drop).update(
        secret=secret.hex(),
        seed_commit=lineage.seed_commit(secret, 1).hex(),
        reveal_block=5,
        **dict.fromkeys(words, "00" * 32),
    )

    row = rehearsing.rehearse(drop, Options(n_buyers=3, n_bots=1, has_faults=False), print)

    steps = [one["name"] for one in row.report["steps"]]
    assert row.report["violations"] == []
    assert row.report["sold"] == 4  # the bot fills its cap, too, before it is refused
    assert steps[3:-1] == ["capture", "reveal", "seal", "announce", "withdraw"]
    assert any("stand-ins" in one for one in row.report["said"])


def test_a_contract_that_keeps_no_caps_fails_the_rehearsal(
    make_drop: MakeDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(make_drop(40), everybody(0))
    honest = contracts.open_sale

    def without_caps(number: int, body: DropBody, terms: Sequence[Phase], final_by: int) -> bytes:
        loose = [replace(one, max_per_wallet=0, max_per_transaction=20) for one in terms]
        return honest(number, body, loose, final_by)

    monkeypatch.setattr(contracts, "open_sale", without_caps)

    with pytest.raises(CommandError, match="a bot was let in: over the cap") as failed:
        call("portraits", 1, "--buyers", 3, "--bots", 5, "--no-faults")

    assert "works of phase 0, 4 are allowed" in str(failed.value)
    assert not Rehearsal.objects.get().has_passed


def test_a_count_that_lies_fails_the_rehearsal(
    make_drop: MakeDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(make_drop(4), everybody(0))
    honest = run.read_ledger

    def lie(*arguments: Any) -> Any:
        ledger = honest(*arguments)
        return type(ledger)(**vars(ledger) | {"supply": ledger.supply + 1})

    monkeypatch.setattr(run, "read_ledger", lie)

    with pytest.raises(CommandError, match="the contract counts 5 works, its logs 4"):
        call("portraits", 1, "--buyers", 3, "--bots", 1, "--no-faults")


def test_the_files_of_works_to_come_are_guessed_by_those_there_are(make_drop: MakeDrop) -> None:
    commit(make_drop(4))
    drop = commit(make_drop(2))
    measured = services.measure_storage(drop)
    Commitment.objects.filter(drop=drop).update(manifest={}, count=200)

    guessed = services.measure_storage(drop)

    assert measured["source"] == "measured"
    assert guessed["source"] == "by the mean of 6 works of the collection"
    assert guessed["pictures_mb"] == pytest.approx(100 * measured["pictures_mb"], rel=0.3)
    assert guessed["metadata_mb"] == pytest.approx(100 * measured["metadata_mb"], rel=0.3)


def test_what_cannot_be_rehearsed_says_what_is_missing(make_drop: MakeDrop) -> None:
    drop = make_drop(3)
    with pytest.raises(CommandError, match="commit it first"):
        call("portraits", 1)

    commit(drop)

    with pytest.raises(CommandError, match="plan the phases of its sale first"):
        call("portraits", 1)


def test_another_phase_makes_a_rehearsal_stale(make_drop: MakeDrop) -> None:
    drop = commit(make_drop(3), everybody(0))
    digest = services.terms_digest(drop)
    assert services.recent_rehearsal(drop).state == "none"
    services.record_rehearsal(drop=drop, report={"violations": []}, digest=digest)
    assert services.recent_rehearsal(drop).state == "passed"

    services.add_phase(drop=drop, terms=listed(24))

    assert services.recent_rehearsal(drop).state == "stale"


def test_phases_are_moved_as_one_and_lists_keep_their_terms() -> None:
    terms = [listed(0), auction(24), everybody(48)]
    asked = plan.Plan(
        deployment=b"",
        earlier=(),
        body=None,  # type: ignore[arg-type]  # not looked at
        secret=b"",
        phases=tuple(one.phase for one in terms),
        lists=tuple(one.entries for one in terms),
        final_by=START + 100 * HOUR_S,
    )
    ours = [f"0x{n:040x}" for n in range(11, 17)]

    sale = plan.move(asked, ours, 1000)

    starts = [one.start for one in sale.phases]
    assert starts == [1000, 1000 + 24 * HOUR_S, 1000 + 48 * HOUR_S]
    assert {one.end - one.start for one in sale.phases} == {HOUR_S}
    assert [one.wallet for one in sale.lists[0]] == ours[:4]
    assert {(one.max_quantity, one.price_wei) for one in sale.lists[0]} == {(1, PRICE_WEI // 2)}
    assert sale.final_by == 1000 + 100 * HOUR_S
    assert sale.moments() == [
        1000,
        *(1000 + 24 * HOUR_S + s for s in (0, 1500, 2700)),
        1000 + 48 * HOUR_S,
    ]


def test_the_wallets_of_a_seed_are_the_same_again() -> None:
    first, again = (signers("buyer", 2, 5) for _ in range(2))

    assert [one.address for one in first] == [one.address for one in again]
    assert first[0].address != signers("bot", 1, 5)[0].address
