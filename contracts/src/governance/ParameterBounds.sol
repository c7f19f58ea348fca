// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title How far a collection may be steered
/// @notice Between which values each generation parameter may lie, by the decision of its holders: the owner is the
/// timelock of their governor.
/// @dev Whether a drop's parameters kept to the bounds is checked off chain, from its manifest, against the bounds at
/// the block of its commitment.
contract ParameterBounds is Ownable2Step {
    /// @notice Bounds of one parameter, in millionths, both included.
    struct Bounds {
        int128 low;
        int128 high;
    }

    mapping(bytes32 name => Bounds) private _bounds;
    bytes32[] private _names;
    mapping(bytes32 name => bool) private _isKnown;

    /// @notice A parameter may lie between these, in millionths, from now on.
    event BoundsChanged(bytes32 indexed name, int128 low, int128 high);

    /// @notice The lower bound is above the upper one.
    error BoundsCrossed(bytes32 name, int128 low, int128 high);
    /// @notice No bounds were set for this parameter.
    error UnknownParameter(bytes32 name);

    /// @param owner_ who decides: a timelock
    constructor(address owner_) Ownable(owner_) {}

    /// @notice Set the bounds of a parameter.
    /// @param name its name, as ASCII padded with zeros
    /// @param low the least, in millionths
    /// @param high the most, in millionths
    function setBounds(bytes32 name, int128 low, int128 high) external onlyOwner {
        if (low > high) revert BoundsCrossed(name, low, high);
        if (!_isKnown[name]) {
            _isKnown[name] = true;
            _names.push(name);
        }
        _bounds[name] = Bounds(low, high);
        emit BoundsChanged(name, low, high);
    }

    /// @notice The bounds of a parameter.
    /// @param name its name
    function boundsOf(bytes32 name) external view returns (Bounds memory) {
        if (!_isKnown[name]) revert UnknownParameter(name);
        return _bounds[name];
    }

    /// @notice All parameters that have bounds, in the order in which they got some.
    function names() external view returns (bytes32[] memory) {
        return _names;
    }
}
