"""Accounts that belong to tokens: where they are, and what is created so that they can be.

Source: ERC-6551, https://eips.ethereum.org/EIPS/eip-6551.
"""

from functools import cache

from eth_utils.address import to_checksum_address

from minting.chain.abi import SALT, Interface, compiled, factory_address
from minting.provenance.keccak import keccak256

REGISTRY = "0x000000006551c19487814612e58FE06813775758"
# What the factory is sent to create the registry, as the standard gives it: a salt, then its code.
REGISTRY_CREATION = bytes.fromhex(
    "0000000000000000000000000000000000000000fd8eb4e1dca713016c518e31608060405234801561001057"
    "600080fd5b5061023b806100206000396000f3fe608060405234801561001057600080fd5b50600436106100"
    "365760003560e01c8063246a00211461003b5780638a54c52f1461006a575b600080fd5b61004e6100493660"
    "046101b7565b61007d565b6040516001600160a01b03909116815260200160405180910390f35b61004e6100"
    "783660046101b7565b6100e1565b600060806024608c376e5af43d82803e903d91602b57fd5bf3606c528560"
    "5d52733d60ad80600a3d3981f3363d3d373d3d3d363d7360495260ff60005360b76055206035523060601b60"
    "015284601552605560002060601b60601c60005260206000f35b600060806024608c376e5af43d82803e903d"
    "91602b57fd5bf3606c5285605d52733d60ad80600a3d3981f3363d3d373d3d3d363d7360495260ff60005360"
    "b76055206035523060601b600152846015526055600020803b61018b578560b760556000f580610157576320"
    "188a596000526004601cfd5b80606c52508284887f79f19b3655ee38b1ce526556b7731a20c8f218fbda4a39"
    "90b6cc4172fdf887226060606ca46020606cf35b8060601b60601c60005260206000f35b80356001600160a0"
    "1b03811681146101b257600080fd5b919050565b600080600080600060a086880312156101cf57600080fd5b"
    "6101d88661019b565b945060208601359350604086013592506101f46060870161019b565b94979396509194"
    "608001359291505056fea2646970667358221220ea2fe53af507453c64dd7c1db05549fa47a298dfb825d6d1"
    "1e1689856135f16764736f6c63430008110033"
)
# ERC-1167: the constructor and the first half of a clone's code, and its second half.
CLONE_BEGINS = bytes.fromhex("3d60ad80600a3d3981f3363d3d373d3d3d363d73")
CLONE_ENDS = bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
_ASKED = [
    {"name": "implementation", "type": "address"},
    {"name": "salt", "type": "bytes32"},
    {"name": "chainId", "type": "uint256"},
    {"name": "tokenContract", "type": "address"},
    {"name": "tokenId", "type": "uint256"},
]
_registry = Interface(
    {
        "type": "function",
        "name": name,
        "inputs": _ASKED,
        "outputs": [{"name": "account", "type": "address"}],
    }
    for name in ("account", "createAccount")
)


def account_address(*, implementation: str, chain_id: int, contract: str, token_id: int) -> str:
    """Where the registry puts a token's account, whether it is there already or not.

    keccak256(0xff, registry, salt, keccak256(code))[12:] (EIP-1014); the code is that of a clone of
    ``implementation`` with salt, chain, contract and token behind it. The salt is zero.
    """
    code = CLONE_BEGINS + bytes.fromhex(implementation[2:]) + CLONE_ENDS + SALT
    code += chain_id.to_bytes(32) + bytes(12) + bytes.fromhex(contract[2:]) + token_id.to_bytes(32)
    parts = b"\xff" + bytes.fromhex(REGISTRY[2:]) + SALT + keccak256(code)
    return str(to_checksum_address(keccak256(parts)[12:]))


@cache
def own_implementation() -> str:
    """Where the factory puts the account of ``contracts/src/accounts``; the same on all chains."""
    return factory_address(compiled("TokenAccount").bytecode)


def creations() -> dict[str, bytes]:
    """Address -> call to the factory that creates it, of what accounts need on a chain."""
    return {
        REGISTRY: REGISTRY_CREATION,
        own_implementation(): SALT + compiled("TokenAccount").bytecode,
    }


def ask(*, implementation: str, chain_id: int, contract: str, token_id: int) -> bytes:
    """The input of a call to the registry that tells where an account is."""
    return _registry.call("account", implementation, SALT, chain_id, contract, token_id)


def create(*, implementation: str, chain_id: int, contract: str, token_id: int) -> bytes:
    """The input of a transaction to the registry that creates an account, if it is not there."""
    return _registry.call("createAccount", implementation, SALT, chain_id, contract, token_id)


def told(raw: bytes) -> str:
    """The address that the registry returned."""
    return str(to_checksum_address(_registry.answer("account", raw)))


def execute(to: str, value_wei: int, call: bytes) -> bytes:
    """The input of a transaction to an account of ours: a call that it makes."""
    return compiled("TokenAccount").call("execute", to, value_wei, call, 0)
