// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ERC-5192: works that cannot be transferred for a while
interface IERC5192 {
    /// @notice The work cannot be transferred.
    event Locked(uint256 tokenId);
    /// @notice The work can be transferred again.
    event Unlocked(uint256 tokenId);

    /// @notice Whether a work cannot be transferred.
    /// @param tokenId the work
    function locked(uint256 tokenId) external view returns (bool);
}
