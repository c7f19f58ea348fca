// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What a peer does when it is asked.
/// Three give their answer. Honest: that is all. Slow: it uses nearly all its gas first. Bomb: as much follows it as gas
/// allows. The others do not. Reverts: it refuses. Burns: it never ends. Short: it leaves a byte out. Huge: each word is
/// the largest. Wrong: each word has a bit more than its type. Reason: it refuses with as much as gas allows. Empty: it
/// returns nothing.
enum Mode {
    Honest,
    Slow,
    Bomb,
    Reverts,
    Burns,
    Short,
    Huge,
    Wrong,
    Reason,
    Empty
}

/// @title A pool, pair or position manager of which one can have any behaviour
contract Peer {
    uint256 private constant BOMB = 150_000; // bytes; their memory is about 90,000 gas

    mapping(bytes4 selector => bytes) private _answers;
    mapping(bytes4 selector => Mode) private _modes;

    /// @notice Have a function answer so.
    function say(bytes4 selector, bytes memory answer) public {
        _answers[selector] = answer;
    }

    /// @notice Have a function behave so.
    function behave(bytes4 selector, Mode mode) public {
        _modes[selector] = mode;
    }

    /// @notice Any question.
    fallback() external {
        bytes memory answer = _answers[msg.sig];
        Mode mode = _modes[msg.sig];
        if (mode == Mode.Reverts) revert("no");
        if (mode == Mode.Burns) while (true) {}
        if (mode == Mode.Slow) while (gasleft() > 3_000) {}
        uint256 length = mode == Mode.Bomb || mode == Mode.Reason ? BOMB : answer.length;
        if (mode == Mode.Short) length -= 1;
        if (mode == Mode.Empty) length = 0;
        for (uint256 i = 0; i < answer.length && (mode == Mode.Huge || mode == Mode.Wrong); ++i) {
            answer[i] = mode == Mode.Huge ? bytes1(0xff) : i % 32 == 0 ? bytes1(0x01) : answer[i];
        }
        bool isReason = mode == Mode.Reason;
        assembly ("memory-safe") {
            if isReason { revert(add(answer, 0x20), length) }
            return(add(answer, 0x20), length)
        }
    }
}
