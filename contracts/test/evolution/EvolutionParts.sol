// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Evolution} from "../../src/evolution/Evolution.sol";
import {EvolvingCollection} from "../../src/evolution/EvolvingCollection.sol";
import {Peers} from "../../src/evolution/Peers.sol";
import {Rule, Source} from "../../src/evolution/Rules.sol";

/// @title What the parts of an evolved picture cost, for `benchmarks/onchain.py`
contract EvolutionParts {
    /// @notice Gas of reading each peer of an evolution for a work, in the order of its rules; zero for other rules. A pool
    /// of v3 is warm by then.
    function reads(Evolution evolution, uint256 tokenId) external view returns (uint256[] memory spent) {
        address holder = evolution.collection().ownerOf(tokenId);
        uint256 works = evolution.collection().balanceOf(holder);
        Rule[] memory rules = evolution.rules();
        spent = new uint256[](rules.length);
        for (uint256 k = 0; k < rules.length; ++k) {
            Rule memory rule = rules[k];
            uint256 positionId = evolution.positionOf(k, tokenId);
            bytes32 key = rule.source == Source.Position ? Peers.keyOf(rule.pool) : bytes32(0);
            uint256 before = gasleft();
            if (rule.source == Source.Stake) Peers.stakeAge(rule.peer, tokenId, holder);
            else if (rule.source == Source.Position) Peers.liquidity(rule.peer, rule.pool, key, positionId, holder);
            else if (rule.source == Source.Share) Peers.share(rule.peer, holder, works);
            else continue;
            spent[k] = before - gasleft();
        }
    }

    /// @notice Gas of: levels, moved latents with levels, the token URI, each from outside.
    function wholes(EvolvingCollection collection, uint256 tokenId) external view returns (uint256[3] memory spent) {
        Evolution evolution = Evolution(collection.evolution());
        bytes32 word = collection.wordOf(tokenId);
        uint256 before = gasleft();
        evolution.levelsOf(tokenId);
        spent[0] = before - gasleft();
        before = gasleft();
        evolution.latentsOf(tokenId, word);
        spent[1] = before - gasleft();
        before = gasleft();
        collection.tokenURI(tokenId);
        spent[2] = before - gasleft();
    }
}
