"""Settings that hold everywhere. Values of one installation come from the environment."""

import os
from pathlib import Path

import django_stubs_ext

from minting.publishing.targets import read_gateways, read_targets

django_stubs_ext.monkeypatch()  # Django's generic classes take their type at run time, too

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = Path(os.environ.get("MORPHORA_VAR", BASE_DIR / "var"))

DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "generation",
    "minting",
    "sentiment",
    "gallery",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gallery.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
# Requests at once in a web process, and so its connections to the database at most.
WEB_THREADS = int(os.environ.get("WEB_THREADS", "8"))

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["sentiment.backends.VoterBackend"]
SESSION_ENGINE = "config.sessions"
LOGIN_URL = "gallery:sign-in"
LOGIN_REDIRECT_URL = "gallery:home"
LOGOUT_REDIRECT_URL = "gallery:home"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = VAR_DIR / "media"
CHECKPOINT_ROOT = VAR_DIR / "checkpoints"
DATASET_ROOT = VAR_DIR / "datasets"
# s3://bucket/prefix: pictures lie there, and MEDIA_ROOT has copies; empty: MEDIA_ROOT alone
PICTURES = os.environ.get("MORPHORA_PICTURES", "")

# Who keeps drops' files, by name: PUBLISH_TARGETS=ours and PUBLISH_OURS_KIND, _URL, _TOKEN, ...
PUBLISH_TARGETS = read_targets(os.environ)
PUBLISH_PART_BYTES = int(os.environ.get("PUBLISH_PART_MB", "16")) * 10**6
# Where what tokenURI names is asked for; without one only our own files are checked.
IPFS_GATEWAYS = read_gateways(os.environ.get("IPFS_GATEWAYS", ""))
STORAGE_CHECK_HOURS = float(os.environ.get("STORAGE_CHECK_HOURS", "24"))

# What `manage.py train_scorer` wrote; empty: VADER reads comments.
COMMENT_SCORER = os.environ.get("COMMENT_SCORER", "")

# Where visitors find the site; the simulated community goes there like anybody.
PUBLIC_URL = os.environ.get("PUBLIC_URL", "http://localhost:8000")

LEAD_PASSWORD = ""  # an installation's own; without one the demo makes no account
NODE_MODULES = BASE_DIR / "node_modules"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 50,
    "NUM_PROXIES": 0,  # a forged X-Forwarded-For must not pass the throttles
    "EXCEPTION_HANDLER": "config.problems.problem_response",
    "DEFAULT_THROTTLE_RATES": {
        "vote": "600/min",  # of each account
        "vote-address": os.environ.get("VOTES_PER_ADDRESS") or None,  # such as 6000/min
        "sign-in": "60/min",
        "comment": "20/min",
        "opinion": "120/min",
        "interaction": "60/min",  # each asks the chain
        "preview": "1500/min",
        "proof": "20/min",  # each hashes all votes of a round
    },
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Morphora",
    "DESCRIPTION": "Drops, artworks, votes and proposals of a living collection.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# Interactions with works that their holders sign and the installation pays for, of each collection
# in 24 hours; 0: holders send them themselves.
RELAYED_A_DAY = int(os.environ.get("RELAYED_INTERACTIONS_A_DAY", "0"))

# Transactions on pages link to "<address>/tx/<hash>"; empty for none.
CHAIN_EXPLORER_URL = os.environ.get("CHAIN_EXPLORER_URL", "")

# What token-bound accounts are clones of; empty for the account of contracts/src/accounts.
ACCOUNT_IMPLEMENTATION = os.environ.get("ACCOUNT_IMPLEMENTATION", "")

CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ROUTES = {
    "generation.tasks.render_chunk": {"queue": "gpu"},
    "generation.tasks.finish_drop": {"queue": "gpu"},
    "generation.tasks.train": {"queue": "gpu"},
    "generation.tasks.revise": {"queue": "gpu"},
    "generation.tasks.refine": {"queue": "gpu"},
    "generation.tasks.measure_latents": {"queue": "gpu"},
    "generation.tasks.preview": {"queue": "preview"},
    "minting.tasks.draw": {"queue": "mint"},
    "minting.tasks.draw_epochs": {"queue": "gpu"},
    "minting.tasks.pack": {"queue": "files"},
    "minting.tasks.publish": {"queue": "files"},
    "minting.tasks.check_storage": {"queue": "files"},
    "minting.tasks.*": {"queue": "chain"},
}
CELERY_BEAT_SCHEDULE = {
    "sweep-generation": {"task": "generation.tasks.sweep", "schedule": 5.0},
    "sweep-minting": {"task": "minting.tasks.sweep", "schedule": 2.0},
    "live": {"task": "minting.tasks.live", "schedule": 2.0},
    "sweep-files": {"task": "minting.tasks.sweep_files", "schedule": 5.0},
    "check-storage": {
        "task": "minting.tasks.check_storage",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "index": {"task": "minting.tasks.index", "schedule": 2.0},
    "sweep-moved": {"task": "minting.tasks.sweep_moved", "schedule": 30.0},
    "sweep-sentiment": {"task": "sentiment.tasks.sweep", "schedule": 5.0},
    "move-works": {"task": "sentiment.tasks.move_works", "schedule": 60.0},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django.channels": {"level": "WARNING"}},
}


def sqlite(path: Path) -> dict[str, object]:
    """SQLite as Morphora needs it: write-ahead log, immediate transactions, 20 s of patience."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
