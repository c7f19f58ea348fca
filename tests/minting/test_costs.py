"""What works that move cost, measured again on the node."""

import json
from pathlib import Path

import pytest
from django.conf import settings

from generation.models import Drop
from minting.evolution import costs
from minting.models import ChainTransaction, Contract
from minting.services import law_of
from tests.fixtures.chain import Chain
from tests.fixtures.outbox import pump
from tests.minting.test_making import commit

Kind = ChainTransaction.Kind


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.mark.usefixtures("chain_settings", "chain")
def test_a_deployment_takes_what_is_said(evolving_draft: Drop) -> None:
    commit(evolving_draft)

    pump()

    rows = ChainTransaction.objects.exclude(kind=Kind.COMMIT)
    spent = sum(row.gas_used or 0 for row in rows)
    n_rules = len(law_of(Contract.objects.get()).rules)
    assert costs.deployment(n_rules) == pytest.approx(spent, rel=0.005)


def test_calls_take_what_forge_measures() -> None:
    measured = json.loads((Path(settings.BASE_DIR) / "contracts" / "gas.json").read_text())
    evolution = measured["Evolution"]

    assert evolution["publish"] == costs.PUBLISH
    assert evolution["prove, without siblings"] == costs.PROVE
    assert evolution["interact, the first of a work"] == costs.INTERACT


def test_gas_is_told_in_eth() -> None:
    assert costs.in_eth(costs.epochs(2, 10)) == pytest.approx(
        [1_117_658 * price * 1e-9 for price in costs.PRICES_GWEI]
    )
