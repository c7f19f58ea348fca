"""Production: every value from the environment; a missing one stops the start with its name."""

import os
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from config.settings.base import *  # noqa: F403
from config.settings.base import VAR_DIR


def required(name: str) -> str:
    """A value, or the text of the file that NAME_FILE names: a mounted secret."""
    file = os.environ.get(f"{name}_FILE", "")
    value = Path(file).read_text().strip() if file else os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set")
    return value


SECRET_KEY = required("SECRET_KEY")
ALLOWED_HOSTS = required("ALLOWED_HOSTS").split(",")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]

# Ten accounts' worth behind one address; empty for no limit.
REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]["vote-address"] = (  # type: ignore[index]  # noqa: F405
    os.environ.get("VOTES_PER_ADDRESS", "6000/min") or None
)

STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", VAR_DIR / "static"))

# Django's own pool: persistent connections exhausted 100 of PostgreSQL's under ASGI.
_database = dj_database_url.parse(required("DATABASE_URL"), conn_max_age=0)
_pool = {"pool": {"min_size": 1, "max_size": 8, "timeout": 10}}
DATABASES = {"default": {**_database, "OPTIONS": {**_database.get("OPTIONS", {}), **_pool}}}

REDIS_URL = required("REDIS_URL")
CELERY_BROKER_URL = REDIS_URL
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "morphora"},
    }
}

CHAIN_RPC_URL = required("CHAIN_RPC_URL")
CHAIN_PUBLIC_RPC_URL = os.environ.get("CHAIN_PUBLIC_RPC_URL", "")
CHAIN_ID = int(required("CHAIN_ID"))
# How many blocks after its commitment a drop's seed is decided.
CHAIN_REVEAL_BLOCKS = int(os.environ.get("CHAIN_REVEAL_BLOCKS", "7200"))
CHAIN_CONFIRMATIONS = int(os.environ.get("CHAIN_CONFIRMATIONS", "12"))
CHAIN_KEYSTORE = os.environ.get("CHAIN_KEYSTORE", "")
CHAIN_KEYSTORE_PASSWORD = required("CHAIN_KEYSTORE_PASSWORD") if CHAIN_KEYSTORE else ""
CHAIN_PRIVATE_KEY = "" if CHAIN_KEYSTORE else required("CHAIN_PRIVATE_KEY")

SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
