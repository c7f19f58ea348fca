// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What ERC-6551 asks of an account
/// @dev The ERC-165 identifier is 0x6faff5f1.
interface IERC6551Account {
    /// @notice Take ether.
    receive() external payable;

    /// @notice The token that the account belongs to; it never changes.
    /// @return chainId the chain of the token
    /// @return tokenContract its contract
    /// @return tokenId its id
    function token() external view returns (uint256 chainId, address tokenContract, uint256 tokenId);

    /// @notice A value that changes when the account does something.
    /// @return the value
    function state() external view returns (uint256);

    /// @notice Whether someone may act for the account.
    /// @param signer who
    /// @param context not used
    /// @return magicValue 0x523e3260 if they may
    function isValidSigner(address signer, bytes calldata context) external view returns (bytes4 magicValue);
}

/// @title What an account carries out
/// @dev The ERC-165 identifier is 0x51945447.
interface IERC6551Executable {
    /// @notice Call a contract, or send ether, as the account.
    /// @param to whom to call
    /// @param value wei to send along
    /// @param data the call's input
    /// @param operation 0 for a call; an account may know others
    /// @return what the call returned
    function execute(address to, uint256 value, bytes calldata data, uint8 operation)
        external
        payable
        returns (bytes memory);
}
