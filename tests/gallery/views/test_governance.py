"""What holders decide, as everybody sees it."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gallery.views.limits import entropy, find_limits, moved
from generation.models import Collection, ParameterSet
from minting import indexer, services
from minting.chain.bounds import STEP, share_name
from minting.models import GovernorProposal
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.fixtures.government import AGAINST, FOR, TERMS, Government

PAGE = "/collections/portraits/governance"
CHANGE = (STEP, 0, 100_000)


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def read(client: Client, path: str = PAGE) -> str:
    reply = client.get(path)
    assert reply.status_code == 200
    return " ".join(reply.content.decode().split())


def words(html: str) -> str:
    """What a reader reads, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def n_queries(client: Client, path: str = PAGE) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def address(number: int) -> str:
    return f"{PAGE}/0x{number:064x}"


def test_a_collection_that_is_not_on_chain_says_so(client: Client, collection: Collection) -> None:
    assert "is not on chain yet" in read(client)


@pytest.mark.parametrize(
    ("has_votes", "said"), [(False, "have no votes"), (True, "founded from the launch page")]
)
def test_a_collection_without_a_government_says_why(
    client: Client, collection: Collection, has_votes: bool, said: str
) -> None:
    services.plan_contract(collection=collection, has_votes=has_votes)

    assert said in read(client)


def test_unknown_collections_and_proposals_are_not_found(
    client: Client, government: Government
) -> None:
    assert client.get("/collections/others/governance").status_code == 404
    for number in (address(1), f"{PAGE}/0xzz", f"{PAGE}/{'9' * 200}"):
        assert client.get(number).status_code == 404


def test_a_government_without_proposals_asks_for_the_first(
    client: Client, government: Government
) -> None:
    said = words(read(client))

    assert "Nothing was proposed yet." in said
    assert "50 % of all works" in said
    assert "no bound" in said


def test_a_proposal_is_shown_in_words_with_its_ballots(
    client: Client, government: Government, chain: Chain
) -> None:
    attribute, value = services.options_of(government.row.contract.collection)[0]
    text = "Slower <script>alert(1)</script>\n\nIt jumps."
    number = government.propose(text, CHANGE, (share_name(attribute, value), 0, 100_000))
    chain.mine(TERMS.delay + 1)
    government.act(ALICE, "castVoteWithReason", number, FOR, "Too <b>fast</b>")
    government.act(BOB, "castVote", number, AGAINST)
    indexer.poll()

    listed, alone = read(client), read(client, address(number))

    for html in (listed, alone):
        assert "<script>alert" not in html
        assert "<b>fast" not in html
        said = words(html)
        assert "Voting is open" in said
        assert "Change of shares per drop: at most 10 %" in said
        assert f"{value} {attribute}: at most 10 % of works".replace("_", " ") in said.lower()
        assert "3 for" in said
        assert "1 against" in said
        assert "quorum 2, reached" in said
    assert "Too &lt;b&gt;fast" in alone
    assert "It jumps." in alone


def test_proposals_are_filtered_by_state(
    client: Client, government: Government, chain: Chain
) -> None:
    government.propose("Old one", CHANGE)
    chain.mine(TERMS.delay + TERMS.period + 2)
    government.propose("New one", CHANGE)
    indexer.poll()

    assert {"Old one", "New one"} <= set(re.findall(r"(?:Old|New) one", read(client)))
    assert "New one" not in read(client, f"{PAGE}?state=defeated")
    assert "Old one" not in read(client, f"{PAGE}?state=pending")
    assert "No proposal is queued now" in read(client, f"{PAGE}?state=queued")
    assert "Old one" in read(client, f"{PAGE}?state=nonsense")


def test_pages_of_proposals_ask_as_much_for_many_as_for_one(
    client: Client, government: Government, chain: Chain
) -> None:
    number = government.propose("First", CHANGE)
    chain.mine(TERMS.delay + 1)
    government.act(ALICE, "castVote", number, FOR)
    indexer.poll()
    one, alone = n_queries(client), n_queries(client, address(number))
    government.act(BOB, "castVote", number, FOR)
    for at in range(11):
        government.propose(f"Again {at}", CHANGE)
    indexer.poll()

    assert n_queries(client) == one <= 16
    assert n_queries(client, address(number)) == alone <= 14
    assert "Page 1 of 2" in read(client)
    assert "First" in read(client, f"{PAGE}?page=2")


def test_what_was_decided_is_shaded(client: Client, government: Government) -> None:
    option = services.options_of(government.row.contract.collection)[0]
    number = government.decide("No more", CHANGE, (share_name(*option), 0, 0))
    indexer.poll()

    said = words(read(client))

    assert "In force" in said
    assert "no works today's parameters are outside" in said
    assert "Executed" in words(read(client, address(number)))
    limits = find_limits(
        government.row.contract.collection,
        [option],
        services.bounds_at(government.row.contract.collection, 10**6),
    )
    step, (_, [forbidden], _) = limits.whole[1], limits.attributes[0]
    assert step.allowed == pytest.approx((0, 10))
    assert forbidden.allowed == pytest.approx((0, 0))
    assert not forbidden.is_kept


def test_calls_that_are_no_bounds_are_shown_as_they_are(
    client: Client, government: Government
) -> None:
    data = government.governor.call("updateQuorumNumerator", 99)
    government.act(ALICE, "propose", [government.row.governor, BOB], [0, 10**18], [data, b""], "")
    indexer.poll()

    said = words(read(client))

    assert "Call the governor 0x06f3f9e6" in said
    assert f"Send 1 ETH to {BOB}" in said
    assert "Without words" in said


def test_absurd_bounds_and_delays_are_shown(client: Client, government: Government) -> None:
    governor = government.governor
    calls = ([government.row.governor], [0], [governor.call("setVotingDelay", 2**47)])
    government.act(ALICE, "propose", *calls, "Never")
    government.decide("Odd", (STEP, -(2**126), 2**126), ("entropy", 3_000_000, 4_000_000))
    indexer.poll()
    row = GovernorProposal.objects.in_order().last()
    assert row is not None
    GovernorProposal.objects.filter(pk=row.pk).update(snapshot=2**47, deadline=2**48)

    assert "300 %" in read(client)


def test_evenness_is_one_for_equal_shares_and_falls_with_them() -> None:
    assert entropy([0.25] * 4) == pytest.approx(1)
    # H = 0.5 log2(2) + 2 * 0.25 log2(4) = 1.5 bits of log2(3) = 1.585
    assert entropy([0.5, 0.25, 0.25]) == pytest.approx(1.5 / 1.5849625)
    assert entropy([1.0, 0.0]) == 0


def test_a_change_is_the_largest_total_variation(parameter_set: ParameterSet) -> None:
    body = parameter_set.body
    name, shares = next((n, s) for n, s in body["distributions"].items() if len(s) > 1)
    first, second, *_ = shares
    moved_shares = {**shares, first: shares[first] - 0.05, second: shares[second] + 0.05}
    later = ParameterSet(
        parent=parameter_set,
        body={**body, "distributions": {**body["distributions"], name: moved_shares}},
    )

    assert moved(parameter_set) is None
    assert moved(later) == pytest.approx(0.05)
