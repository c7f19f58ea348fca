"""Doorbells of sentiment. The database says what is due."""

from celery import shared_task
from django.utils import timezone

from generation import progress
from minting.models import Contract
from minting.services import request_proofs
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


@shared_task
def move_works() -> None:
    """Close epochs that are a day old, and have proven what the newest ones say."""
    now = timezone.now()
    for contract in Contract.objects.exclude(evolution_address="").order_by("pk"):
        if services.is_due(contract, now):
            services.close_epoch(contract=contract)
        request_proofs(contract=contract)
