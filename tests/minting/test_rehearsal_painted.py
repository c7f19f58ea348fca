"""A drop that its contract draws, rehearsed with everything that it is drawn and moved with."""

import re

import pytest

from generation.models import Collection, Drop
from minting import rehearsing
from minting.chain.rehearsal import Options, stage
from minting.evolution import costs
from minting.models import Contract
from tests.fixtures.chain import Chain

pytestmark = pytest.mark.usefixtures("chain_settings")
ALONE = Options(n_buyers=4, n_bots=1, has_faults=False)


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def test_the_contract_draws_what_was_sold(evolving_drop: Drop) -> None:
    """Its story has changed since it was deployed, and with it the painter."""
    Collection.objects.filter(pk=evolving_drop.collection_id).update(story="Told anew.")
    before = Contract.objects.get().painter_address
    said: list[str] = []

    row = rehearsing.rehearse(Drop.objects.get(pk=evolving_drop.pk), ALONE, said.append)

    gas = {one["name"]: one["gas"] for one in row.report["steps"]}
    assert row.report["violations"] == []
    assert row.report["sold"] > 0
    assert any(re.search(r"the contract drew (\d) of \1 works", one) for one in said)
    assert Contract.objects.get().painter_address == before
    assert any("Pools that move works were not here" in one for one in row.report["said"])
    painter = costs.NETWORK + costs.LABEL + costs.PAINTER
    assert gas["deploy the painter"] == pytest.approx(painter, rel=0.01)
    assert gas["deploy stakes and evolution"] > costs.STAKING + costs.EVOLUTION


def test_a_painter_that_is_missing_fails_the_rehearsal(
    evolving_drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    Contract.objects.update(law=None)
    step = stage.Stage.step

    def without(self: stage.Stage, name: str, *calls: bytes, to: str | None = None) -> object:
        kept = calls[:0] if name == "deploy the painter" else calls
        return step(self, name, *kept, to=to) if kept else None

    monkeypatch.setattr(stage.Stage, "step", without)

    row = rehearsing.rehearse(evolving_drop, ALONE, lambda _: None)

    assert not row.has_passed
    assert "does not draw work" in row.report["violations"][0]
