"""The chain of this installation, from its settings."""

from pathlib import Path

from django.conf import settings

from minting.chain.client import Client
from minting.chain.node import LOCAL_CHAIN_ID
from minting.chain.signer import KeyFormatError, Signer


def connect() -> Client:
    return Client(settings.CHAIN_RPC_URL)


def public_rpc_url() -> str:
    """The node that visitors' browsers ask; empty where none is named.

    Ours may hold a key in its address, so away from the local chain it is never given away.
    """
    named = str(getattr(settings, "CHAIN_PUBLIC_RPC_URL", ""))
    return named or (settings.CHAIN_RPC_URL if settings.CHAIN_ID == LOCAL_CHAIN_ID else "")


def load_signer() -> Signer:
    """The key of the outbox: a keystore file where one is set, else a private key."""
    keystore = getattr(settings, "CHAIN_KEYSTORE", "")
    if not keystore:
        return Signer(settings.CHAIN_PRIVATE_KEY, settings.CHAIN_ID)
    path = Path(keystore)
    if path.stat().st_mode & 0o077:
        raise KeyFormatError(f"{path.name} can be read by others: chmod 600 it")
    password = getattr(settings, "CHAIN_KEYSTORE_PASSWORD", "")
    return Signer.from_keystore(path, password, settings.CHAIN_ID)
