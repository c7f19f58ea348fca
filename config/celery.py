"""The Celery application."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")

app = Celery("morphora")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
