"""What docs/deploy.md promises: units, image and compose file name what exists, all of it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def production(tmp_path: Path, script: str, **environment: str) -> str:
    given = {
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "MORPHORA_VAR": str(tmp_path),
        "SECRET_KEY": "given",
        "ALLOWED_HOSTS": "morphora.example",
        "DATABASE_URL": "postgres://morphora@db/morphora",
        "REDIS_URL": "redis://valkey/0",
        "CHAIN_RPC_URL": "https://rpc.example",
        "CHAIN_ID": "1",
        "CHAIN_PRIVATE_KEY": "0x01",
    }
    done = subprocess.run(
        [sys.executable, "-c", f"from django.conf import settings as s; {script}"],
        cwd=ROOT,
        env={name: text for name, text in (given | environment).items() if text},
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or done.stderr.strip().rpartition("\n")[2]


def test_a_value_may_come_from_a_mounted_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    script = "print(s.SECRET_KEY)"

    assert production(tmp_path, script, SECRET_KEY_FILE=str(tmp_path / "key")) == "from a file"
    assert production(tmp_path, script) == "given"


def test_options_of_the_database_url_stay_beside_the_pool(tmp_path: Path) -> None:
    url = "postgres://morphora@db/morphora?sslmode=verify-full"
    script = "o = s.DATABASES['default']['OPTIONS']; print(o['sslmode'], o['pool']['max_size'])"

    assert production(tmp_path, script, DATABASE_URL=url) == "verify-full 8"


def test_a_keystore_file_takes_the_place_of_the_key(tmp_path: Path) -> None:
    script = "print(s.CHAIN_KEYSTORE, s.CHAIN_KEYSTORE_PASSWORD)"
    asked = {"CHAIN_KEYSTORE": "/k.json", "CHAIN_PRIVATE_KEY": ""}

    assert production(tmp_path, script, **asked, CHAIN_KEYSTORE_PASSWORD="p") == "/k.json p"
    assert "CHAIN_KEYSTORE_PASSWORD is not set" in production(tmp_path, script, **asked)
    assert "CHAIN_PRIVATE_KEY is not set" in production(tmp_path, script, CHAIN_PRIVATE_KEY="")
