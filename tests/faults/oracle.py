"""Nothing lost, nothing doubled, clear error: what has to hold after every fault."""

import hashlib
import re
from pathlib import Path

from django.conf import settings

from generation.models import Artwork, Job
from minting.models import Attempt, ChainTransaction, Contract, Token
from tests.fixtures.chain import OWNER, Chain

State = ChainTransaction.State
SECRETS = re.compile(r"Traceback|File \"|/root|/home|/tmp|http://|0x[0-9a-f]{64}|key=")


def check(chain: Chain, n_tokens: int) -> None:
    """O1 to O3 and O5 of an outbox that has come to rest; O4 is about votes, which it has none of.

    The chain has ``n_tokens`` works of the only contract, all sent by us and read by the indexer.
    """
    _check_jobs()
    _check_files()
    _check_tokens(chain, n_tokens)
    _check_nonces(chain)
    _check_errors()


def _check_jobs() -> None:
    """O1: every intent has settled, no job runs."""
    assert not ChainTransaction.objects.unsettled().exists()
    assert not Job.objects.filter(state="running").exists()


def _check_files() -> None:
    """O2: pictures on disk are those of the rows, under their digests, and nothing half written."""
    folder = Path(settings.MEDIA_ROOT) / "images"
    found = {path.stem: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert set(found) == set(Artwork.objects.values_list("image_digest", flat=True))
    assert all(hashlib.sha256(raw).hexdigest() == name for name, raw in found.items())


def _check_tokens(chain: Chain, n_tokens: int) -> None:
    """O3: supply, rows and distinct ids are the same number, and owners agree."""
    address = Contract.objects.get().address
    rows = dict(Token.objects.values_list("token_id", "owner"))
    assert chain.ask(address, "totalSupply") == len(rows) == n_tokens
    assert Token.objects.count() == n_tokens
    assert all(
        chain.ask(address, "ownerOf", token_id) == owner.lower() == OWNER.lower()
        for token_id, owner in rows.items()
    )
    mints = ChainTransaction.objects.filter(kind="mint", state=State.CONFIRMED)
    assert mints.count() == n_tokens
    assert mints.values("tx_hash").distinct().count() == n_tokens


def _check_nonces(chain: Chain) -> None:
    """Each confirmed intent has its own nonce, and no attempt of it lies under another one."""
    live = Attempt.objects.live().filter(transaction__block_number__isnull=False)
    nonces = list(live.values_list("nonce", flat=True))
    assert len(nonces) == len(set(nonces))
    assert max(nonces, default=-1) < chain.nonce(OWNER)


def _check_errors() -> None:
    """O5: what failed says why, and nothing of how it is built or reached."""
    refused = ChainTransaction.objects.filter(state=State.REVERTED)
    assert all(error for error in refused.values_list("error", flat=True))
    errors = ChainTransaction.objects.exclude(error="").values_list("error", flat=True)
    assert not [error for error in errors if SECRETS.search(error)]
