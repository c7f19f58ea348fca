// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IERC6551Account, IERC6551Executable} from "./IERC6551.sol";

/// @title The account of one work
/// @notice Does what the owner of its work says, and nobody else. It cannot be upgraded, and has no other keys.
/// @dev ERC-6551's registry creates it as a clone; which work it belongs to follows the clone's code. Not guaranteed:
/// that what it holds is still there after the next sale, as a seller can take it out before; that a signature of the
/// owner was meant for this account and not for another one of theirs. ERC-1155 tokens are not taken.
contract TokenAccount is IERC165, IERC1271, IERC721Receiver, IERC6551Account, IERC6551Executable {
    uint256 private _state;

    /// @notice Someone who does not own the work gave an order.
    /// @param caller who
    error NotOwner(address caller);

    /// @notice Only calls (0) are carried out: code of others that ran as the account could take it over.
    /// @param operation what was asked for
    error OnlyCalls(uint8 operation);

    /// @notice An account that held its own work could be opened by nobody.
    error OwnWork();

    receive() external payable {}

    /// @inheritdoc IERC6551Executable
    function execute(address to, uint256 value, bytes calldata data, uint8 operation)
        external
        payable
        returns (bytes memory)
    {
        if (msg.sender != owner()) revert NotOwner(msg.sender);
        if (operation != 0) revert OnlyCalls(operation);
        ++_state;
        (bool succeeded, bytes memory returned) = to.call{value: value}(data);
        return Address.verifyCallResult(succeeded, returned);
    }

    /// @inheritdoc IERC721Receiver
    /// @dev A transfer that does not ask, by `transferFrom`, cannot be refused.
    function onERC721Received(address, address, uint256 tokenId, bytes calldata) external view returns (bytes4) {
        (uint256 chainId, address tokenContract, uint256 own) = token();
        if (chainId == block.chainid && msg.sender == tokenContract && tokenId == own) revert OwnWork();
        return IERC721Receiver.onERC721Received.selector;
    }

    /// @inheritdoc IERC6551Account
    /// @dev Counts orders that were carried out: a buyer who names it in an offer learns of a late one.
    function state() external view returns (uint256) {
        return _state;
    }

    /// @inheritdoc IERC6551Account
    function isValidSigner(address signer, bytes calldata) external view returns (bytes4) {
        return signer != address(0) && signer == owner() ? IERC6551Account.isValidSigner.selector : bytes4(0);
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bool isValid = SignatureChecker.isValidSignatureNow(owner(), hash, signature);
        return isValid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IERC6551Account).interfaceId
            || interfaceId == type(IERC6551Executable).interfaceId || interfaceId == type(IERC721Receiver).interfaceId
            || interfaceId == type(IERC1271).interfaceId;
    }

    /// @inheritdoc IERC6551Account
    function token() public view returns (uint256 chainId, address tokenContract, uint256 tokenId) {
        (, chainId, tokenContract, tokenId) =
            abi.decode(Clones.fetchCloneArgs(address(this)), (bytes32, uint256, address, uint256));
    }

    /// @notice Who owns the work; nobody on another chain than the work's.
    /// @return the owner, or zero
    function owner() public view returns (address) {
        (uint256 chainId, address tokenContract, uint256 tokenId) = token();
        return chainId == block.chainid ? IERC721(tokenContract).ownerOf(tokenId) : address(0);
    }
}
