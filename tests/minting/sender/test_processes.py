"""The outbox in processes of its own, on one database; some are killed."""

import time
from pathlib import Path

import pytest

from generation.models import Collection
from minting import sender
from minting.models import Attempt, ChainTransaction
from tests.fixtures.chain import OWNER, Chain
from tests.fixtures.outbox import NOW, pump
from tests.minting.sender.conftest import deploy_alone, reload, start_pump

State = ChainTransaction.State

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["before broadcast", "after broadcast"])
def test_a_killed_process_loses_and_doubles_nothing(
    intent: ChainTransaction, chain: Chain, when: str
) -> None:
    with start_pump(chain, when) as process:
        process.wait(60)

    pump()

    assert process.returncode == -9
    assert reload(intent).state == State.CONFIRMED
    assert intent.attempts.count() == 1
    assert chain.nonce(OWNER) == 1


@pytest.mark.django_db(transaction=True)
def test_two_processes_never_share_a_nonce(
    collections: list[Collection], chain: Chain, tmp_path: Path
) -> None:
    n_intents = len(collections)
    for each in collections:
        deploy_alone(each)
    gate = tmp_path / "open"

    with start_pump(chain, gate=str(gate)) as one, start_pump(chain, gate=str(gate)) as two:
        gate.touch()
        codes = [one.wait(120), two.wait(120)]
    # The contracts fill more than a block, and this node makes the next one only if it is asked to.
    for _ in range(20):
        chain.mine()
        sender.pump(NOW)
        if not ChainTransaction.objects.unsettled().exists():
            break
        time.sleep(0.05)

    assert codes == [0, 0]
    assert set(ChainTransaction.objects.values_list("state", flat=True)) == {State.CONFIRMED}
    assert sorted(Attempt.objects.values_list("nonce", flat=True)) == list(range(n_intents))
    assert chain.nonce(OWNER) == n_intents
