from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given
from hypothesis import strategies as st

from minting.chain import siwe
from minting.chain.siwe import SiweError, SiweMessage

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = "0x" + "11" * 32
ACCOUNT = Account.from_key(KEY)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
MESSAGE = SiweMessage(
    domain="morphora.example",
    address=ACCOUNT.address,
    uri="https://morphora.example",
    chain_id=31337,
    nonce="n0nce12345",
    issued_at=NOW,
    statement="Sign in to vote.",
    expiration_time=NOW + timedelta(minutes=10),
)
# The example of EIP-4361 itself, section "Examples", with its address in checksum case.
EIP_EXAMPLE = """example.com wants you to sign in with your Ethereum account:
0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2

I accept the ExampleOrg Terms of Service: https://example.com/tos

URI: https://example.com/login
Version: 1
Chain ID: 1
Nonce: 32891756
Issued At: 2021-09-30T16:25:24Z
Resources:
- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/
- https://example.com/my-web2-claim.json"""


def sign(text: str, key: str = KEY) -> str:
    return "0x" + bytes(Account.sign_message(encode_defunct(text=text), key).signature).hex()


def verify(text: str, signature: str | None = None, now: datetime = NOW) -> str:
    return siwe.verify(
        text,
        sign(text) if signature is None else signature,
        domain="morphora.example",
        uri="https://morphora.example",
        chain_id=31337,
        nonce="n0nce12345",
        now=now,
    )


def refusal(text: str, signature: str | None = None, now: datetime = NOW) -> str:
    with pytest.raises(SiweError) as caught:
        verify(text, signature, now)
    return caught.value.code


def test_the_example_of_the_standard_is_read() -> None:
    message = siwe.parse(EIP_EXAMPLE)

    assert message.domain == "example.com"
    assert message.statement == "I accept the ExampleOrg Terms of Service: https://example.com/tos"
    assert message.chain_id == 1
    assert message.nonce == "32891756"
    assert message.issued_at == datetime(2021, 9, 30, 16, 25, 24, tzinfo=UTC)
    assert message.resources[1] == "https://example.com/my-web2-claim.json"
    assert siwe.build(message) == EIP_EXAMPLE


def test_a_signed_message_gives_its_address() -> None:
    assert verify(siwe.build(MESSAGE)) == ACCOUNT.address


def test_a_message_without_statement_or_expiry_is_good_for_a_day() -> None:
    text = siwe.build(replace(MESSAGE, statement=None, expiration_time=None))

    assert verify(text, now=NOW + timedelta(hours=23)) == ACCOUNT.address
    assert refusal(text, now=NOW + timedelta(hours=25)) == "expired"


aware = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(
    lambda t: t.replace(tzinfo=UTC)
)
line = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80)


@given(
    issued_at=aware,
    statement=st.none() | line,
    not_before=st.none() | aware,
    nonce=st.from_regex(r"\A[A-Za-z0-9]{8,40}\Z"),
    resources=st.lists(st.just("ipfs://bafy/a"), max_size=3).map(tuple),
)
def test_what_is_built_is_read_back(
    issued_at: datetime,
    statement: str | None,
    not_before: datetime | None,
    nonce: str,
    resources: tuple[str, ...],
) -> None:
    message = replace(
        MESSAGE,
        issued_at=issued_at,
        statement=statement,
        not_before=not_before,
        nonce=nonce,
        resources=resources,
    )

    assert siwe.parse(siwe.build(message)) == message


@given(st.text(max_size=300))
def test_any_other_text_is_refused_by_name(text: str) -> None:
    with pytest.raises(SiweError):
        siwe.parse(text)


@given(st.integers(0, 10**6), st.characters())
def test_one_changed_character_never_gives_the_same_sign_in(place: int, character: str) -> None:
    text = siwe.build(MESSAGE)
    at = place % len(text)
    changed = text[:at] + character + text[at + 1 :]

    if changed == text:
        assert verify(changed) == ACCOUNT.address
    else:
        with pytest.raises(SiweError):
            verify(changed, sign(text))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"domain": "morphora.example.evil"}, "wrong_domain"),
        ({"domain": "MORPHORA.example"}, "wrong_domain"),
        ({"scheme": "http"}, "wrong_domain"),
        ({"uri": "https://evil.example"}, "wrong_uri"),
        ({"uri": "https://morphora.example.evil"}, "wrong_uri"),
        ({"uri": "http://morphora.example"}, "wrong_uri"),
        ({"chain_id": 1}, "wrong_chain"),
        ({"nonce": "n0nce99999"}, "wrong_nonce"),
        ({"not_before": NOW + timedelta(seconds=1)}, "not_yet_valid"),
        ({"issued_at": NOW + timedelta(minutes=5)}, "not_yet_valid"),
        ({"expiration_time": NOW}, "expired"),
        ({"expiration_time": NOW + timedelta(days=3650)}, "too_long_lived"),
    ],
)
def test_a_signed_message_that_says_something_else_is_refused(
    change: dict[str, object], code: str
) -> None:
    assert refusal(siwe.build(replace(MESSAGE, **change))) == code  # type: ignore[arg-type]


def test_a_message_for_a_path_below_the_origin_is_accepted() -> None:
    text = siwe.build(replace(MESSAGE, uri="https://morphora.example/sign-in"))

    assert verify(text) == ACCOUNT.address


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("account:\n", "account:\r\n"),
        ("Sign in to vote.", "Sign in\r\nto vote."),
        ("Sign in to vote.", "Sign in\nURI: https://evil.example"),
        ("to vote", "to\x00vote"),
        ("to vote", "to \u202evote"),
        ("morphora.example wants", "m\u043erphora.example wants"),
        ("morphora.example wants", " morphora.example wants"),
        ("12:10:00Z", "12:10:00Z\n"),
        ("Version: 1", "Version: 2"),
        ("Chain ID: 31337", "Chain ID: 031337"),
        ("Chain ID: 31337", "Chain ID: \u0663"),
        ("Nonce: n0nce12345", "Nonce: short"),
        ("2026-03-01T12:00", "2026-13-01T12:00"),
        ("Issued At", "Issued at"),
        (ACCOUNT.address, ACCOUNT.address[:-1]),
    ],
)
def test_a_message_out_of_form_is_refused(old: str, new: str) -> None:
    text = siwe.build(MESSAGE)
    assert text.count(old) == 1

    assert refusal(text.replace(old, new)) == "bad_format"


@pytest.mark.parametrize("digits", [ACCOUNT.address[2:].lower(), ACCOUNT.address[2:].upper()])
def test_an_address_out_of_checksum_case_is_refused(digits: str) -> None:
    text = siwe.build(MESSAGE).replace(ACCOUNT.address, f"0x{digits}")

    assert refusal(text) == "address_case"


def test_a_message_of_a_megabyte_is_refused_at_once() -> None:
    text = siwe.build(MESSAGE).replace("to vote", "to vote" * 150_000)

    assert refusal(text, "0x" + "00" * 65) == "too_long"


def test_a_lone_surrogate_is_refused() -> None:
    assert (
        refusal(siwe.build(MESSAGE).replace("to vote", "\ud800"), "0x" + "00" * 65) == "bad_format"
    )


def test_the_other_s_of_a_good_signature_is_refused() -> None:
    text = siwe.build(MESSAGE)
    raw = bytes.fromhex(sign(text)[2:])
    s = ORDER - int.from_bytes(raw[32:64])
    twin = raw[:32] + s.to_bytes(32) + bytes([55 - raw[64]])

    assert Account.recover_message(encode_defunct(text=text), signature=twin) == ACCOUNT.address
    assert refusal(text, "0x" + twin.hex()) == "malleable_signature"


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "0x",
        "0x" + "11" * 64,
        "0x" + "11" * 66,
        "0x" + "00" * 65,
        "0x" + "zz" * 65,
        "11" * 65,
        "0x" + "11" * 64 + "1d",
        "0x" + "ff" * 32 + "11" * 32 + "1b",
        "0x" + "\u0661" * 130,
    ],
)
def test_a_signature_out_of_form_is_refused(signature: str) -> None:
    assert refusal(siwe.build(MESSAGE), signature) == "bad_signature"


def test_another_key_s_signature_is_refused() -> None:
    text = siwe.build(MESSAGE)

    assert refusal(text, sign(text, "0x" + "22" * 32)) == "bad_signature"


def test_a_time_with_an_offset_is_the_same_moment() -> None:
    east = timezone(timedelta(hours=2))
    text = siwe.build(replace(MESSAGE, issued_at=NOW.astimezone(east)))

    assert "14:00:00+02:00" in text
    assert verify(text) == ACCOUNT.address


@pytest.mark.parametrize(
    "change",
    [
        {"statement": "two\nlines"},
        {"statement": ""},
        {"issued_at": datetime(2026, 1, 1)},
        {"nonce": "a b c d e f"},
        {"domain": "two words"},
    ],
)
def test_a_field_that_does_not_fit_is_not_built(change: dict[str, object]) -> None:
    with pytest.raises(SiweError):
        siwe.build(replace(MESSAGE, **change))  # type: ignore[arg-type]
