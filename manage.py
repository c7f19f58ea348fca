#!/usr/bin/env python
"""Morphora's command line."""

import os
import sys

from django.core.management import execute_from_command_line

# Anybody may check a drop or a round, on a machine that is no installation.
OWN_SETTINGS = dict.fromkeys(("verify", "replay_round"), "config.settings.verify")

if __name__ == "__main__":
    settings = OWN_SETTINGS.get("".join(sys.argv[1:2]), "config.settings.embedded")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
    execute_from_command_line(sys.argv)
