"""A work through its life: its levels and both pictures after each block that says something."""

from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from minting.chain.client import ChainError
from minting.models import Token
from minting.services import Moment, ask_chain, connect, law_of, moments

KEPT_S = 3600
AGAIN_S = 10  # until a node that has forgotten a block, or is away, is asked again


@require_safe
def life(request: HttpRequest, slug: str, token_id: int) -> JsonResponse:
    """The newest hundred moments, the oldest first.

    Levels are the contract's own after that block; ``is_whole`` is false where the node has
    forgotten the block, and positions in pools are missing from them. A picture is null where the
    drop has none.
    """
    tokens = Token.objects.select_related("contract", "artwork").exclude(contract__law=None)
    token = get_object_or_404(tokens, contract__collection__slug=slug, token_id=token_id)
    picture = reverse("gallery:living-picture", args=[slug, token_id])
    pictures = _large_pictures(token)
    rows = [
        {
            "block": one.block.number,
            "at": one.block.mined_at,
            "happened": [{"title": what.title, "says": what.says} for what in one.happened],
            "levels": one.levels,
            "is_whole": one.is_whole,
            "picture": f"{picture}?levels={','.join(map(str, one.levels))}",
            "large_picture": max((e, url) for e, url in pictures if e <= one.epoch)[1]
            if pictures
            else None,
        }
        for one in _whole(token)
    ]
    answer = JsonResponse(
        {"rules": [rule.name for rule in law_of(token.contract).rules], "moments": rows}
    )
    answer["Cache-Control"] = "no-cache"
    return answer


def _whole(token: Token) -> list[Moment]:
    """As the chain tells them, which is not asked for the same ones again."""
    found = moments(token, law_of(token.contract))
    if not found or not token.contract.evolution_address:
        return found
    key = f"life:{token.pk}:{len(found)}:{found[-1].block.hash}"
    told: list[Moment] | None = cache.get(key)
    if told is None:
        try:
            with connect() as node:
                told = ask_chain(node, token, found)
        except ChainError:
            told = found
        cache.set(key, told, KEPT_S if all(one.is_whole for one in told) else AGAIN_S)
    return told


def _large_pictures(token: Token) -> list[tuple[int, str]]:
    """Epochs and pictures, the one that was minted as epoch 0."""
    work = token.artwork
    if work is None:
        return []
    rows: list[tuple[int, Any]] = [(0, work.image_digest)]
    rows += work.moved_pictures.values_list("epoch", "image_digest")
    return [(epoch, reverse("artwork-image", args=[digest])) for epoch, digest in rows]
