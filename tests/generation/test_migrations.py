"""Rows of an older installation after an upgrade."""

from django.utils import timezone

from tests.fixtures.migrations import Targets, migrate, old_drop

BEFORE = [("generation", "0007_plan")]


def test_decisions_of_before_belong_to_the_drop_and_picture_of_their_work(
    latest: Targets,
) -> None:
    old = migrate(BEFORE)
    drop = old_drop(old)
    work = old.get_model("generation", "Artwork").objects.create(
        drop=drop,
        index=0,
        item_seed="cc" * 32,
        requested={},
        parsed={},
        confidence=1.0,
        image_digest="dd" * 32,
    )
    decision = old.get_model("generation", "CurationDecision").objects.create(
        artwork=work, status="accepted", created_at=timezone.now()
    )

    new = migrate(latest)

    row = new.get_model("generation", "CurationDecision").objects.get(pk=decision.pk)
    assert (row.drop_id, row.image_digest, row.kind) == (drop.pk, "dd" * 32, "decided")
    for name in ("CurationDecision", "Artwork", "Drop", "ParameterSet", "Collection", "Checkpoint"):
        new.get_model("generation", name).objects.all().delete()
