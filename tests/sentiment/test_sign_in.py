"""Sign-in over HTTP, with real keys."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from eth_account import Account
from eth_account.messages import encode_defunct
from rest_framework.test import APIClient
from rest_framework.throttling import ScopedRateThrottle

from minting.chain import siwe
from minting.chain.siwe import SiweMessage
from sentiment import api
from sentiment.models import Voter

ACCOUNT = Account.from_key("0x" + "42" * 32)

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> APIClient:
    return APIClient(enforce_csrf_checks=True, SERVER_NAME="localhost")


def ask(browser: APIClient) -> SiweMessage:
    """The message that the server's own terms make."""
    terms = browser.get("/api/auth/nonce").json()
    return SiweMessage(
        domain=terms["domain"],
        address=ACCOUNT.address,
        uri=terms["uri"],
        chain_id=terms["chain_id"],
        nonce=terms["nonce"],
        issued_at=timezone.now(),
        expiration_time=datetime.fromisoformat(terms["expires_at"]),
        statement="Sign in to Morphora.",
    )


def sign(text: str) -> str:
    return "0x" + bytes(ACCOUNT.sign_message(encode_defunct(text=text)).signature).hex()


def post(browser: APIClient, path: str, body: dict[str, Any] | None = None) -> Any:
    token = browser.cookies["csrftoken"].value
    return browser.post(path, body or {}, format="json", headers={"X-CSRFToken": token})


def verify(browser: APIClient, message: SiweMessage) -> Any:
    text = siwe.build(message)
    return post(browser, "/api/auth/verify", {"message": text, "signature": sign(text)})


def assert_refused(reply: Any, status: int, code: str) -> None:
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.headers["Content-Type"] == "application/problem+json"


def test_a_wallet_signs_in_and_is_known(browser: APIClient) -> None:
    reply = verify(browser, ask(browser))

    known = {
        "signed_in": True,
        "address": ACCOUNT.address,
        "is_staff": False,
        "is_simulated": False,
    }
    assert reply.status_code == 200
    assert reply.json() == known
    assert browser.get("/api/auth/me").json() == known
    assert Voter.objects.get().address == ACCOUNT.address


def test_nobody_is_signed_in_at_first(browser: APIClient) -> None:
    nobody = {"signed_in": False, "address": None, "is_staff": False, "is_simulated": False}

    assert browser.get("/api/auth/me").json() == nobody


def test_the_terms_name_site_and_chain(browser: APIClient) -> None:
    message = ask(browser)

    assert (message.domain, message.uri) == ("localhost", "http://localhost")
    assert message.chain_id == 31337


def test_each_nonce_is_another(browser: APIClient) -> None:
    assert ask(browser).nonce != ask(browser).nonce


def test_signing_out_ends_the_session(browser: APIClient) -> None:
    verify(browser, ask(browser))

    reply = post(browser, "/api/auth/logout")

    assert reply.status_code == 204
    assert not browser.get("/api/auth/me").json()["signed_in"]


def test_signing_in_again_is_the_same_voter(browser: APIClient) -> None:
    verify(browser, ask(browser))
    verify(browser, ask(browser))

    assert Voter.objects.count() == User.objects.count() == 1


def test_the_session_key_changes_at_sign_in(browser: APIClient) -> None:
    message = ask(browser)
    before = browser.cookies["sessionid"].value

    verify(browser, message)

    assert browser.cookies["sessionid"].value != before


def test_a_nonce_is_good_once(browser: APIClient) -> None:
    message = ask(browser)
    verify(browser, message)
    post(browser, "/api/auth/logout")

    assert_refused(verify(browser, message), 400, "no_nonce")


def test_a_failed_attempt_uses_the_nonce_up(browser: APIClient) -> None:
    message = ask(browser)
    assert_refused(verify(browser, replace(message, chain_id=1)), 400, "wrong_chain")

    assert_refused(verify(browser, message), 400, "no_nonce")


def test_a_body_out_of_form_uses_the_nonce_up(browser: APIClient) -> None:
    message = ask(browser)
    assert_refused(post(browser, "/api/auth/verify", {"message": 5}), 400, "invalid")

    assert_refused(verify(browser, message), 400, "no_nonce")


def test_a_nonce_of_another_session_is_refused(browser: APIClient) -> None:
    message = ask(APIClient(SERVER_NAME="localhost"))
    ask(browser)

    assert_refused(verify(browser, message), 400, "wrong_nonce")


def test_an_old_nonce_is_refused(browser: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "NONCE_LIFETIME", timedelta(seconds=-1))
    message = ask(browser)

    assert_refused(verify(browser, replace(message, expiration_time=None)), 400, "no_nonce")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"domain": "localhost.evil.example"}, "wrong_domain"),
        ({"uri": "https://evil.example"}, "wrong_uri"),
        ({"chain_id": 1}, "wrong_chain"),
        ({"nonce": "a" * 32}, "wrong_nonce"),
        ({"expiration_time": timezone.now() + timedelta(days=3650)}, "too_long_lived"),
        ({"expiration_time": timezone.now() - timedelta(days=1)}, "expired"),
        ({"not_before": timezone.now() + timedelta(minutes=30)}, "not_yet_valid"),
        ({"address": Account.from_key("0x" + "43" * 32).address}, "bad_signature"),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_a_message_that_says_something_else_is_refused(
    browser: APIClient, change: dict[str, object], code: str
) -> None:
    message = replace(ask(browser), **change)  # type: ignore[arg-type]  # one field at a time

    assert_refused(verify(browser, message), 400, code)
    assert not Voter.objects.exists()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("hello", "bad_format"),
        ("a" * 5000, "too_long"),
        ("a" * 1_000_000, "too_long"),
        (" ", "bad_format"),
        ("line\r\nfeed", "bad_format"),
        ("nul\x00", "invalid"),
        (None, "invalid"),
        (["list"], "invalid"),
    ],
    ids=["text", "5 KB", "1 MB", "blank", "CRLF", "NUL", "null", "list"],
)
def test_what_is_no_message_is_refused(browser: APIClient, message: object, code: str) -> None:
    ask(browser)

    reply = post(browser, "/api/auth/verify", {"message": message, "signature": "0x" + "11" * 65})

    assert_refused(reply, 400, code)


def test_a_signature_of_64_bytes_is_refused(browser: APIClient) -> None:
    text = siwe.build(ask(browser))

    short = sign(text)[:-2]
    reply = post(browser, "/api/auth/verify", {"message": text, "signature": short})

    assert_refused(reply, 400, "bad_signature")


def test_signing_in_without_the_csrf_token_is_refused_and_keeps_the_nonce(
    browser: APIClient,
) -> None:
    message = ask(browser)
    text = siwe.build(message)

    body = {"message": text, "signature": sign(text)}
    reply = browser.post("/api/auth/verify", body, format="json")

    assert_refused(reply, 403, "permission_denied")
    assert verify(browser, message).status_code == 200


def test_a_disabled_account_does_not_sign_in(browser: APIClient) -> None:
    verify(browser, ask(browser))
    post(browser, "/api/auth/logout")
    User.objects.update(is_active=False)

    assert_refused(verify(browser, ask(browser)), 403, "account_disabled")


def test_sign_ins_are_throttled(browser: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"sign-in": "2/min"})

    statuses = [verify(browser, ask(browser)).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
