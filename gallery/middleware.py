"""Headers that every page carries."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from minting.services import public_rpc_url


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
            "img-src 'self' data: blob:",
            f"connect-src 'self' ws: wss: {public_rpc_url()}",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ]
    )
