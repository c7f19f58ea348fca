"""The simulated community through its public doors: a real server, a real node, no shortcuts."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from generation.models import Drop, Job
from generation.services import create_job, resume_job, stop_job
from minting import indexer, sender, services
from minting.chain.client import Client
from minting.models import Interaction, Listing, Sale, Token
from sentiment.management.commands import community
from sentiment.management.crowd import Crowd, WrongPlaceError, _account, asked
from sentiment.models import Comment, Vote, Voter
from sentiment.services import open_round
from tests.fixtures.chain import Chain
from tests.fixtures.outbox import pump
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop

pytestmark = pytest.mark.enable_socket
ROOT = Path(__file__).resolve().parents[2]
N_WALLETS = 4


@pytest.fixture
def drop(
    transactional_db: None, chain_settings: Settings, chain: Chain, make_drop: MakeDrop
) -> Drop:
    """24 works on sale on the real chain, with a marketplace and an open round."""
    drop = make_drop(24, Drop.State.CURATING)
    services.request_commit(drop=drop)
    pump()
    services.request_open_sale(drop=drop, phases=everybody(10**15, 5))
    services.request_marketplace(contract=drop.collection.contract)
    for _ in range(3):
        pump()
    open_round(drop=drop)
    drop.refresh_from_db()
    return drop


@pytest.fixture
def site(drop: Drop) -> Iterator[str]:
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@pytest.fixture
def crowd(site: str, chain: Chain) -> Iterator[Crowd]:
    with Client(chain.url) as node:
        made = Crowd(site, node, seed=3, n_wallets=N_WALLETS)
        made.check_place()
        made.fund()
        yield made


def read_chain() -> None:
    sender.pump(timezone.now())
    indexer.poll()


def test_wallets_vote_comment_mint_list_and_buy_and_are_labelled(crowd: Crowd, drop: Drop) -> None:
    for member in crowd.members:
        assert crowd.vote(member)
        assert crowd.mint(member)
        assert not any(wish(member) for wish in (crowd.swap, crowd.provide, crowd.adjust))
    assert crowd.comment(crowd.members[0])
    read_chain()
    listed = [member for member in crowd.members if crowd.offer(member)]
    bought = [crowd.buy(member) for member in crowd.members for _ in range(6)]
    read_chain()

    voters = {member.account.address for member in crowd.members}
    assert Vote.objects.count() == N_WALLETS
    assert set(Token.objects.values_list("owner", flat=True)) <= voters
    assert Token.objects.count() == N_WALLETS
    assert len(listed) == N_WALLETS
    assert Listing.objects.count() == N_WALLETS
    assert Sale.objects.count() == sum(bought) > 0
    assert Comment.objects.count() == 1
    assert set(Voter.objects.values_list("address", "is_simulated")) == {(v, True) for v in voters}


@pytest.fixture
def holder() -> str:
    """Whose the works are that move: a wallet of the community."""
    return str(_account(3, 0).address)


@pytest.mark.usefixtures("transactional_db", "chain_settings")
def test_wallets_move_the_works_that_they_have(
    holder: str, chain: Chain, request: pytest.FixtureRequest
) -> None:
    chain.call("anvil_impersonateAccount", holder)
    chain.call("anvil_setBalance", holder, hex(10**20))
    request.getfixturevalue("evolving_works")
    server = LiveServer("localhost")
    crowd = Crowd(server.url, chain, seed=3, n_wallets=2)
    crowd.fund()

    moved = [crowd.interact(crowd.members[0]) for _ in range(30)]
    others = crowd.interact(crowd.members[1])
    traded = [wish(m) for m in crowd.members for wish in (crowd.swap, crowd.provide, crowd.adjust)]
    late = crowd.mint(crowd.members[1])  # the chain's clock is past the sale, the site's is not
    server.stop()
    read_chain()

    assert moved.count(True) == Interaction.objects.count() == 3
    assert not others
    assert not late
    assert not any(traded)  # the law knows no positions
    assert set(Interaction.objects.values_list("holder", flat=True)) == {holder}


def test_voters_of_one_taste_agree_with_themselves(crowd: Crowd, drop: Drop) -> None:
    """The same seed is the same community: its second coming votes as the first would have."""
    again = Crowd(crowd.base_url, crowd.node, seed=3, n_wallets=N_WALLETS)
    works = [{"parsed": work.parsed} for work in drop.artworks.accepted().in_order()[:2]]

    likings = [
        [made._liking(drop.pk, work, made.members[0]) for work in works] for made in (crowd, again)
    ]

    assert likings[0] == likings[1]
    assert likings[0][0] != likings[0][1]


def test_a_step_does_what_can_be_done_and_counts_it(crowd: Crowd) -> None:
    did = [crowd.step() for _ in range(30)]

    assert crowd.done.total() == sum(bool(name) for name in did)
    assert crowd.done["vote"] == Vote.objects.count() > 5


def test_a_community_that_comes_back_doubles_nothing(crowd: Crowd, site: str) -> None:
    for _ in range(6):
        crowd.vote(crowd.members[0])
    again = Crowd(site, crowd.node, seed=3, n_wallets=N_WALLETS)

    for _ in range(6):
        again.vote(again.members[0])

    pairs = Vote.objects.values_list("voter", "first", "second")
    assert len(set(pairs)) == Vote.objects.count() == 12
    assert Voter.objects.count() == 1


def test_another_chain_is_refused_by_the_sites_word_and_by_the_nodes(
    crowd: Crowd, settings: Settings
) -> None:
    settings.CHAIN_ID = 1

    with pytest.raises(WrongPlaceError, match="on chain 1"):
        crowd.check_place()


def test_the_label_is_believed_on_the_local_chain_only(crowd: Crowd, settings: Settings) -> None:
    crowd.vote(crowd.members[0])
    settings.CHAIN_ID = 1
    crowd.vote(crowd.members[1])

    labels = dict(Voter.objects.values_list("address", "is_simulated"))
    assert labels == {
        crowd.members[0].account.address: True,
        crowd.members[1].account.address: False,
    }


def test_a_silent_site_is_an_error_in_words(chain_settings: Settings, db: None) -> None:
    with pytest.raises(CommandError, match="nobody answers"):
        call_command("community", base_url="http://127.0.0.1:9", actions=1)


@pytest.mark.parametrize("wrong", [{"wallets": 0}, {"wallets": 51}, {"pace": 0}])
def test_a_community_that_cannot_be_is_refused(wrong: dict[str, Any], db: None) -> None:
    with pytest.raises(CommandError, match="wallets and a pace"):
        call_command("community", actions=1, **wrong)


def test_a_lead_starts_stops_and_starts_it_again(site: str, chain: Chain) -> None:
    """The process follows the row; what it did is counted on from where it was."""
    job = create_job(
        kind="community",
        key="community",
        total=1_000_000,
        args={"wallets": N_WALLETS, "pace": 6000, "seed": 3},
    )
    command = community.Command()
    command.is_over = False
    options = {"base_url": site, "rpc_url": chain.url, "minutes": None, "actions": None}

    def run_for(seconds: float, then: Any) -> None:
        timer = threading.Timer(seconds, then)
        timer.start()
        leased = command._next_job()
        assert leased is not None
        command._run_job(leased, options)
        timer.join()

    def stop() -> None:
        stop_job(job=job)
        connection.close()  # of the timer's thread

    run_for(6.0, stop)
    job.refresh_from_db()
    stopped = dict(job.checkpoint)
    assert command._next_job() is None
    resume_job(job=job)
    run_for(3.0, command._stop)

    job.refresh_from_db()
    assert stopped["vote"] > 0
    assert job.checkpoint["vote"] > stopped["vote"]
    assert job.state == Job.State.QUEUED
    assert Vote.objects.count() >= job.checkpoint["vote"]


def test_the_command_stops_at_a_signal(site: str, chain: Chain, tmp_path: Path) -> None:
    environment = {
        "MORPHORA_VAR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
    }
    arguments = ["--base-url", site, "--rpc-url", chain.url, "--wallets", "2", "--pace", "600"]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "community", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not Vote.objects.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)

    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=120)

    assert process.returncode == 0, said
    assert "vote" in said


@pytest.mark.django_db
def test_the_button_is_a_leads_and_of_the_local_chain(settings: Settings) -> None:
    lead, voter = Browser(), Browser()
    lead.force_login(User.objects.create_user("lead", is_staff=True))
    voter.force_login(User.objects.create_user("voter"))

    refused = voter.post("/console/community", {"verb": "start"})
    lead.post("/console/community", {"verb": "start"})
    started = lead.get("/console/community").content.decode()
    lead.post("/console/community", {"verb": "stop"})
    stopped = Job.objects.get(key="community").state
    settings.CHAIN_ID = 1
    elsewhere = lead.post("/console/community", {"verb": "start"})

    assert refused.status_code == 302
    assert "starting" in started
    assert stopped == Job.State.STOPPED
    assert elsewhere.status_code == 409
    assert Job.objects.get(key="community").state == Job.State.STOPPED


@pytest.mark.parametrize(
    ("price_wei", "said"),
    [(14_898_621_464_655_944.0, 149 * 10**14), (1.0, 10**14), (2e18, 2 * 10**18)],
)
def test_prices_are_asked_in_round_steps(price_wei: float, said: int) -> None:
    assert asked(price_wei) == said
