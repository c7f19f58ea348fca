"""Signing transactions (EIP-1559) and texts (EIP-191) with one key for one chain."""

import json
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.address import to_checksum_address

from minting.chain.node import LOCAL_CHAIN_ID

# The accounts of anvil's default mnemonic; everybody has their keys.
DEV_ADDRESSES = frozenset(
    {
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
        "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
        "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
        "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
        "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
        "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
        "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
    }
)


class DevKeyError(Exception):
    """A key that everybody has was to be used on a chain where things have a value."""

    def __init__(self, address: str, chain_id: int) -> None:
        super().__init__(f"{address} is a development account, refused on chain {chain_id}")
        self.address = address
        self.chain_id = chain_id


class KeyFormatError(ValueError):
    """Something is not a private key or not a keystore file; the message never shows it."""


@dataclass(frozen=True)
class TransactionRequest:
    """What is to be signed; ``to`` is None for a contract's creation."""

    nonce: int
    to: str | None
    data: bytes
    value_wei: int
    gas: int
    max_fee_wei: int
    tip_wei: int


@dataclass(frozen=True)
class SignedTransaction:
    raw: bytes
    tx_hash: str


class Signer:
    """One private key, bound to one chain.

    Raises
    ------
    KeyFormatError
        ``key`` is not a private key.
    DevKeyError
        the key is one of anvil's and ``chain_id`` is not 31337.
    """

    def __init__(self, key: str, chain_id: int) -> None:
        try:
            self._account = Account.from_key(key)
        except (TypeError, ValueError) as error:
            raise KeyFormatError("not a private key") from error
        if chain_id != LOCAL_CHAIN_ID and self.address in DEV_ADDRESSES:
            raise DevKeyError(self.address, chain_id)
        self.chain_id = chain_id

    @classmethod
    def from_keystore(cls, path: Path, password: str, chain_id: int) -> "Signer":
        """The key in an encrypted keystore file (Web3 Secret Storage)."""
        try:
            key = Account.decrypt(json.loads(path.read_text()), password)
        except (ValueError, KeyError, TypeError) as error:
            raise KeyFormatError(f"{path.name}: {error}") from error
        return cls("0x" + bytes(key).hex(), chain_id)

    @property
    def address(self) -> str:
        return str(self._account.address)

    def sign_text(self, text: str) -> str:
        """Signature of a text for people (EIP-191, version 0x45), in hex with 0x."""
        signed = self._account.sign_message(encode_defunct(text=text))
        return "0x" + bytes(signed.signature).hex()

    def sign(self, request: TransactionRequest) -> SignedTransaction:
        fields: dict[str, object] = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": request.nonce,
            "data": request.data,
            "value": request.value_wei,
            "gas": request.gas,
            "maxFeePerGas": request.max_fee_wei,
            "maxPriorityFeePerGas": request.tip_wei,
        }
        if request.to is not None:
            fields["to"] = to_checksum_address(request.to)
        signed = self._account.sign_transaction(fields)
        return SignedTransaction(bytes(signed.raw_transaction), "0x" + bytes(signed.hash).hex())
