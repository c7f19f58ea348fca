"""Works that a contract draws: the picture that it has now, what moves it, and what would if."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from numpy.typing import NDArray
from PIL import Image

from minting.chain.client import ChainError
from minting.evolution.laws import DEFAULTS, towards
from minting.evolution.rules import Law, Rule, Source
from minting.models import Snapshot, Token
from minting.services import (
    NotPaintedError,
    connect,
    happenings,
    law_of,
    mirror_levels,
    mirror_work,
    public_rpc_url,
    read_levels,
    read_work,
    relays,
    word_of,
)
from sentiment.services import simulated_among

ENLARGED = 16  # 32 px to 512
FRESH_S = 2  # so often the chain is asked about one work, at most
KEPT_S = 3600
N_PAST = 20


@dataclass(frozen=True)
class Meter:
    """A rule and where a work is on it; ``pool``: the address of the one that it looks at."""

    name: str
    says: str
    towards: str
    level: int
    highest: int
    percent: float
    rule: int
    has_position: bool
    pool: str


@require_safe
def living_picture(request: HttpRequest, slug: str, token_id: int) -> HttpResponse:
    """The picture in the contract's own words; with ``?levels=`` what it would be at these."""
    tokens = Token.objects.select_related("contract").filter(contract__collection__slug=slug)
    token = get_object_or_404(tokens.exclude(contract__painter_address=""), token_id=token_id)
    try:
        raw = imagined(token, request.GET["levels"]) if "levels" in request.GET else drawn(token)
    except NotPaintedError as error:
        raise Http404(str(error)) from error
    except ChainError:
        return HttpResponse("the chain cannot be asked now", status=503)
    response = HttpResponse(raw, content_type="image/png")
    response["Cache-Control"] = "no-cache"
    return response


def imagined(token: Token, text: str) -> bytes:
    """At levels that it does not have; Http404 for others than the law knows."""
    if token.contract.law is None:
        raise Http404("this work does not move")
    highest = [rule.highest for rule in law_of(token.contract).rules]
    given = [int(one) if one.isdecimal() and len(one) < 4 else 256 for one in text.split(",")]
    if len(given) != len(highest) or any(a > b for a, b in zip(given, highest, strict=True)):
        raise Http404("no such levels")
    key = f"imagined:{token.contract_id}:{token.token_id}:{text}"
    return kept(key, lambda: enlarged(mirror_work(token, 0, given=given).pixels))


def drawn(token: Token) -> bytes:
    """Out of ``tokenURI``, once for each block."""
    with connect() as node:
        header = node.header("latest")
        assert header is not None
        key = f"drawn:{token.contract_id}:{token.token_id}:{header.hash}"

        def ask() -> bytes:
            picture = Image.open(io.BytesIO(read_work(node, token, header.number).picture))
            return enlarged(np.asarray(picture.convert("RGB")))

        return kept(key, ask)


def kept(key: str, make: Any) -> bytes:
    found: bytes | None = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, KEPT_S)
    assert found is not None
    return found


def enlarged(pixels: NDArray[np.uint8]) -> bytes:
    """PNG, each pixel a square."""
    size = pixels.shape[0] * ENLARGED
    out = io.BytesIO()
    Image.fromarray(pixels).resize((size, size), Image.Resampling.NEAREST).save(out, "PNG")
    return out.getvalue()


def living_context(token: Token | None) -> dict[str, Any]:
    """What the page of a work says about the picture in its contract; nothing where there is none.

    Levels are the chain's, or as far as rows know them where it cannot be asked.
    """
    if token is None or not token.contract.is_painted:
        return {}
    contract = token.contract
    arguments = [contract.collection.slug, token.token_id]
    living: dict[str, Any] = {
        "url": reverse("gallery:living-picture", args=arguments),
        "life_url": reverse("gallery:living-life", args=arguments),
        "is_drawn": is_drawn(token),
        "painter": contract.painter_address,
        "rpc_url": public_rpc_url(),
        "chain_id": contract.chain_id,
    }
    if contract.law is not None and contract.evolution_address:
        law = law_of(contract)
        found, is_told = levels_now(token, law)
        sources = {rule.source for rule in law.rules}
        living |= {
            "evolution": contract.evolution_address,
            "meters": [
                meter(k, rule, own)
                for k, (rule, own) in enumerate(zip(law.rules, found, strict=True))
            ],
            "is_told": is_told,
            "rhythm": rhythm(law.period_s),
            "may_interact": Source.INTERACTIONS in sources,
            "interaction_url": reverse("token-interaction", args=[contract.address, token.token_id])
            if relays(contract)
            else "",
            "may_act": not sources.isdisjoint({Source.INTERACTIONS, Source.POSITION}),
            "past": past(token, law),
            "epochs": epoch_pictures(token),
        }
        if living["epochs"]:
            living["check"] = check(token)
    return {"living": living}


def rhythm(period_s: int) -> str:
    """How often something may be done, in the largest unit that the period is whole in."""
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    unit, n = next((name, period_s // s) for name, s in units if period_s % s == 0)
    if n == 1:
        return f"once {'an' if unit == 'hour' else 'a'} {unit}"
    return f"once in {n} {unit}s"


def epoch_pictures(token: Token) -> list[dict[str, Any]]:
    """The large pictures of a work as it was minted and after each epoch, the first one first."""
    work = token.artwork
    if work is None:
        return []
    moved = list(work.moved_pictures.in_order())
    if not moved:
        return []
    rows = [("As it was minted", work.image_digest)]
    rows += [(f"After epoch {one.epoch}", one.image_digest) for one in moved]
    return [
        {"title": title, "url": reverse("artwork-image", args=[digest])} for title, digest in rows
    ]


def check(token: Token) -> dict[str, str]:
    """How anybody draws the pictures of epochs again, and where the files for it are."""
    contract, number = token.contract, token.drop.number
    words = ["manage.py verify", f"--rpc {public_rpc_url() or 'https://your.node'}"]
    words += [f"--contract {contract.address}", f"--token {token.token_id}"]
    words += [f"--car drop-{number}.car", "--checkpoint generator.safetensors"]
    words += [f"--moved moved-{token.token_id}.json"]
    return {
        "command": " \\\n  ".join(words),
        "moved_url": reverse("moved-work", args=[contract.address, token.token_id]),
        "car_url": reverse("drop-car", args=[contract.collection.slug, number]),
        "car_name": f"drop-{number}.car",
    }


def meter(k: int, rule: Rule, level: int) -> Meter:
    return Meter(
        name=rule.name,
        says=DEFAULTS[rule.source].says,
        towards=towards(rule),
        level=level,
        highest=rule.highest,
        percent=round(100 * level / rule.highest, 1),
        rule=k,
        has_position=rule.source == Source.POSITION,
        pool={Source.POSITION: rule.pool, Source.SHARE: rule.peer}.get(rule.source, ""),
    )


def is_drawn(token: Token) -> bool:
    try:
        word_of(token)
    except NotPaintedError:
        return False
    return True


def levels_now(token: Token, law: Law) -> tuple[tuple[int, ...], bool]:
    """And whether the chain told them; it is not asked more than every two seconds."""
    key = f"levels:{token.contract_id}:{token.token_id}"
    told: tuple[int, ...] | None = cache.get(key)
    if told is not None:
        return told, True
    try:
        with connect() as node:
            told = read_levels(node, token)
    except ChainError:
        return mirror_levels(token, law, int(timezone.now().timestamp())), False
    cache.set(key, told, FRESH_S)
    return told, True


def past(token: Token, law: Law) -> list[dict[str, Any]]:
    """What happened to it, newest first."""
    snapshots = Snapshot.objects.filter(contract=token.contract_id)
    hashes = dict(snapshots.values_list("number", "snapshot_hash"))
    newest = happenings(token, law)[-N_PAST:][::-1]
    simulated = simulated_among(what.wallet for _, what in newest if what.wallet)
    return [
        {
            "at": block.mined_at,
            "block": block.number,
            "title": what.title,
            "says": what.says,
            "wallet": what.wallet,
            "is_simulated": what.wallet in simulated,
            "snapshot": hashes.get(what.epoch, ""),
        }
        for block, what in newest
    ]
