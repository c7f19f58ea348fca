import json
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.hdaccount import ETHEREUM_DEFAULT_PATH
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from minting import services
from minting.chain.signer import (
    DEV_ADDRESSES,
    DevKeyError,
    KeyFormatError,
    Signer,
    TransactionRequest,
)

KEY = "0x" + "11" * 32
DEV_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = Account.from_key(KEY).address
REQUEST = TransactionRequest(
    nonce=7, to=ADDRESS, data=b"\1\2", value_wei=3, gas=100_000, max_fee_wei=20, tip_wei=2
)


def test_signed_bytes_are_of_the_account_and_have_their_hash() -> None:
    signed = Signer(KEY, 5).sign(REQUEST)

    assert Account.recover_transaction(signed.raw) == ADDRESS
    assert signed.raw[0] == 2
    assert len(bytes.fromhex(signed.tx_hash[2:])) == 32


def test_the_same_request_gives_the_same_bytes() -> None:
    assert Signer(KEY, 5).sign(REQUEST) == Signer(KEY, 5).sign(REQUEST)


@given(
    request=st.builds(
        TransactionRequest,
        nonce=st.integers(0, 2**64 - 2),
        to=st.sampled_from([None, ADDRESS, ADDRESS.lower()]),
        data=st.binary(max_size=300),
        value_wei=st.integers(0, 2**256 - 1),
        gas=st.integers(0, 2**64 - 1),
        max_fee_wei=st.integers(0, 2**256 - 1),
        tip_wei=st.integers(0, 2**256 - 1),
    ),
    chain_id=st.integers(1, 2**53),
)
def test_signed_bytes_are_those_of_eth_account(request: TransactionRequest, chain_id: int) -> None:
    fields = {
        "type": 2,
        "chainId": chain_id,
        "nonce": request.nonce,
        "data": request.data,
        "value": request.value_wei,
        "gas": request.gas,
        "maxFeePerGas": request.max_fee_wei,
        "maxPriorityFeePerGas": request.tip_wei,
    }
    if request.to is not None:
        fields["to"] = to_checksum_address(request.to)

    signed = Signer(KEY, chain_id).sign(request)

    expected = Account.sign_transaction(fields, KEY)
    assert signed.raw == bytes(expected.raw_transaction)
    assert signed.tx_hash == "0x" + expected.hash.hex().removeprefix("0x")


def test_a_large_input_is_signed_as_eth_account_does() -> None:
    request = replace(REQUEST, to=None, data=bytes(range(256)) * 300)
    fields = {"type": 2, "chainId": 5, "nonce": 7, "data": request.data, "value": 3}
    fields |= {"gas": 100_000, "maxFeePerGas": 20, "maxPriorityFeePerGas": 2}

    signed = Signer(KEY, 5).sign(request)

    assert signed.raw == bytes(Account.sign_transaction(fields, KEY).raw_transaction)


@pytest.mark.parametrize("to", ["", "0x12", "0x" + "ab" * 21, "nobody"])
def test_what_is_no_address_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match=r"address|hexadecimal"):
        Signer(KEY, 5).sign(replace(REQUEST, to=to))


def test_another_chain_gives_other_bytes() -> None:
    assert Signer(KEY, 5).sign(REQUEST).raw != Signer(KEY, 6).sign(REQUEST).raw


def test_development_addresses_are_those_of_the_known_mnemonic() -> None:
    Account.enable_unaudited_hdwallet_features()
    mnemonic = "test test test test test test test test test test test junk"
    paths = [ETHEREUM_DEFAULT_PATH.rsplit("/", 1)[0] + f"/{i}" for i in range(10)]

    found = {Account.from_mnemonic(mnemonic, account_path=path).address for path in paths}

    assert found == DEV_ADDRESSES
    assert all(to_checksum_address(address) == address for address in DEV_ADDRESSES)


@pytest.mark.parametrize("chain_id", [1, 5, 11155111, 1337])
def test_a_development_key_is_refused_where_things_have_a_value(chain_id: int) -> None:
    with pytest.raises(DevKeyError) as caught:
        Signer(DEV_KEY, chain_id)

    assert caught.value.chain_id == chain_id
    assert DEV_KEY not in str(caught.value)


def test_a_development_key_is_good_on_the_local_chain() -> None:
    assert Signer(DEV_KEY, 31337).address in DEV_ADDRESSES


@pytest.mark.parametrize("key", ["", "0x12", "zz" * 32, "0x" + "00" * 32, "0x" + "ff" * 32])
def test_what_is_no_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(KeyFormatError) as caught:
        Signer(key, 31337)

    assert str(caught.value) == "not a private key"


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    path.write_text(
        json.dumps(
            Account.encrypt(bytes.fromhex(KEY[2:]), "a password", kdf="pbkdf2", iterations=2)
        )
    )
    path.chmod(0o600)
    return path


def test_a_keystore_file_holds_the_key(keystore: Path) -> None:
    assert Signer.from_keystore(keystore, "a password", 1).address == ADDRESS


def test_a_wrong_password_is_refused(keystore: Path) -> None:
    with pytest.raises(KeyFormatError):
        Signer.from_keystore(keystore, "another password", 1)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null"])
def test_what_is_no_keystore_is_refused(keystore: Path, text: str) -> None:
    keystore.write_text(text)

    with pytest.raises(KeyFormatError):
        Signer.from_keystore(keystore, "a password", 1)


def test_a_keystore_that_others_can_read_is_refused(keystore: Path, settings: Settings) -> None:
    settings.CHAIN_KEYSTORE, settings.CHAIN_KEYSTORE_PASSWORD = str(keystore), "a password"
    mine = services.load_signer().address
    keystore.chmod(0o644)

    with pytest.raises(KeyFormatError, match="chmod 600"):
        services.load_signer()

    assert mine == ADDRESS
