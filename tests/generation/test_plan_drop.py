import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from generation.models import Checkpoint, Collection, DropPlan, ParameterSet
from generation.services import open_drop
from tests.fixtures.works import portrait_schema

pytestmark = pytest.mark.django_db


def request(size: int, **heads: int) -> dict[str, object]:
    """Equal shares of everything but heads."""
    attributes: dict[str, object] = {
        name: {"shares": dict.fromkeys(values, 1 / len(values))}
        for name, values in portrait_schema().items()
    }
    attributes["head"] = {"counts": heads}
    return {"size": size, "attributes": attributes}


def test_a_plan_holds_its_counts_and_is_written_down(
    checkpoint_row: Checkpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, out = tmp_path / "request.json", tmp_path / "plan.json"
    asked.write_text(json.dumps(request(40, bald=30, mohawk=10)))

    call_command("plan_drop", asked, "--out", str(out))

    works = json.loads(out.read_text())
    assert len(works) == 40
    assert sum(work["head"] == "mohawk" for work in works) == 10
    assert "head: bald 30, mohawk 10" in capsys.readouterr().out


def test_what_cannot_be_met_is_said_with_its_numbers(
    checkpoint_row: Checkpoint, tmp_path: Path
) -> None:
    asked = tmp_path / "request.json"
    asked.write_text(json.dumps(request(40, bald=30, mohawk=11)))

    with pytest.raises(CommandError, match=r"41.*40|40.*41"):
        call_command("plan_drop", asked)


def test_a_request_that_is_none_is_refused(checkpoint_row: Checkpoint, tmp_path: Path) -> None:
    asked = tmp_path / "request.json"
    asked.write_text("[]")

    with pytest.raises(CommandError):
        call_command("plan_drop", asked)


def test_a_draft_is_planned_by_name(
    collection: Collection, parameter_set: ParameterSet, tmp_path: Path
) -> None:
    drop = open_drop(collection=collection, parameter_set=parameter_set, size=40)
    asked = tmp_path / "request.json"
    asked.write_text(json.dumps(request(40, bald=30, mohawk=10)))

    call_command("plan_drop", asked, "--drop", "portraits/1", "--min-confidence", "0.5")

    quota = DropPlan.objects.get(drop=drop).quota
    assert (len(quota.plan), quota.min_confidence) == (40, 0.5)
    for wrong in ("portraits/2", "portraits"):
        with pytest.raises(CommandError, match=wrong):
            call_command("plan_drop", asked, "--drop", wrong)
