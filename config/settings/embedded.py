"""One machine, no accounts, no services: what `make up` runs."""

import os

import dj_database_url

from config.installation import installation
from config.settings.base import *  # noqa: F403
from config.settings.base import VAR_DIR, sqlite

_here = installation(VAR_DIR)

SECRET_KEY = _here.secret_key
LEAD_PASSWORD = _here.lead_password
_database = (
    dj_database_url.parse(os.environ["DATABASE_URL"])
    if "DATABASE_URL" in os.environ
    else sqlite(VAR_DIR / "morphora.sqlite3")
)
DATABASES = {"default": _database | {"CONN_MAX_AGE": 60}}  # a web thread keeps its own

# Names with digests, no compression: pages load from this machine and the first start is quicker.
STORAGES = STORAGES | {  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
}

WEB_PORT = int(os.environ.get("MORPHORA_WEB_PORT", "8000"))
PUBLIC_URL = f"http://localhost:{WEB_PORT}"
CSRF_TRUSTED_ORIGINS = [f"http://localhost:{WEB_PORT}", f"http://127.0.0.1:{WEB_PORT}"]

REDIS_URL = os.environ.get(
    "REDIS_URL", f"redis://127.0.0.1:{os.environ.get('MORPHORA_BROKER_PORT', '6399')}/0"
)
CELERY_BROKER_URL = REDIS_URL
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "morphora"},
    }
}

CHAIN_ID = int(os.environ.get("CHAIN_ID", "31337"))
CHAIN_RPC_URL = os.environ.get(
    "CHAIN_RPC_URL", f"http://127.0.0.1:{os.environ.get('MORPHORA_CHAIN_PORT', '8545')}"
)
# How many blocks after its commitment a drop's seed is decided.
CHAIN_REVEAL_BLOCKS = int(os.environ.get("CHAIN_REVEAL_BLOCKS", "32"))
RELAYED_A_DAY = int(
    os.environ.get("RELAYED_INTERACTIONS_A_DAY", "1000" if CHAIN_ID == 31337 else "0")
)
CHAIN_CONFIRMATIONS = int(os.environ.get("CHAIN_CONFIRMATIONS", "1"))
# Anvil's first account. The signer refuses it on any chain id but 31337.
CHAIN_PRIVATE_KEY = os.environ.get(
    "CHAIN_PRIVATE_KEY", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
)
