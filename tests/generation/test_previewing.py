"""The preview worker: answers at a real broker, once or twice, good or bad."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytest_django import Settings

from config.celery import app
from generation import answers, previewing, services, tasks
from generation.gan.checkpoint import load_generator
from generation.gan.preview import preview
from generation.models import Checkpoint
from generation.traits.preview_spec import PreviewSpec
from tests.generation.test_refinement import wish

pytestmark = [pytest.mark.enable_socket, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def own_broker(broker: str, settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = broker
    previewing._generator.cache_clear()
    answers._broker(broker).flushdb()
    yield
    answers._broker(broker).close()
    answers._broker.cache_clear()


def ask(checkpoint_id: int, **look: Any) -> None:
    spec = PreviewSpec(seed=3, **look)
    tasks.preview(checkpoint_id=checkpoint_id, spec=spec.to_json(), name="q")


def test_an_answer_is_the_pictures_side_by_side(small_checkpoint: Checkpoint) -> None:
    services.save_direction(**wish(small_checkpoint))

    ask(small_checkpoint.pk, n_works=2, strengths={"glasses": 2.0})

    sheet = np.array(Image.open(io.BytesIO(answers.wait_for("q", 5))))
    spec = PreviewSpec(seed=3, n_works=2, strengths={"glasses": 2.0})
    steps = services.steps_of(small_checkpoint, ["glasses"])
    wanted = preview(load_generator(Path(small_checkpoint.path)), spec, steps)
    assert sheet.tobytes() == np.concatenate(list(wanted), axis=1).tobytes()


def test_a_second_run_gives_the_same_answer(small_checkpoint: Checkpoint) -> None:
    ask(small_checkpoint.pk)
    ask(small_checkpoint.pk)

    first, second = answers.wait_for("q", 5), answers.wait_for("q", 5)
    assert first == second
    assert first[:4] == b"\x89PNG"


def test_the_network_is_loaded_once(small_checkpoint: Checkpoint) -> None:
    for _ in range(3):
        ask(small_checkpoint.pk)

    assert previewing._generator.cache_info().misses == 1


@pytest.mark.parametrize(
    ("look", "said"),
    [
        ({"strengths": {"smile": 1.0}}, "no direction of this checkpoint is called smile"),
        ({"values": {"hat": "top"}}, "no attribute"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    small_checkpoint: Checkpoint, look: dict[str, Any], said: str
) -> None:
    ask(small_checkpoint.pk, **look)

    with pytest.raises(answers.ProblemError, match=said):
        answers.wait_for("q", 5)


def test_a_file_that_is_gone_is_said(small_checkpoint: Checkpoint) -> None:
    Path(small_checkpoint.path).unlink()

    ask(small_checkpoint.pk)

    with pytest.raises(answers.ProblemError, match="no such file"):
        answers.wait_for("q", 5)


def test_a_failure_of_the_worker_is_said_and_raised(
    small_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "preview", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        ask(small_checkpoint.pk)

    with pytest.raises(answers.ProblemError, match="ZeroDivisionError"):
        answers.wait_for("q", 5)


def test_nobody_waits_longer_than_the_limit() -> None:
    started = time.monotonic()

    with pytest.raises(answers.UnansweredError):
        answers.wait_for("never asked", 0.3)

    assert 0.2 < time.monotonic() - started < 5


def test_an_answer_that_nobody_fetches_goes_away(broker: str) -> None:
    answers.leave("left", b"x")

    assert 0 < answers._broker(broker).ttl("morphora:answer:left") <= answers.KEPT_S


def test_previews_have_a_queue_of_their_own_and_are_not_repeated_after_a_crash() -> None:
    assert app.amqp.router.route({}, tasks.preview.name)["queue"].name == "preview"
    assert tasks.preview.acks_late is False
