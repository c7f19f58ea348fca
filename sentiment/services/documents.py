"""The public inputs of a round: built from rows while it is open, kept once it is closed."""

import json
import zlib
from dataclasses import asdict
from typing import Any

from generation.models import Artwork
from minting.provenance.canonical import canonicalize
from sentiment.control import explain
from sentiment.derivation import opinions
from sentiment.derivation.constants import Constants
from sentiment.derivation.document import RANGE_COLUMNS, VOTE_COLUMNS
from sentiment.derivation.opinions import Opinions
from sentiment.models import Round, ScoreInputs, ScoreRun, Vote, VoteArrays
from sentiment.services.bounds import bounds_of
from sentiment.services.evidence import latents_of
from sentiment.services.market import last_final_block, market_inputs
from sentiment.services.opinions import opinions_of
from sentiment.services.weights import vote_weights


def round_inputs(*, round: Round) -> dict[str, Any]:
    """Everything a score run reads, in public names: works by drop and index, voters by address.

    The input hash of the run is that of this document, as canonical JSON. Of a closed round it is
    what was kept then, whatever has become of code and rows since.
    """
    kept = ScoreInputs.objects.filter(run__round=round).first()
    if kept is not None:
        found: dict[str, Any] = json.loads(zlib.decompress(kept.body))
        return found
    run = ScoreRun.objects.filter(round=round).first()  # of a round closed before they were kept
    return build_inputs(round, run.market.get("until_block") if run else last_final_block(round))


def keep_inputs(run: ScoreRun, inputs: dict[str, Any]) -> ScoreInputs:
    body = zlib.compress(canonicalize(inputs))
    return ScoreInputs.objects.create(run=run, body=body)


def build_inputs(round: Round, until_block: int | None) -> dict[str, Any]:
    """The document of a round from rows, with sales up to a block."""
    arrays = Vote.objects.as_arrays(round)
    works = Artwork.objects.select_related("drop").in_bulk(arrays.artwork_ids)
    bounds = bounds_of(round.drop.collection, until_block)
    names = [f"{works[pk].drop.number}/{works[pk].index}" for pk in arrays.artwork_ids]
    said, discussed = opinions_of(round)
    named = dict(zip(names, (works[pk] for pk in arrays.artwork_ids), strict=True)) | discussed
    return {
        "collection": round.drop.collection.slug,
        "drop": round.drop.number,
        "parameters": round.drop.parameter_set.parameters.to_json(),
        "works": {name: work.parsed for name, work in named.items()},
        "latents": _latents(round, named),
        "exposures": {name: work.exposure for name, work in named.items() if work.exposure != 1},
        "votes": {"columns": VOTE_COLUMNS, "rows": _votes(arrays, names)},
        "opinions": _opinions(said),
        "market": market_inputs(round, until_block),
        "constants": asdict(Constants(min_entropy=bounds.min_entropy, max_step=bounds.max_step)),
        "ranges": {
            "columns": RANGE_COLUMNS,
            "rows": sorted([*option, *ends] for option, ends in bounds.ranges.items()),
        },
        "code": explain.code_version(),
    }


def _latents(round: Round, works: dict[str, Artwork]) -> dict[str, dict[str, float]]:
    """Of each work along the directions that are steered now, as far as they were measured."""
    return {name: along for name, work in works.items() if (along := latents_of(round, work))}


def _opinions(said: Opinions) -> dict[str, Any]:
    averages = {str(number): one.to_json() for number, one in said.averages.items()}
    rows = [list(row) for row in said.rows]
    return {"columns": opinions.COLUMNS, "rows": rows, "averages": averages}


def _votes(arrays: VoteArrays, names: list[str]) -> list[list[Any]]:
    """Rows in the order of what they say, each with its weight in its own round."""
    addresses = dict(
        Vote.objects.filter(voter_id__in=set(arrays.voters.tolist()))
        .order_by("voter_id", "pk")
        .values_list("voter_id", "voter__address")
    )
    columns = zip(
        arrays.left.tolist(),
        arrays.right.tolist(),
        arrays.left_won.tolist(),
        (addresses[voter] for voter in arrays.voters.tolist()),
        arrays.ages.tolist(),
        vote_weights(arrays).tolist(),
        arrays.drops.tolist(),
        strict=True,
    )
    return sorted(
        [names[left], names[right], names[left if left_won else right], voter, age, weight, drop]
        for left, right, left_won, voter, age, weight, drop in columns
    )
