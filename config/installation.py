"""Secrets of this installation, made once, in files of mode 0600 outside git."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Installation:
    """Random per installation; ``lead_password`` belongs to the account ``lead``."""

    secret_key: str
    lead_password: str


def installation(folder: Path) -> Installation:
    """Read the secrets in ``folder``, making those that are missing."""
    private = folder / "secrets"
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Installation(
        secret_key=_secret(private / "secret_key", 50),
        lead_password=_secret(private / "lead_password", 15),
    )


def _secret(path: Path, n_bytes: int) -> str:
    """The text in ``path``; two processes that start together agree on one."""
    if not path.exists():
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(n_bytes))
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_text()
