"""Processes that are killed while they mint, and tasks that are delivered more than once."""

import random
from signal import SIGKILL

from minting.models import Token
from tests.faults import crew, oracle
from tests.faults.conftest import OpenSale, mint, read_chain, rest, times
from tests.fixtures.chain import Chain

RESUME_S = 15


@times(light=2, full=25)
def test_a_kill_at_any_step_mints_each_token_once(
    open_sale: OpenSale, chain: Chain, n: int
) -> None:
    """F2."""
    drop = open_sale(n * len(crew.STEPS))

    for round_ in range(n):
        for step in crew.STEPS:
            intent = mint(drop, f"{step}/{round_}")
            process = crew.start(crew.die, step)
            process.join(60)
            assert process.exitcode == -SIGKILL, step
            assert rest(RESUME_S) < RESUME_S
            assert intent.attempts.count() == 1, step
    read_chain()

    oracle.check(chain, n * len(crew.STEPS))


@times(light=3, full=100)
def test_a_task_that_is_delivered_many_times_at_once_has_one_effect(
    open_sale: OpenSale, chain: Chain, n: int
) -> None:
    """F5: the outbox's and the indexer's, each two to ten times."""
    chance = random.Random(n)
    drop = open_sale(n)

    for round_ in range(n):
        mint(drop, round_)
        for task in ("sweep", "index"):
            barrier = crew.FORK.Barrier(chance.randint(2, 10))
            crowd = [crew.start(crew.deliver, task, barrier) for _ in range(barrier.parties)]
            for process in crowd:
                process.join(60)
            assert {process.exitcode for process in crowd} == {0}, task
            rest()
    read_chain()

    assert Token.objects.count() == n
    oracle.check(chain, n)
