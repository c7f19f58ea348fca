"""What holders decided on chain is what the next proposal, and a lead, may do."""

from datetime import UTC, datetime, timedelta

import pytest

from generation.models import Drop
from minting.chain.bounds import ENTROPY, STEP, pack, share_name
from minting.models import Block, BoundsChange, Contract, Cursor, Governance
from sentiment.control.shares import Bounds
from sentiment.models import Round
from sentiment.services import (
    OutOfBoundsError,
    close_round,
    edit_proposal,
    open_round,
    register_wallet,
    round_inputs,
)
from sentiment.services.bounds import bounds_of
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address, vote_by

MILLION = 10**6


@pytest.fixture
def drop(make_drop: MakeDrop) -> Drop:
    return make_drop(40)


@pytest.fixture
def governance(drop: Drop) -> Governance:
    contract = Contract.objects.create(
        collection=drop.collection,
        chain_id=31337,
        address="0x" + "c0" * 20,
        deployed_block=1,
        treasury="0x" + "11" * 20,
        royalty_bps=500,
    )
    Cursor.objects.create(contract=contract, number=1000)
    return Governance.objects.create(
        contract=contract,
        delay=1,
        period=1,
        threshold=1,
        quorum_percent=4,
        wait_s=0,
        governor="0x" + "60" * 20,
        founded_block=2,
    )


def decide(governance: Governance, number: int, name: str, low: float, high: float) -> None:
    block, _ = Block.objects.get_or_create(
        chain_id=31337,
        number=number,
        defaults={
            "hash": f"0x{number:064x}",
            "parent_hash": f"0x{number - 1:064x}",
            "mined_at": datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=number),
        },
    )
    BoundsChange.objects.create(
        governance=governance,
        block=block,
        tx_hash=f"0x{number:064x}",
        log_index=BoundsChange.objects.count(),
        name="0x" + pack(name).hex(),
        low=int(low * MILLION),
        high=int(high * MILLION),
    )


def likes_long_hair(current: Round) -> None:
    voters = [register_wallet(address=address(n)) for n in range(1, 13)]
    vote_by(current, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)


def test_without_a_government_bounds_are_the_usual_ones(drop: Drop) -> None:
    assert bounds_of(drop.collection, 500) == bounds_of(drop.collection, None) == Bounds()


def test_bounds_hold_from_the_block_of_their_decision(drop: Drop, governance: Governance) -> None:
    decide(governance, 100, STEP, 0, 0.1)
    decide(governance, 200, ENTROPY, 0.9, 1)
    decide(governance, 300, STEP, 0, 0.05)

    found = [bounds_of(drop.collection, number) for number in (99, 100, 200, 300)]

    assert [one.max_step for one in found] == [0.25, 0.1, 0.1, 0.05]
    assert [one.min_entropy for one in found] == [0.7, 0.7, 0.9, 0.9]


def test_what_cannot_be_is_cut_and_what_cannot_be_met_left_out(
    drop: Drop, governance: Governance
) -> None:
    decide(governance, 100, STEP, 0, 0)
    decide(governance, 101, ENTROPY, 3, 4)
    decide(governance, 102, share_name("head", "long"), 0.9, 1)
    decide(governance, 103, share_name("head", "bun"), 0.9, 1)
    decide(governance, 104, share_name("skin", "umber"), -1, 0.05)

    found = bounds_of(drop.collection, 500)

    assert 0 < found.max_step < 1e-5
    assert found.min_entropy == 1
    assert found.ranges == {("skin", "umber"): (0.0, 0.05)}


def test_a_proposal_keeps_to_what_holders_decided_and_says_so(
    drop: Drop, governance: Governance
) -> None:
    decide(governance, 100, share_name("head", "long"), 0, 0.1)
    decide(governance, 101, STEP, 0, 0.1)
    current = open_round(drop=drop)
    likes_long_hair(current)

    proposal = close_round(round=current)

    inputs = round_inputs(round=current)
    assert inputs["ranges"]["rows"] == [["head", "long", 0.0, 0.1]]
    assert inputs["constants"]["max_step"] == 0.1
    old, proposed = (one["distributions"]["head"] for one in (proposal.old, proposal.proposed))
    assert proposed["long"] < old["long"]
    assert sum(abs(proposed[value] - old[value]) for value in old) / 2 <= 0.1 + 1e-9
    row = next(row for row in proposal.rows if row["value"] == "long")
    assert "range" in row["clipped_by"]


def test_a_lead_is_held_to_them_too(
    drop: Drop, governance: Governance, django_user_model: type
) -> None:
    decide(governance, 100, STEP, 0, 0.01)
    current = open_round(drop=drop)
    likes_long_hair(current)
    proposal = close_round(round=current)
    lead = django_user_model.objects.create_user("lead", is_staff=True)  # type: ignore[attr-defined]
    base = proposal.base.parameters
    heads = dict(base.distributions["head"])
    heads["long"] += 0.05
    heads["bun"] -= 0.05
    own = type(base)({**base.distributions, "head": heads}, base.truncation_psi, base.directions)

    with pytest.raises(OutOfBoundsError, match=r"head: 5\.0% of works change, 1\.0% may"):
        edit_proposal(proposal=proposal, parameters=own, lead=lead)
