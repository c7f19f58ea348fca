"""A web server that is killed while people vote."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.faults.conftest import times

ROOT = Path(__file__).resolve().parents[2]


@times(light=3, full=60)
def test_no_vote_that_was_answered_is_lost_and_none_is_doubled(n: int, tmp_path: Path) -> None:
    """Killed at a third and at two thirds of ``n`` seconds."""
    few = ["--wallets", "24", "--works", "60", "--connections", "8", "--warm", "0.5"]
    call = [sys.executable, "-m", "benchmarks.votes", "--kill", "--seconds", str(n), *few]
    alone = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "MORPHORA_VAR")}

    done = subprocess.run(
        [*call, "--json", str(tmp_path / "found.json")],
        cwd=ROOT,
        env=alone,
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["lost"] == 0
    assert found["answers"]["0"] > 0, "nobody was waiting when it was killed"
    assert found["answers"]["201"] > 0
