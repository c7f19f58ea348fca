"""Checkpoints: where they come from, and whether their works may be sold."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from generation.gan.header import read_header, sha256_file
from generation.models import Checkpoint, Permission
from generation.shipped import PORTRAITS, Shipped

# SPDX identifiers under which pictures drawn by a network may be sold.
SALEABLE = re.compile(
    r"CC0-1\.0|CC-BY(-SA)?-\d\.\d|PDDL-1\.0|Unlicense|"
    r"MIT(-0)?|Apache-2\.0|BSD-[23]-Clause|0BSD|ISC",
    re.IGNORECASE,
)


MAX_LICENCE, MAX_SOURCE = 100, 300  # characters in a checkpoint's row
AND = re.compile(r"\s+AND\s+")  # SPDX: the terms of both sides hold
UNKNOWN = "NOASSERTION"  # SPDX: nobody has said


class SaleForbiddenError(Exception):
    """The licence of a checkpoint does not allow a paid drop, and no lead has a permission."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(
            f"{checkpoint.name} is under {checkpoint.licence!r}, not known to allow sales: "
            "record the permission first, or mint for free"
        )
        self.checkpoint = checkpoint


def register_checkpoint(
    *,
    name: str,
    path: Path,
    parser_path: Path | None,
    source: str,
    licence: str,
) -> Checkpoint:
    """The row of a generator and its parser; the same files again are the same row.

    Raises CheckpointError when ``path`` is not a generator of ours.
    """
    header = read_header(path)
    checkpoint, _ = Checkpoint.objects.get_or_create(
        sha256=sha256_file(path),
        defaults={
            "name": name,
            "architecture": header.architecture,
            "config": header.config.to_json(),
            "recipe": header.recipe,
            "path": str(path),
            "parser_path": str(parser_path or ""),
            "parser_sha256": sha256_file(parser_path) if parser_path else "",
            "source": source,
            "licence": licence,
        },
    )
    return checkpoint


def register_shipped_checkpoint(shipped: Shipped = PORTRAITS) -> Checkpoint:
    """The row of a checkpoint that comes with Morphora, with the figures of its card."""
    card = shipped.card
    checkpoint = register_checkpoint(
        name=card["name"],
        path=shipped.generator,
        parser_path=shipped.parser,
        source=card["source"],
        licence=card["licence"],
    )
    if not checkpoint.measured:
        record_measurement(checkpoint=checkpoint, figures=card["measured"])
    return checkpoint


def record_measurement(*, checkpoint: Checkpoint, figures: dict[str, Any]) -> None:
    """Keep what ``manage.py evaluate`` found; it takes the place of an earlier measurement."""
    checkpoint.measured = figures
    checkpoint.save(update_fields=["measured"])


def keep_checkpoint(path: Path) -> Path:
    """Where a checkpoint lies for good: in the installation's folder, under its digest."""
    return Path(settings.VAR_DIR) / "checkpoints" / f"{sha256_file(path)}.safetensors"


def allows_sale(licence: str) -> bool:
    """Whether a licence is known to allow the sale of works, by its SPDX identifier.

    Of identifiers joined by AND each has to.
    """
    return all(SALEABLE.fullmatch(part) for part in AND.split(licence.strip()))


def joined_licence(*licences: str) -> str:
    """What holds for a work made from works under all of these: each said once, joined by AND.

    ValueError where that is longer than a checkpoint's row has room for.
    """
    parts: dict[str, None] = {}
    for licence in licences:
        whole = licence.strip() or UNKNOWN
        parts |= dict.fromkeys([f"({whole})"] if " OR " in whole else AND.split(whole))
    joined = " AND ".join(parts)
    if len(joined) > MAX_LICENCE:
        raise ValueError(f"the licences together are too long to record: {joined}")
    return joined


def lineage(*, source: str, licence: str, start: Path | None) -> dict[str, Any]:
    """Source and licence of what is learned from art, and from a generator where it starts there.

    ``chain`` names the generators that came before, the nearest first. What a generator's row says
    of its licence and what its own file says both hold. CheckpointError if it is not one of ours.
    """
    if start is None:
        return {"source": source, "licence": licence}
    recipe, sha256 = read_header(start).recipe, sha256_file(start)
    row = Checkpoint.objects.filter(sha256=sha256).first()
    said = [row.licence] if row else []
    said += [recipe["licence"]] if "licence" in recipe else []
    before = {
        "sha256": sha256,
        "source": row.source if row else recipe.get("source", "unknown"),
        "licence": joined_licence(*(said or [UNKNOWN])),
    }
    return {
        "source": f"{source}; started from {before['source']}"[:MAX_SOURCE],
        "licence": joined_licence(licence, before["licence"]),
        "started_from": sha256,
        "chain": [before, *recipe.get("chain", [])],
    }


def is_saleable(checkpoint: Checkpoint) -> bool:
    """By its licence, or by a permission that a lead has recorded."""
    return allows_sale(checkpoint.licence) or checkpoint.permissions.exists()


def record_permission(*, checkpoint: Checkpoint, lead: User, reason: str) -> Permission:
    """A lead's word that works may be sold; ValueError without a reason. The same is said once."""
    said = " ".join(reason.split())
    if not said:
        raise ValueError("a permission needs a reason: who gave it, when, for what")
    permission, _ = Permission.objects.get_or_create(
        checkpoint=checkpoint, reason=said[:500], defaults={"granted_by": lead}
    )
    return permission
