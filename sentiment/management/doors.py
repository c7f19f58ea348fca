"""The public doors of a site, as a wallet without a browser goes through them."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from minting.chain import siwe
from sentiment.services import SIMULATED

TIMEOUT_S = 20
KEPT_S = 3.0  # what the site says of rounds and sales is asked for again after so long


class SiteAwayError(Exception):
    """The site does not answer, or not as it should; it may be back soon."""


class Site:
    """An address, what was answered there lately, and a session for each wallet."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._kept: dict[str, tuple[float, Any]] = {}
        self._sessions: dict[str, requests.Session] = {}

    def ask(self, path: str, **more: Any) -> Any:
        """A public answer; with ``missing`` given, that where there is none."""
        try:
            reply = requests.get(f"{self.base_url}{path}", timeout=TIMEOUT_S)
            if reply.status_code == 404 and "missing" in more:
                return more["missing"]
            reply.raise_for_status()
            return reply.json()
        except (requests.RequestException, ValueError) as error:
            raise SiteAwayError(f"{path}: {type(error).__name__}") from error

    def kept(self, path: str, keep_s: float = KEPT_S, **more: Any) -> Any:
        """An answer that may be some seconds old."""
        until, answer = self._kept.get(path, (0.0, None))
        if time.monotonic() >= until:
            answer = self.ask(path, **more)
            self._kept[path] = (time.monotonic() + keep_s, answer)
        return answer

    def forget(self) -> None:
        """Ask for everything again."""
        self._kept.clear()

    def get(self, account: LocalAccount, path: str) -> requests.Response:
        """What a wallet is answered that has signed in."""
        return self._send(account, "GET", path)

    def post(self, account: LocalAccount, path: str, body: dict[str, Any]) -> requests.Response:
        """Send as a page would; a session that has ended is forgotten, a throttle is waited for."""
        reply = self._send(account, "POST", path, body)
        if reply.status_code == 403:
            del self._sessions[account.address]
        if reply.status_code == 429:
            time.sleep(min(30.0, float(reply.headers.get("Retry-After", "1"))))
        return reply

    def _send(
        self, account: LocalAccount, method: str, path: str, body: dict[str, Any] | None = None
    ) -> requests.Response:
        if account.address not in self._sessions:
            self._sessions[account.address] = sign_in(self.base_url, account)
        session = self._sessions[account.address]
        headers = _page_headers(session, self.base_url)
        try:
            return session.request(
                method, f"{self.base_url}{path}", json=body, timeout=TIMEOUT_S, headers=headers
            )
        except requests.RequestException as error:
            raise SiteAwayError(f"{path}: {type(error).__name__}") from error


def sign_in(base_url: str, account: LocalAccount) -> requests.Session:
    """A session opened the way a wallet opens one; the message says that nobody sits behind it."""
    session = requests.Session()
    try:
        asked = session.get(f"{base_url}/api/auth/nonce", timeout=TIMEOUT_S).json()
        now = datetime.now(UTC)
        message = siwe.build(
            siwe.SiweMessage(
                domain=asked["domain"],
                address=account.address,
                uri=asked["uri"],
                chain_id=asked["chain_id"],
                nonce=asked["nonce"],
                issued_at=now,
                expiration_time=now + timedelta(minutes=5),
                statement="Sign in to Morphora.",
                resources=(SIMULATED,),
            )
        )
        signed = account.sign_message(encode_defunct(text=message))
        reply = session.post(
            f"{base_url}/api/auth/verify",
            json={"message": message, "signature": "0x" + bytes(signed.signature).hex()},
            headers=_page_headers(session, base_url),
            timeout=TIMEOUT_S,
        )
        if reply.status_code == 429:
            time.sleep(min(60.0, float(reply.headers.get("Retry-After", "1"))))
        reply.raise_for_status()
    except (requests.RequestException, ValueError, KeyError) as error:
        raise SiteAwayError(f"sign-in: {type(error).__name__}") from error
    return session


def _page_headers(session: requests.Session, base_url: str) -> dict[str, str]:
    return {
        "X-CSRFToken": session.cookies.get("csrftoken") or "",
        "Origin": base_url,
        "Referer": f"{base_url}/",
    }
