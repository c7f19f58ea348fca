"""What a safetensors file says of itself, read without its weights and without torch."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from generation.gan.config import BigGanDeepConfig, ConfigError, GanConfig, GeneratorConfig
from generation.gan.schedule import StyleGAN3Config

ARCHITECTURES: dict[str, Callable[[dict[str, Any]], GeneratorConfig]] = {
    "morphora-biggan-1": GanConfig.from_json,
    "morphora-biggan-deep-1": BigGanDeepConfig.from_json,
    "morphora-stylegan3-1": StyleGAN3Config.from_json,
}
PARSER_ARCHITECTURE = "morphora-parser-1"
MAX_BYTES = 1 << 30


class CheckpointError(Exception):
    """A file is not a checkpoint of ours; ``reason`` says why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class CheckpointHeader:
    """What a checkpoint says of itself, readable without its weights."""

    architecture: str
    config: GeneratorConfig
    recipe: dict[str, Any]


def sha256_file(path: Path) -> str:
    """Digest of a file, 64 lower-case hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_digest(path: Path, expected_sha256: str | None) -> None:
    """CheckpointError unless the file has this digest, where one is expected.

    Before anything in the file is read: of other bytes, no part can be trusted.
    """
    if expected_sha256 is None:
        return
    if not path.is_file():
        raise CheckpointError(path, "no such file")
    if (found := sha256_file(path)) != expected_sha256:
        raise CheckpointError(path, f"sha256 {found}, expected {expected_sha256}")


def read_metadata(path: Path, *architectures: str) -> dict[str, str]:
    """The header's texts, of a file that says it holds one of ``architectures``.

    Raises
    ------
    CheckpointError
        The file is missing, oversized, not safetensors, or of another architecture.
    """
    if not path.is_file():
        raise CheckpointError(path, "no such file")
    if path.stat().st_size > MAX_BYTES:
        raise CheckpointError(path, f"larger than {MAX_BYTES} bytes")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(path, f"not a safetensors file: {error}") from error
    if (found := metadata.get("architecture")) not in architectures:
        raise CheckpointError(
            path, f"architecture {found!r}, expected {' or '.join(architectures)}"
        )
    return metadata


def read_header(path: Path) -> CheckpointHeader:
    """Configuration and recipe of a generator; CheckpointError if the file is not one."""
    metadata = read_metadata(path, *ARCHITECTURES)
    architecture = metadata["architecture"]
    try:
        config = ARCHITECTURES[architecture](json.loads(metadata["config"]))
        return CheckpointHeader(architecture, config, json.loads(metadata["recipe"]))
    except (KeyError, ConfigError, json.JSONDecodeError) as error:
        raise CheckpointError(path, f"header without a usable {error}") from error


def read_report(path: Path) -> dict[str, Any]:
    """The report saved with a parser: held-out accuracy, dataset digest, seed."""
    report: dict[str, Any] = json.loads(read_metadata(path, PARSER_ARCHITECTURE)["report"])
    return report
