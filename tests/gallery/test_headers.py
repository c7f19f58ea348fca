"""Headers of every answer, and errors of the API."""

import base64
import hashlib
import re
from typing import Any

import pytest
from django.test import Client

from generation.models import Drop
from tests.fixtures.stack import ROOT
from tests.gallery.conftest import InState, page_address

PAGES = [
    "/",
    "/sign-in",
    "/health",
    "/console",
    "/no/such/page",
    "/api/docs",
    "/api/schema",
    "/api/artworks",
    "/api/drops/999",
    "/admin/login/",
]


def policy(reply: Any) -> dict[str, list[str]]:
    """Directive -> sources."""
    parts = reply.headers["Content-Security-Policy"].split(";")
    words = [part.split() for part in parts]
    return {name: sources for name, *sources in words}


def assert_safe(reply: Any) -> None:
    found = policy(reply)
    scripts = found.get("script-src", found["default-src"])
    assert scripts == ["'self'"]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("address", PAGES)
def test_every_answer_is_safe(client: Client, db: None, address: str) -> None:
    assert_safe(client.get(address))


@pytest.mark.parametrize("name", ["drop", "drop-live", "vote"])
def test_pages_of_a_drop_are_safe(client: Client, in_state: InState, name: str) -> None:
    drop = in_state(Drop.State.LISTENING)

    assert_safe(client.get(page_address(drop, name)))


@pytest.mark.parametrize("address", ["/console", "/console/live"])
def test_the_console_is_safe(console: Client, in_state: InState, address: str) -> None:
    in_state(Drop.State.CURATING)

    assert_safe(console.get(address))


def test_a_picture_is_safe(client: Client, in_state: InState) -> None:
    work = in_state(Drop.State.CURATING).artworks.all()[0]

    reply = client.get(f"/api/images/{work.image_digest}.png")

    assert_safe(reply)
    reply.close()


def test_a_refused_form_is_safe(db: None) -> None:
    reply = Client(enforce_csrf_checks=True).post("/sign-in", {})

    assert reply.status_code == 403
    assert_safe(reply)


def test_pages_reach_nothing_but_their_origin_and_the_chain(
    client: Client, db: None, settings: Any
) -> None:
    found = policy(client.get("/"))

    assert found["connect-src"] == ["'self'", "blob:", "ws:", "wss:", settings.CHAIN_RPC_URL]
    assert found["object-src"] == found["base-uri"] == found["frame-ancestors"] == ["'none'"]
    assert found["form-action"] == ["'self'"]


@pytest.mark.parametrize("state", Drop.State)
def test_no_page_of_the_lead_has_a_script_or_style_in_its_text(
    console: Client, in_state: InState, state: Drop.State
) -> None:
    drop = in_state(state)

    for address in ("/", "/console", page_address(drop), page_address(drop, "vote")):
        html = console.get(address).content.decode()
        assert html.count("<script") == html.count("<script type=") == html.count("</script>") == 1
        assert '<script type="module" src=' in html
        assert not any(word in html for word in ("<style", " style=", " onclick=", "javascript:"))


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/api/drops/999", 404, "not_found"),
        ("/api/artworks/999999999999999999999999", 404, "not_found"),
        ("/api/collections/others", 404, "not_found"),
        ("/api/artworks?drop=x", 400, "invalid"),
        ("/api/rounds/1/pair", 403, "not_authenticated"),
        ("/api/proposals/1", 404, "not_found"),
    ],
)
def test_errors_of_the_api_are_problems_with_a_code(
    client: Client, db: None, address: str, status: int, code: str
) -> None:
    reply = client.get(address)

    problem = reply.json()
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert (reply.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["detail"]


def test_a_method_that_is_not_there_is_a_problem(console: Client, db: None) -> None:
    reply = console.delete("/api/drops")

    assert (reply.status_code, reply.json()["code"]) == (405, "method_not_allowed")


def test_the_schema_names_every_address_of_the_api(client: Client, db: None) -> None:
    schema = client.get("/api/schema", {"format": "json"}).json()

    assert schema["info"]["title"] == "Morphora"
    assert {
        "/api/collections",
        "/api/drops/{id}",
        "/api/artworks",
        "/api/tokens",
        "/api/rounds/{id}/votes",
        "/api/proposals/{id}/decision",
    } <= set(schema["paths"])


def test_the_documentation_loads_its_scripts_from_here(client: Client, db: None) -> None:
    html = client.get("/api/docs").content.decode()

    assert 'id="swagger-ui"' in html
    assert '<script src="/static/drf_spectacular_sidecar/' in html
    assert "//cdn" not in html
    assert "https://" not in html


def test_the_only_style_in_a_page_is_that_of_the_viewer(client: Client, db: None) -> None:
    [script] = (ROOT / "gallery/static/morphora/js").glob("model-viewer-*.js")
    [style] = re.findall("<style>(.*?)</style>", script.read_text(), re.DOTALL)
    digest = hashlib.sha256(style.replace("\\`", "`").encode()).digest()

    found = policy(client.get("/"))

    assert found["style-src"] == ["'self'", f"'sha256-{base64.b64encode(digest).decode()}'"]
