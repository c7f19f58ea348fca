"""What a drop's hashes were made of, as its manifest says it."""

from typing import Any

from generation.models import Drop
from generation.services import named_steps
from minting.models import Commitment, Contract
from minting.provenance import cid, lineage
from minting.provenance.canonical import canonicalize
from minting.provenance.lineage import DropBody, Roots
from minting.provenance.sources import code_files
from minting.services.chain import load_signer
from minting.services.painting import student
from minting.services.places import Start

FORMAT = "morphora-drop-4"
# The file beside the works that says how they came about; folders of earlier formats have none.
PROVENANCE = "provenance.json"
# What is known of a drop only once its folder is: it cannot stand in it.
_LATER = ("commitment", "previous_head", "head", "image_cid", "root_cid", "seal", "chain")


def origin(drop: Drop) -> dict[str, Any]:
    """Collection, checkpoint, code and parameters of a drop."""
    parameters = drop.parameter_set
    parent = parameters.parent
    return {
        "format": FORMAT,
        "kind": drop.kind,
        "cid_profile": cid.PROFILE,
        "collection": {"slug": drop.collection.slug, "name": drop.collection.name},
        "checkpoint": {
            "sha256": drop.checkpoint.sha256,
            "parser_sha256": drop.checkpoint.parser_sha256,
            "architecture": drop.checkpoint.architecture,
            "source": drop.checkpoint.source,
            "licence": drop.checkpoint.licence,
        },
        "code": code_files(),
        "parameters": parameters.body,
        "directions": {
            name: step.tolist()
            for name, step in named_steps(drop.checkpoint, parameters.parameters).items()
        },
        **_basis(drop),
        "parent_parameters": parent.body if parent else None,
        "ancestors": ancestors(drop),
    }


def _basis(drop: Drop) -> dict[str, Any]:
    """Along what the bytes of works that the contract draws move the large latent."""
    contract = Contract.objects.filter(collection=drop.collection_id).first()
    if contract is None or not contract.is_painted:
        return {}
    own = student(drop.collection)
    return {"student_sha256": own.sha256, "basis": own.basis.tolist()}


def provenance(manifest: dict[str, Any]) -> bytes:
    """What stands in a drop's folder beside its works: all of its manifest that can."""
    told = {name: value for name, value in manifest.items() if name not in _LATER}
    works = [
        {name: value for name, value in row.items() if name != "metadata"}
        for row in manifest["works"]
    ]
    return canonicalize(told | {"works": works})


def ancestors(drop: Drop) -> list[dict[str, Any]]:
    """Parameters from the parent of the drop's back to those that an earlier drop was made with.

    Not every set has its own drop, so that the hashes on chain alone may leave a gap.
    """
    earlier = Commitment.objects.filter(collection=drop.collection_id).exclude(drop=drop)
    drawn = set(earlier.values_list("params_hash", flat=True))
    found, one = [], drop.parameter_set.parent
    while one is not None:
        found.append(one.body)
        if lineage.params_hash(one.body).hex() in drawn:
            break
        one = one.parent
    return found


def place(drop: Drop, start: Start) -> dict[str, Any]:
    """Which drop it is: to people, on chain, and how many places it had before curation."""
    return {
        "number": drop.number,
        "chain_number": start.number,
        "first_token_id": start.first_token_id,
        "size": drop.size,
    }


def sign_log(drop: Drop, entries: list[dict[str, Any]], root: bytes) -> dict[str, str]:
    """The operator's word for the log, which names the collection and the drop."""
    text = lineage.curation_text(drop.collection.slug, drop.number, len(entries), root)
    signer = load_signer()
    return {"signer": signer.address, "text": text, "signature": signer.sign_text(text)}


def environments(drop: Drop) -> list[dict[str, Any]]:
    """What the drop's pictures were drawn in, each once: versions, threads, batch."""
    jobs = drop.jobs.filter(kind__in=["render", "draw"]).order_by("pk")
    found = list(jobs.values_list("checkpoint", flat=True))
    told = [job["environment"] for job in found if "environment" in job]
    told += [one for job in found for one in job.get("environments", [])]
    return [one for place, one in enumerate(told) if one not in told[:place]]


def curation_rows(drop: Drop) -> list[dict[str, Any]]:
    """The curation log: what was planned or chosen from, then every decision in their order."""
    plan = [{"kind": "planned", "body": drop.plan.to_json()}] if hasattr(drop, "plan") else []
    decisions = drop.decisions.select_related("artwork", "curator").in_order()
    if hasattr(drop, "selection"):
        plan.append({"kind": "selected", "body": drop.selection.to_json()})
    return plan + [
        {
            "kind": decision.kind,
            "index": decision.artwork.index if decision.artwork else None,
            "image_sha256": decision.image_digest,
            "status": decision.status,
            "reason": decision.reason,
            "curator": decision.curator.get_username() if decision.curator else "",
            "decided_at": decision.created_at.isoformat(),
            "body": decision.body,
        }
        for decision in decisions
    ]


def hexadecimal(words: DropBody | Roots) -> dict[str, Any]:
    """A struct's fields by name, hashes in hex."""
    return {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in vars(words).items()
    }
