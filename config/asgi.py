"""HTTP and sockets behind one ASGI application."""

import gc
import os
from importlib import import_module

import django
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")
django.setup(set_prefix=False)

from config.handler import ThreadsHandler  # noqa: E402
from gallery.routing import websocket_urlpatterns  # noqa: E402

http = ThreadsHandler()
sockets = URLRouter(websocket_urlpatterns)  # type: ignore[arg-type]
application = ProtocolTypeRouter(
    {"http": http, "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(sockets))}
)

# Half a million objects that stay, which the garbage collector need not look at again: 10 % of a
# vote's time.
import_module("config.urls")
gc.collect()
gc.freeze()
