"""Headers that every page carries."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from minting.services import public_rpc_url

# The viewer of three dimensions has its style in a template; nothing else may bring one along.
VIEWER_STYLE = "sha256-PXtZZkJMMyc18o/DN1ZEFOJ2qEGq95IQbVaJFMOXOb0="


class ContentSecurityPolicyMiddleware:
    """Scripts, styles and pictures from this origin only; the wallet may also reach the chain."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy())
        return response


def policy() -> str:
    return "; ".join(
        [
            "default-src 'self'",
            f"style-src 'self' '{VIEWER_STYLE}'",
            "img-src 'self' data: blob:",
            # blob: is a picture that the viewer has read out of a file
            f"connect-src 'self' blob: ws: wss: {public_rpc_url()}",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ]
    )
