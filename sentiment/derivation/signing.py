"""The votes that their voters signed: the part of a bundle that has them, and its check."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from minting.verification.findings import FailedError, Said
from sentiment.derivation.document import VoteRow
from sentiment.derivation.reading import count, mapping, require, table, text
from sentiment.integrity import ballots
from sentiment.integrity.ballots import Ballot

PARTS = ("domain", "type", "columns", "rows")
COLUMNS = ["vote", "signature"]


def describe(chain_id: int, rows: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """The part of a bundle: signatures by the places of their votes in the inputs."""
    return {
        "domain": ballots.domain(chain_id),
        "type": ballots.TYPE,
        "columns": COLUMNS,
        "rows": sorted(map(list, rows)),
    }


def check(told: Any, inputs: Mapping[str, Any], votes: Sequence[VoteRow]) -> Said:
    """Whether each signature is the voter's, for this vote."""
    parts = mapping(told, "signatures", PARTS)
    named = mapping(parts["domain"], "signatures.domain", ("name", "version", "chainId"))
    chain_id = count(named["chainId"], "signatures.domain.chainId", 1)
    require(dict(named) == ballots.domain(chain_id), "signatures.domain", "not ours")
    require(parts["type"] == ballots.TYPE, "signatures.type", f"not {ballots.TYPE}")
    rows = table(parts, "signatures", COLUMNS)
    places = [count(place, "signatures.rows") for place, _ in rows]
    is_ordered = all(one < other for one, other in pairwise(places))
    require(is_ordered, "signatures.rows", "not in the order of the votes")
    require(not places or places[-1] < len(votes), "signatures.rows", "of votes that are not there")
    for place, signature in rows:
        vote = votes[place]
        ballot = ballot_of(inputs["collection"], vote)
        said = text(signature, "signatures.rows")
        if not ballots.is_signed_by(ballot, chain_id, said, vote.voter):
            raise FailedError(f"{vote.voter} did not sign the vote at place {place}")
    return f"{len(rows)} of {len(votes)} votes are signed by their voters"


def ballot_of(collection: str, vote: VoteRow) -> Ballot:
    return Ballot(vote.drop, collection, vote.left, vote.right, vote.winner)
