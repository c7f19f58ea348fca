from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from generation.models import Collection, ParameterSet
from sentiment.models import AutopilotSwitch, Proposal
from sentiment.services import approve_proposal, lift, reject_proposal
from tests.gallery.views.test_proposal import typed


def room(console: Client, collection: Collection) -> str:
    return str(console.get(reverse("gallery:steering", args=[collection.slug])).content.decode())


def go_back(console: Client, collection: Collection, to: int, reason: str = "Too bold") -> str:
    address = reverse("gallery:roll-back", args=[collection.slug])
    reply = console.post(address, {"to": to, "reason": reason}, follow=True)
    return str(reply.content.decode())


def test_each_parameter_set_is_told_with_who_and_why(
    console: Client, proposal: Proposal, lead: User
) -> None:
    approve_proposal(proposal=proposal, lead=lead, reason="As voted")

    page = room(console, proposal.drop.collection)

    assert "As voted" in page
    assert "the votes" in page
    assert page.count('class="band') == sum(
        len(shares) for shares in proposal.base.parameters.distributions.values()
    )


def test_going_back_writes_the_same_bytes_as_the_newest(
    console: Client, proposal: Proposal, lead: User
) -> None:
    collection, base = proposal.drop.collection, proposal.base
    approve_proposal(proposal=proposal, lead=lead)

    page = go_back(console, collection, base.number)

    sets = list(ParameterSet.objects.filter(collection=collection).order_by("number"))
    assert [one.number for one in sets] == [base.number, base.number + 1, base.number + 2]
    assert sets[2].body == base.body != sets[1].body
    assert sets[2].parent == sets[1]
    assert sets[2].created_by == lead
    assert f"Back to parameters {base.number}: Too bold" in page


def test_going_back_twice_adds_one_set(console: Client, proposal: Proposal, lead: User) -> None:
    approve_proposal(proposal=proposal, lead=lead)

    for _ in range(2):
        go_back(console, proposal.drop.collection, proposal.base.number)

    assert ParameterSet.objects.count() == 3


def test_the_room_leads_to_the_proposal_that_waits(console: Client, proposal: Proposal) -> None:
    collection = proposal.drop.collection

    assert f"/console?collection={collection.slug}" in room(console, collection)


def test_while_a_proposal_waits_nobody_goes_back(console: Client, proposal: Proposal) -> None:
    page = go_back(console, proposal.drop.collection, proposal.base.number)

    assert "is to be decided first" in page
    assert ParameterSet.objects.count() == 1


def test_the_current_ones_are_nothing_to_go_back_to(
    console: Client, proposal: Proposal, lead: User
) -> None:
    reject_proposal(proposal=proposal, lead=lead)

    assert "current already" in go_back(console, proposal.drop.collection, proposal.base.number)


def test_visitors_do_not_enter(client: Client, proposal: Proposal) -> None:
    collection = proposal.drop.collection

    replies = [
        client.get(reverse("gallery:steering", args=[collection.slug])),
        client.post(reverse("gallery:roll-back", args=[collection.slug]), {"to": 0}),
        client.post(reverse("gallery:what-if", args=[proposal.pk])),
    ]

    assert all(reply.status_code in (302, 403) for reply in replies)
    assert ParameterSet.objects.count() == 1


def ask(console: Client, proposal: Proposal, form: dict[str, str]) -> str:
    return str(console.post(reverse("gallery:what-if", args=[proposal.pk]), form).content.decode())


def test_the_numbers_of_today_gain_nothing(console: Client, proposal: Proposal) -> None:
    assert "+0.00 ± 0.00" in ask(console, proposal, typed(proposal))


def test_numbers_that_break_a_bound_are_said_to(console: Client, proposal: Proposal) -> None:
    form = typed(proposal)
    form |= {name: "0" for name in form if name.startswith("head.")} | {"head.bald": "100"}

    said = ask(console, proposal, form)

    assert "head: evenness 0.00 is below 0.70" in said
    assert ParameterSet.objects.count() == 1


def test_what_is_no_number_is_said_to_be_none(console: Client, proposal: Proposal) -> None:
    said = ask(console, proposal, typed(proposal) | {"head.bald": "many"})

    assert "not a percentage" in said


def test_the_room_asks_the_database_the_same_however_long_the_history(
    console: Client,
    proposal: Proposal,
    lead: User,
    django_assert_num_queries: Any,
) -> None:
    approve_proposal(proposal=proposal, lead=lead)
    address = reverse("gallery:steering", args=[proposal.drop.collection.slug])

    console.get(address)  # what each round brought is worked out once

    with django_assert_num_queries(10):
        console.get(address)


def switch(console: Client, collection: Collection, to: str, reason: str = "A quiet month") -> str:
    address = reverse("gallery:autopilot", args=[collection.slug])
    reply = console.post(address, {"to": to, "reason": reason}, follow=True)
    return str(reply.content.decode())


def test_the_autopilot_is_switched_with_a_reason_that_is_kept(
    console: Client, proposal: Proposal
) -> None:
    collection = proposal.drop.collection

    without = switch(console, collection, "on", "")
    page = switch(console, collection, "on")
    again = switch(console, collection, "on")

    assert "Proposals are approved" not in without
    assert "Proposals are approved as they come." in page
    assert AutopilotSwitch.objects.get().is_on
    assert again.count("A quiet month") == 1


def test_switched_off_a_lead_decides_again(console: Client, proposal: Proposal) -> None:
    collection = proposal.drop.collection
    switch(console, collection, "on")

    page = switch(console, collection, "off", "Back from the sea")

    assert "A lead decides again." in page
    assert [one.is_on for one in AutopilotSwitch.objects.newest_first()] == [False, True]


def test_the_room_shows_what_steering_brought_each_drop(
    console: Client, proposal: Proposal
) -> None:
    collection, drop = proposal.drop.collection, proposal.drop
    before = room(console, collection)
    drop.artworks.filter(index__lt=3).update(is_control=True)
    lift._read.cache_clear()

    after = room(console, collection)

    assert "Nothing is known yet" in before
    assert f'<th scope="row">Drop {drop.number}</th>' in after
