"""What a drop's hashes were made of, as its manifest says it."""

import hashlib
from pathlib import Path
from typing import Any

import generation
from generation.models import Drop
from generation.services import named_steps
from minting.provenance import cid, lineage
from minting.provenance.lineage import DropBody, Roots
from minting.services.chain import load_signer

FORMAT = "morphora-drop-3"
SOURCES = Path(generation.__file__).parent
# What draws and reads a picture; the rest of the code cannot change one.
DRAWING = ("gan", "imaging", "traits")


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
        "parent_parameters": parent.body if parent else None,
    }


def sign_log(drop: Drop, entries: list[dict[str, Any]], root: bytes) -> dict[str, str]:
    """The operator's word for the log, which names the collection and the drop."""
    text = lineage.curation_text(drop.collection.slug, drop.number, len(entries), root)
    signer = load_signer()
    return {"signer": signer.address, "text": text, "signature": signer.sign_text(text)}


def code_files() -> dict[str, str]:
    """Path -> sha256 of every source that draws or reads a picture."""
    paths = [path for folder in DRAWING for path in sorted((SOURCES / folder).rglob("*.py"))]
    return {
        path.relative_to(SOURCES.parent).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def environments(drop: Drop) -> list[dict[str, Any]]:
    """What the drop's pictures were drawn in, each once: versions, threads, batch."""
    jobs = drop.jobs.filter(kind__in=["render", "draw"]).order_by("pk")
    found = list(jobs.values_list("checkpoint", flat=True))
    told = [job["environment"] for job in found if "environment" in job]
    told += [one for job in found for one in job.get("environments", [])]
    return [one for place, one in enumerate(told) if one not in told[:place]]


def curation_rows(drop: Drop) -> list[dict[str, Any]]:
    """The curation log: what was planned, then every decision in the order they were taken."""
    plan = [{"kind": "planned", "body": drop.plan.to_json()}] if hasattr(drop, "plan") else []
    decisions = drop.decisions.select_related("artwork", "curator").in_order()
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
