// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Staking} from "../staking/Staking.sol";
import {Peers} from "./Peers.sol";

/// @notice Where a level comes from, and the unit of its quantity.
/// Volume: wei that were paid for the work, without wash trades; proven. Votes: votes that it won; proven.
/// Interactions: what its holders did with it, counted here. Stake: seconds that its holder has staked it.
/// Position: liquidity of a Uniswap v3 position of its holder, if in range. Share: part of a Uniswap v2 pool, 2^32 for all
/// of it, shared out among the holder's works.
enum Source {
    Volume,
    Votes,
    Interactions,
    Stake,
    Position,
    Share
}

/// @notice One direction in which a work moves.
struct Rule {
    Source source;
    address peer; // of Stake the staking contract, of Position the manager, of Share the pair; else zero
    address pool; // of Position the pool; else zero
    uint8 offset; // the quantity 2^offset is level 1, twice as much level 2, and so on
    uint8 highest; // level
    string name; // of the trait: 1 to 31 printable ASCII letters without quotes and backslashes
    bytes32 direction; // 32 signed bytes: what one level adds to each latent
}

/// @title Which rules are sound, and how they are spelled out
library Rules {
    /// @notice How many rules there can be.
    uint256 internal constant MOST = 8;

    /// @notice There are no rules, or too many.
    error NotSoManyRules(uint256 count);
    /// @notice A name is empty, too long, taken, or has letters that JSON would have to escape.
    error BadName(uint256 rule);
    /// @notice A rule that has no levels moves nothing.
    error NoLevels(uint256 rule);
    /// @notice A peer is missing, is named where none is asked, or is not what it should be.
    error BadPeer(uint256 rule, address peer);

    /// @notice Refuse rules that are not sound; peers have to answer now, whatever they do later.
    /// @param rules all of them
    /// @param collection whose works they are for
    function check(Rule[] memory rules, address collection) internal view {
        if (rules.length == 0 || rules.length > MOST) revert NotSoManyRules(rules.length);
        for (uint256 k = 0; k < rules.length; ++k) {
            Rule memory rule = rules[k];
            if (rule.highest == 0) revert NoLevels(k);
            if (!_isName(bytes(rule.name))) revert BadName(k);
            for (uint256 i = 0; i < k; ++i) {
                if (keyOf(rule) == keyOf(rules[i])) revert BadName(k);
            }
            if (!_isPeer(rule, collection)) revert BadPeer(k, rule.peer);
        }
    }

    /// @notice Whether levels come by proof.
    /// @param source where they come from
    function isProven(Source source) internal pure returns (bool) {
        return source == Source.Volume || source == Source.Votes;
    }

    /// @notice The key of a rule's trait.
    /// @param rule it
    function keyOf(Rule memory rule) internal pure returns (bytes32) {
        return keccak256(bytes(rule.name));
    }

    /// @notice A level as an attribute in a work's metadata.
    /// @param rule whose level
    /// @param level it
    function attribute(Rule memory rule, uint256 level) internal pure returns (string memory) {
        return string.concat(
            '{"trait_type":"',
            rule.name,
            '","value":',
            Strings.toString(level),
            ',"display_type":"number","max_value":',
            Strings.toString(rule.highest),
            "}"
        );
    }

    /// @notice A rule as a trait in ERC-7496's metadata.
    /// @param rule it
    function trait(Rule memory rule) internal pure returns (string memory) {
        return string.concat(
            '"',
            rule.name,
            '":{"displayName":"',
            rule.name,
            '","dataType":{"type":"decimal","minValue":0,"maxValue":',
            Strings.toString(rule.highest),
            "}}"
        );
    }

    /// @dev Whether the peers of a rule are there, and are of their kind as far as they can be asked.
    function _isPeer(Rule memory rule, address collection) private view returns (bool) {
        if (rule.source == Source.Position) {
            // A manager without positions has no owner to ask for.
            return rule.peer.code.length > 0 && Peers.keyOf(rule.pool) != 0;
        }
        if (rule.pool != address(0)) return false;
        if (rule.source == Source.Stake) {
            uint256[] memory found = Peers.ask(rule.peer, abi.encodeCall(Staking.collection, ()), 1);
            return found.length > 0 && found[0] == uint160(collection);
        }
        if (rule.source == Source.Share) {
            return Peers.ask(rule.peer, abi.encodeCall(IERC20.totalSupply, ()), 1).length > 0;
        }
        return rule.peer == address(0);
    }

    function _isName(bytes memory name) private pure returns (bool) {
        for (uint256 i = 0; i < name.length; ++i) {
            bytes1 letter = name[i];
            if (letter < 0x20 || letter > 0x7e || letter == '"' || letter == "\\") return false;
        }
        return name.length > 0 && name.length < 32;
    }
}
