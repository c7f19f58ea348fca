"""Checkpoints: where they come from, and whether their works may be sold."""

import json
import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from generation.gan.header import read_header, sha256_file
from generation.models import Checkpoint, Permission

# SPDX identifiers under which pictures drawn by a network may be sold.
SALEABLE = re.compile(
    r"CC0-1\.0|CC-BY(-SA)?-\d\.\d|PDDL-1\.0|Unlicense|"
    r"MIT(-0)?|Apache-2\.0|BSD-[23]-Clause|0BSD|ISC",
    re.IGNORECASE,
)


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


def register_shipped_checkpoint() -> Checkpoint:
    """The checkpoint that comes with Morphora."""
    card: dict[str, Any] = json.loads(settings.SHIPPED_CARD.read_text())
    return register_checkpoint(
        name=card["name"],
        path=settings.SHIPPED_CHECKPOINT,
        parser_path=settings.SHIPPED_PARSER,
        source=card["source"],
        licence=card["licence"],
    )


def keep_checkpoint(path: Path) -> Path:
    """Where a checkpoint lies for good: in the installation's folder, under its digest."""
    return Path(settings.VAR_DIR) / "checkpoints" / f"{sha256_file(path)}.safetensors"


def allows_sale(licence: str) -> bool:
    """Whether a licence, by its SPDX identifier, is known to allow the sale of works."""
    return SALEABLE.fullmatch(licence.strip()) is not None


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
