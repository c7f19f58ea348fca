// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {HoldersGovernor} from "./HoldersGovernor.sol";
import {ParameterBounds} from "./ParameterBounds.sol";

/// @title The founding of a government, in one transaction
/// @notice A timelock whose only proposer is the holders' governor, and bounds that belong to it. There is no step at
/// which somebody else could propose, nor one after which nobody can: it is all there or nothing is.
contract Founding {
    /// @notice What carries decisions out, by anybody's call.
    TimelockController public immutable timelock;
    /// @notice Where works vote.
    HoldersGovernor public immutable governor;
    /// @notice What is decided on.
    ParameterBounds public immutable bounds;

    /// @notice A government is there.
    event Founded(address indexed votes, address timelock, address governor, address bounds);

    /// @param votes the collection whose works vote
    /// @param delay blocks from a proposal to its snapshot
    /// @param period blocks that voting takes
    /// @param threshold votes that a proposer needs
    /// @param quorumPercent of all delegated and undelegated votes, for a decision to count
    /// @param waitS seconds from a decision to the time it may be carried out
    constructor(IVotes votes, uint48 delay, uint32 period, uint256 threshold, uint256 quorumPercent, uint256 waitS) {
        address[] memory anybody = new address[](1);
        TimelockController carrier = new TimelockController(waitS, new address[](0), anybody, address(this));
        HoldersGovernor holders = new HoldersGovernor(votes, carrier, delay, period, threshold, quorumPercent);
        carrier.grantRole(carrier.PROPOSER_ROLE(), address(holders));
        carrier.grantRole(carrier.CANCELLER_ROLE(), address(holders));
        carrier.renounceRole(carrier.DEFAULT_ADMIN_ROLE(), address(this));
        ParameterBounds limits = new ParameterBounds(address(carrier));
        (timelock, governor, bounds) = (carrier, holders, limits);
        emit Founded(address(votes), address(carrier), address(holders), address(limits));
    }
}
