"""For those who check: no database, no secrets, nothing that an installation has."""

import secrets

from config.settings.base import *  # noqa: F403

SECRET_KEY = secrets.token_hex(32)  # of this process; nothing is signed with it
DATABASES: dict[str, dict[str, object]] = {}  # whoever asks for one gets an error
