"""API errors as RFC 9457 problem documents with a stable ``code``."""

from typing import Any

from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Render what DRF raises as problem+json; anything else stays a plain 500."""
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        problem: dict[str, Any] = {
            "code": "invalid",
            "detail": "Some fields are not valid.",
            "errors": error.detail,
        }
    elif isinstance(error, exceptions.APIException):
        problem = {"code": error.get_codes(), "detail": error.detail}
    elif isinstance(error, Http404):
        problem = {"code": "not_found", "detail": str(error) or "not found"}
    else:
        problem = {"code": "permission_denied", "detail": str(error) or "permission denied"}
    response.data = {"type": "about:blank", "status": response.status_code, **problem}
    response.content_type = "application/problem+json"
    return response
