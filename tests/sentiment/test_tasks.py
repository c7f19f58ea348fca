from datetime import timedelta

import pytest
from django.utils import timezone

from generation.models import Drop
from sentiment import tasks
from sentiment.models import Proposal, Round
from sentiment.services import open_round


@pytest.mark.usefixtures("eager_tasks")
def test_the_sweep_closes_what_is_overdue_once(drop: Drop) -> None:
    current = open_round(drop=drop, closes_at=timezone.now() - timedelta(seconds=1))

    tasks.sweep()
    tasks.sweep()

    current.refresh_from_db()
    assert current.state == Round.State.CLOSED
    assert Proposal.objects.count() == 1


@pytest.mark.usefixtures("eager_tasks")
def test_the_sweep_leaves_other_rounds_open(drop: Drop) -> None:
    current = open_round(drop=drop)

    tasks.sweep()

    current.refresh_from_db()
    assert current.is_open


def test_closing_twice_by_task_changes_nothing(open_one: Round) -> None:
    tasks.close_round(round_id=open_one.pk)
    tasks.close_round(round_id=open_one.pk)

    assert Proposal.objects.count() == 1
