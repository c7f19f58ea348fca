"""F16: two leads, or two workers, start one drop at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client as Browser

from generation.models import Drop, Job
from generation.services import WrongStateError, start_rendering
from sentiment.models import Proposal
from sentiment.services import close_round, open_round
from tests.faults.conftest import times
from tests.fixtures.works import MakeDrop

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returned or was refused with, all begun at the same moment."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait(30)
            return call()
        except WrongStateError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def leads() -> list[Browser]:
    browsers = []
    for name in ("one", "two"):
        browsers.append(Browser())
        user = User.objects.create_user(name, password="a long password", is_staff=True)
        browsers[-1].force_login(user)
    return browsers


@times(light=3, full=50)
def test_two_workers_start_a_drop_once(make_drop: MakeDrop, n: int) -> None:
    for _ in range(n):
        drop = make_drop(3, Drop.State.DRAFT)

        found = at_once(*[partial(start_rendering, drop=drop)] * 2)

        assert sorted(type(one).__name__ for one in found) == ["WrongStateError", "list"]
        assert Job.objects.filter(drop=drop).count() == 1
        drop.refresh_from_db()
        assert drop.state == Drop.State.RENDERING


@times(light=3, full=50)
def test_two_leads_decide_once_and_the_other_gets_409(make_drop: MakeDrop, n: int) -> None:
    one, two = leads()

    for _ in range(n):
        drop = make_drop(3)
        proposal = close_round(round=open_round(drop=drop))
        path = f"/api/proposals/{proposal.pk}/decision"

        replies = at_once(
            partial(one.post, path, {"decision": "approve", "reason": "yes"}, "application/json"),
            partial(two.post, path, {"decision": "reject", "reason": "no"}, "application/json"),
        )

        assert sorted(reply.status_code for reply in replies) == [200, 409]
        refusal = max(replies, key=lambda reply: reply.status_code)
        assert refusal.json()["code"] == "already_decided"
        assert Proposal.objects.get(pk=proposal.pk).state in {"approved", "rejected"}


@times(light=3, full=50)
def test_two_leads_start_a_drop_once_and_the_other_is_told(make_drop: MakeDrop, n: int) -> None:
    browsers = leads()

    for _ in range(n):
        drop = make_drop(3, Drop.State.DRAFT)
        path = f"/console/drops/{drop.pk}/render"

        replies = at_once(*[partial(browser.post, path) for browser in browsers])

        said = [str(one) for reply in replies for one in get_messages(reply.wsgi_request)]
        assert {reply.status_code for reply in replies} == {302}
        assert said.count(f"Drop {drop.number} is being rendered.") == 1
        assert said.count(f"drop {drop.number} is rendering, not draft") == 1
        assert Job.objects.filter(drop=drop).count() == 1
