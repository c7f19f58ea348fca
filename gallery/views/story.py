"""The story of a collection, drop by drop: nothing but what is recorded, each with its evidence."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Exists, F, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from gallery.serializers import about_ether, percent, picture
from gallery.views.past import counted, day
from gallery.views.public import EARLY, drop_line, revalidated, work_address
from gallery.views.results import by_size, decision_words, moved_rows
from generation.models import Artwork, Collection, CurationDecision, Drop, DropPlan
from minting.chain.logs import ZERO_ADDRESS
from minting.models import ChainTransaction, Contract, Governance, Sale, Token
from sentiment.models import Proposal, Vote

CHAPTERS_A_PAGE = 8
STRIP = 8
N_CHANGES = 4
ORDERS = {"newest": "-number", "oldest": "number"}


@dataclass(frozen=True)
class Said:
    """What a chapter says of one thing, and where that can be looked up."""

    about: str
    words: tuple[str, ...]
    url: str
    evidence: str


@revalidated
@require_safe
def story(request: HttpRequest, slug: str) -> HttpResponse:
    collection = get_object_or_404(Collection, slug=slug)
    order = request.GET.get("order", "")
    order = order if order in ORDERS else "newest"
    drops = collection.drops.select_related("collection", "parameter_set__parent")
    ordered = drops.annotate(
        is_planned=Exists(DropPlan.objects.filter(drop=OuterRef("pk"))),
        n_candidates=F("selection__n_candidates"),
    ).order_by(ORDERS[order], "pk")
    page = Paginator(ordered, CHAPTERS_A_PAGE).get_page(request.GET.get("page"))
    address = request.build_absolute_uri(reverse("gallery:story", args=[slug]))
    newest = collection.drops.order_by("-number", "-pk").values_list("number", flat=True).first()
    card = reverse("gallery:drop-card", args=[slug, newest]) if newest else ""
    context = {
        "collection": collection,
        "page": page,
        "page_query": f"order={order}&" if order != "newest" else "",
        "order": order,
        "chapters": chapters(collection, list(page.object_list)),
        "contract": Contract.objects.deployed().filter(collection=collection).first(),
        "page_url": address,
        "card_url": request.build_absolute_uri(card) if card else "",
        "share_title": f"The story of {collection.name}",
        "share_text": collection.story[:200] or f"{collection.name}, drop by drop",
    }
    return render(request, "gallery/story.html", context)


def chapters(collection: Collection, drops: list[Drop]) -> list[dict[str, Any]]:
    """A chapter for each drop, by the same few questions for all of them."""
    pictures = strips(drops)
    tellers = [
        partial(asked_for),
        partial(drawn, counts=work_counts(drops), overruled=overrulings(drops)),
        partial(committed, sent=commits(drops), founded=foundings(collection)),
        partial(sold, minted=mints(drops), sales=sales(drops)),
        partial(voted, turnouts=turnouts(drops)),
        partial(decided, proposals=proposals(drops)),
    ]
    return [
        {
            "number": drop.number,
            "url": reverse("gallery:drop", args=[collection.slug, drop.number]),
            "state": drop.state,
            "opened_at": drop.created_at,
            "strip": pictures[drop.pk],
            "said": [said for teller in tellers for said in teller(drop)],
        }
        for drop in drops
    ]


def address(name: str, drop: Drop) -> str:
    return reverse(f"gallery:{name}", args=[drop.collection.slug, drop.number])


def strips(drops: list[Drop]) -> dict[int, list[dict[str, Any]]]:
    """The first works of each drop, with the way to each."""
    by_pk = {drop.pk: drop for drop in drops}
    early = Artwork.objects.shown().filter(drop__in=drops, index__lt=EARLY).in_order()
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for work in early:
        if len(found[work.drop_id]) < STRIP:
            url = work_address(by_pk[work.drop_id], work)
            found[work.drop_id].append({"picture": picture(work), "url": url})
    return found


def asked_for(drop: Drop) -> Iterable[Said]:
    """The shares that were asked of the network, against those before them."""
    current, parent = drop.parameter_set, drop.parameter_set.parent
    words = [f"Parameters {current.number}"]
    if parent is None:
        words[0] += f": {current.reason}." if current.reason else ", the first."
    else:
        changed = share_changes(parent.body, current.body)
        words[0] += f", after {parent.number}: {changed or 'the same shares'}."
        words.append(f"Reason kept with them: “{current.reason}”.")
    if drop.is_planned:  # type: ignore[attr-defined]  # an annotation
        words.append("The drop was planned with exact counts.")
    if drop.n_candidates:  # type: ignore[attr-defined]  # an annotation
        words.append(
            f"For each work {drop.n_candidates} pictures were drawn and the best liked was kept, "  # type: ignore[attr-defined]
            "but for places that were decided by lot."
        )
    yield Said("Asked for", tuple(words), reverse("drop-detail", args=[drop.pk]), "its parameters")


def share_changes(old: dict[str, Any], new: dict[str, Any]) -> str:
    """The largest moves of shares in words."""
    moves = [
        (attribute, value, share, new["distributions"].get(attribute, {}).get(value, 0.0))
        for attribute, shares in old["distributions"].items()
        for value, share in shares.items()
    ]
    told = [
        f"{more(was, now)} {attribute} {value} ({percent(was)} to {percent(now)} %)"
        for attribute, value, was, now in sorted(moves, key=by_size)
        if percent(was) != percent(now)
    ]
    return ", ".join(told[:N_CHANGES]).replace("_", " ")


def more(was: float, now: float) -> str:
    return "more" if now > was else "less"


def work_counts(drops: list[Drop]) -> dict[int, dict[str, int]]:
    rows = Artwork.objects.filter(drop__in=drops).order_by().values_list("drop", "status")
    found: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for drop_id, status, n in rows.annotate(n=Count("pk")):
        found[drop_id][status] = n
    return found


def overrulings(drops: list[Drop]) -> dict[int, list[str]]:
    """Reasons of leads who closed a drop that the guard against sameness held."""
    rows = CurationDecision.objects.filter(
        drop__in=drops, kind=CurationDecision.Kind.OVERRULED
    ).in_order()
    found: dict[int, list[str]] = defaultdict(list)
    for drop_id, reason in rows.values_list("drop", "reason"):
        found[drop_id].append(reason)
    return found


def drawn(
    drop: Drop, counts: dict[int, dict[str, int]], overruled: dict[int, list[str]]
) -> Iterable[Said]:
    n = counts[drop.pk]
    if drop.state in (Drop.State.DRAFT, Drop.State.RENDERING):
        words = [f"{counted(drop.size, 'work')}: {drop_line(drop)}."]
    else:
        how = ", each drawn after it was minted" if drop.kind == Drop.Kind.ON_THE_FLY else ""
        words = [f"{counted(sum(n.values()), 'work')} drawn{how}; {n['accepted']:,} accepted."]
        if n["rejected"] or n["duplicate"]:
            words.append(f"{n['rejected']:,} rejected, {n['duplicate']:,} set aside as duplicates.")
    if drop.curated_at:
        words.append(f"Curation closed on {day(drop.curated_at)}.")
    words += [
        f"A lead overruled the guard against sameness: “{why}”." for why in overruled[drop.pk]
    ]
    yield Said("Drawn", tuple(words), address("drop", drop), "its works")


def commits(drops: list[Drop]) -> dict[int, ChainTransaction]:
    rows = ChainTransaction.objects.defer("call").filter(
        drop__in=drops,
        kind=ChainTransaction.Kind.COMMIT,
        state=ChainTransaction.State.CONFIRMED,
    )
    return {sent.drop_id: sent for sent in rows.order_by("pk") if sent.drop_id}


def foundings(collection: Collection) -> dict[int, Governance]:
    """The founding of the holders' government, in the chapter of the newest drop committed then."""
    rows = Governance.objects.exclude(governor="").filter(contract__collection=collection)
    found = rows.first()
    if found is None:
        return {}
    before = ChainTransaction.objects.filter(
        contract=found.contract_id,
        kind=ChainTransaction.Kind.COMMIT,
        state=ChainTransaction.State.CONFIRMED,
        block_number__lte=found.founded_block,
    )
    drop_id = before.order_by("-block_number", "-pk").values_list("drop", flat=True).first()
    return {drop_id: found} if drop_id else {}


def committed(
    drop: Drop, sent: dict[int, ChainTransaction], founded: dict[int, Governance]
) -> Iterable[Said]:
    url = reverse("collection-chain", args=[drop.collection.slug])
    if drop.pk in sent:
        one = sent[drop.pk]
        words = (
            f"In block {one.block_number:,} of chain {one.chain_id}, transaction {one.tx_hash}.",
        )
        yield Said("Committed", words, url, "what the chain holds")
    if drop.pk in founded:
        one_of = founded[drop.pk]
        block = f" in block {one_of.founded_block:,}" if one_of.founded_block else ""
        words = (f"The holders' government was founded{block}; its governor is {one_of.governor}.",)
        yield Said("Founded", words, url, "what the chain holds")


def mints(drops: list[Drop]) -> dict[int, int]:
    rows = Token.objects.filter(drop__in=drops).order_by().values_list("drop")
    return dict(rows.annotate(n=Count("pk")))


def sales(drops: list[Drop]) -> dict[int, list[int]]:
    """Prices in ETH, in wei; amounts are text in the database, so they are summed here."""
    rows = Sale.objects.filter(token__drop__in=drops, currency=ZERO_ADDRESS)
    found: dict[int, list[int]] = defaultdict(list)
    for drop_id, price_wei in rows.order_by("pk").values_list("token__drop", "price_wei"):
        found[drop_id].append(price_wei)
    return found


def sold(drop: Drop, minted: dict[int, int], sales: dict[int, list[int]]) -> Iterable[Said]:
    if n := minted.get(drop.pk, 0):
        words = [f"{counted(n, 'work')} minted."]
        if paid := sales[drop.pk]:
            words.append(f"{counted(len(paid), 'sale')} since, for {about_ether(sum(paid))} ETH.")
        url = reverse("gallery:market", args=[drop.collection.slug])
        yield Said("Sold", tuple(words), url, "the market")


def turnouts(drops: list[Drop]) -> dict[int, tuple[int, int, int]]:
    """Votes, voters, and how many of the voters are simulated, of each drop's round."""
    simulated = Count("voter", distinct=True, filter=Q(voter__is_simulated=True))
    rows = Vote.objects.filter(round__drop__in=drops).order_by().values_list("round__drop")
    counts = rows.annotate(n=Count("pk"), voters=Count("voter", distinct=True), made_up=simulated)
    return {drop_id: (n, voters, made_up) for drop_id, n, voters, made_up in counts}


def voted(drop: Drop, turnouts: dict[int, tuple[int, int, int]]) -> Iterable[Said]:
    if drop.pk in turnouts:
        n, voters, made_up = turnouts[drop.pk]
        words = [f"{counted(n, 'vote')} of {counted(voters, 'voter')}."]
        if made_up:
            words.append(f"{made_up:,} of the voters are simulated: this installation runs them.")
        yield Said("Voted", tuple(words), address("results", drop), "the round in full")


def proposals(drops: list[Drop]) -> dict[int, Proposal]:
    rows = Proposal.objects.filter(drop__in=drops).newest_first()
    return {proposal.drop_id: proposal for proposal in rows}


def decided(drop: Drop, proposals: dict[int, Proposal]) -> Iterable[Said]:
    """The lead's decision, and the largest changes with the audit's sentences."""
    if drop.pk not in proposals:
        return
    proposal = proposals[drop.pk]
    words = [decision_words(proposal)]
    verb = "would go" if proposal.applied is None else "went"
    words += [
        f"{row['value'].capitalize()} ({row['title']}) {verb} from {row['old_percent']} to "
        f"{row['new_percent']} %: {row['why']}."
        for row in moved_rows(proposal)[:N_CHANGES]
    ]
    url = reverse("proposal", args=[proposal.pk])
    yield Said("Decided", tuple(words), url, "the proposal")
