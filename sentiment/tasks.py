"""Doorbells of sentiment. The database says what is due."""

from celery import shared_task
from django.utils import timezone

from generation import progress
from sentiment import services
from sentiment.models import Round


@shared_task
def close_round(*, round_id: int) -> None:
    """Close a round whose time is up; a second call finds it closed."""
    proposal = services.close_round(round=Round.objects.get(pk=round_id))
    progress.announce(drop_id=proposal.drop_id, event={"kind": "state"})


@shared_task
def sweep() -> None:
    for round_id in Round.objects.overdue(timezone.now()).values_list("pk", flat=True):
        close_round.delay(round_id=round_id)
