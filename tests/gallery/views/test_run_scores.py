"""The scores of a run on its page: curves of what was measured, the newest in words."""

from typing import Any

import pytest
from django.test import Client

from generation import services, training
from generation.models import Dataset, Job
from tests.generation.test_run_scores import a_run, dataset, own_folder

__all__ = ["dataset", "own_folder"]
pytestmark = pytest.mark.django_db


def a_point(n_images: int, **scores: float | None) -> dict[str, Any]:
    losses = ("loss_d", "loss_g", "loss_attributes", "penalty", "diversity", "images_per_s")
    return dict.fromkeys(losses, 1.0) | {"n_images": n_images} | scores


def test_the_page_draws_measured_points_only_and_says_which_goals_are_met(
    console: Client, dataset: Dataset
) -> None:
    good = {"kid": 0.02, "precision": 0.9, "recall": 0.5, "density": 1.1, "coverage": 0.7}
    nothing = dict.fromkeys(training.SCORES)
    job = a_run(dataset)
    history = [a_point(1000, **nothing), a_point(2000, **good, nearest=0.9), a_point(3000)]
    Job.objects.update(checkpoint={"history": history, "eta_s": 1.0})
    (services.run_folder(job)).mkdir(parents=True)
    (services.run_folder(job) / "samples.png").write_bytes(b"")

    said = console.get(f"/console/training/{job.pk}").content.decode()
    charts = console.get(f"/console/training/{job.pk}/numbers").json()["charts"]

    drops = {chart["key"]: chart["drops"] for chart in charts}
    assert (drops["losses"], drops["kid"]) == ([1.0, 2.0, 3.0], [2.0])
    assert "After 2 thousand pictures" in said
    lines = {line.split("</th>")[0]: line for line in said.split('<th scope="row">')}
    assert ">0.900<" in lines["Precision"]
    assert "≥ 0.8, met" in lines["Precision"]
    assert "≥ 0.8, not yet" in lines["Coverage"]
    assert "No trait parser" not in said


def test_without_a_parser_the_page_says_so(console: Client, dataset: Dataset) -> None:
    job = a_run(dataset)
    next(training.run(job=job))

    said = console.get(f"/console/training/{job.pk}").content.decode()

    assert "No trait parser of this installation reads this art" in said
    assert 'data-chart="kid"' not in said
