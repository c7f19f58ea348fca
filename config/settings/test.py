"""Tests: SQLite on disk, or PostgreSQL by DATABASE_URL; chain and broker per test."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import dj_database_url

from config.settings.base import *  # noqa: F403
from config.settings.base import sqlite

VAR_DIR = Path(tempfile.mkdtemp(prefix="morphora-test-"))
atexit.register(shutil.rmtree, VAR_DIR, ignore_errors=True)
SECRET_KEY = "tests only"  # noqa: S105
DATABASES = {
    "default": dj_database_url.parse(os.environ["DATABASE_URL"])
    if "DATABASE_URL" in os.environ
    else sqlite(VAR_DIR / "test.sqlite3")
}
if "DATABASE_URL" not in os.environ:
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / f"test-{os.getpid()}.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir()
MEDIA_ROOT = VAR_DIR / "media"
CHECKPOINT_ROOT = VAR_DIR / "checkpoints"
DATASET_ROOT = VAR_DIR / "datasets"

REDIS_URL = "redis://127.0.0.1:1/0"
CELERY_BROKER_URL = "memory://"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

CHAIN_ID = 31337
CHAIN_RPC_URL = "http://127.0.0.1:1"
CHAIN_CONFIRMATIONS = 1
CHAIN_REVEAL_BLOCKS = 10
CHAIN_PRIVATE_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
WEB_PORT = 8000
