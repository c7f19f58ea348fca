// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Where forge and halmos answer these calls; no contract is there.
Cheats constant vm = Cheats(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

/// @title What the tests ask of the machine that runs them, and no more
/// @notice The names are the machine's. The assertions end the test when they do not hold.
interface Cheats {
    /// @notice One event as it was emitted.
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    /// @notice The next call comes from `sender`.
    function prank(address sender) external;

    /// @notice `account` has `amount` wei.
    function deal(address account, uint256 amount) external;

    /// @notice `account` has this code.
    function etch(address account, bytes calldata code) external;

    /// @notice It is this second, since 1970.
    function warp(uint256 time) external;

    /// @notice It is this block.
    function roll(uint256 number) external;

    /// @notice The account of a key.
    function addr(uint256 key) external pure returns (address);

    /// @notice A signature by a key.
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);

    /// @notice Inputs that make this false are not meant; others are tried.
    function assume(bool condition) external pure;

    /// @notice The next call has to revert with exactly this.
    function expectRevert(bytes calldata data) external;

    /// @notice The next call has to emit, from `emitter`, the event that the test emits after this line.
    function expectEmit(address emitter) external;

    /// @notice Keep the events from here on.
    function recordLogs() external;

    /// @notice The events kept since the last time.
    function getRecordedLogs() external returns (Log[] memory);

    /// @notice Write down, as `name` in the file `group`, what the last call cost.
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256);

    /// @notice Both are the same.
    function assertEq(uint256 left, uint256 right) external pure;

    /// @notice Both are the same; `note` says of what.
    function assertEq(uint256 left, uint256 right, string calldata note) external pure;

    /// @notice Both are the same.
    function assertEq(address left, address right) external pure;

    /// @notice Both are the same.
    function assertEq(bytes32 left, bytes32 right) external pure;

    /// @notice Both are the same; `note` says of what.
    function assertEq(bytes32 left, bytes32 right, string calldata note) external pure;

    /// @notice Both are the same.
    function assertEq(string calldata left, string calldata right) external pure;

    /// @notice `condition` holds.
    function assertTrue(bool condition) external pure;

    /// @notice `condition` does not hold.
    function assertFalse(bool condition) external pure;

    /// @notice `left` is not above `right`.
    function assertLe(uint256 left, uint256 right) external pure;
}

/// @dev A number from `low` to `high`, each as likely as the others (about, where the range does not divide 2^256).
function between(uint256 x, uint256 low, uint256 high) pure returns (uint256) {
    return low + x % (high - low + 1);
}
