// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {LivingCollection} from "../../src/LivingCollection.sol";
import {DropChain} from "../../src/collection/DropChain.sol";
import {Evolution, IEvolving} from "../../src/evolution/Evolution.sol";
import {EvolvingCollection} from "../../src/evolution/EvolvingCollection.sol";
import {IPool, IPositions} from "../../src/evolution/Peers.sol";
import {Rule, Source} from "../../src/evolution/Rules.sol";
import {Painter} from "../../src/onchain/Painter.sol";
import {ILockable, Staking} from "../../src/staking/Staking.sol";
import {vm} from "../Cheats.sol";
import {LivingTest} from "../living/LivingTest.sol";
import {PainterTest} from "../onchain/PainterTest.sol";
import {Peer} from "./Peer.sol";

/// @title A collection with a rule of each source; Alice has works 1 to 3, Bob 4
/// @dev Rule k moves latents 4k to 4k + 3: by k + 1, by -(k + 1), by 127 and by -128 a level.
abstract contract EvolutionTest is LivingTest, PainterTest {
    uint256 internal constant VOLUME = 0;
    uint256 internal constant VOTES = 1;
    uint256 internal constant INTERACTIONS = 2;
    uint256 internal constant STAKE = 3;
    uint256 internal constant POSITION = 4;
    uint256 internal constant SHARE = 5;
    uint64 internal constant PERIOD_S = 1 days;
    uint256 internal constant POSITION_ID = 77;

    Painter internal painter;
    Staking internal staking;
    Evolution internal evolution;
    EvolvingCollection internal evolving;
    Peer internal manager;
    Peer internal pool;
    Peer internal pair;

    /// @inheritdoc LivingTest
    function setUp() public virtual override(LivingTest, PainterTest) {
        PainterTest.setUp();
        vm.etch(NETWORK, _noise());
        painter = new Painter(NETWORK, LABEL);
        LivingTest.setUp();
        staking = new Staking(ILockable(address(collection)));
        collection.setLocker(address(staking));
        _openPools();
        evolution = new Evolution(IEvolving(address(evolving)), _rules(), PERIOD_S);
        evolving.setEvolution(evolution);
        _sellAndReveal();
    }

    function _deploy() internal override returns (LivingCollection) {
        evolving = new EvolvingCollection("E", "E", "ipfs://c", "https://live/", TREASURY, 500, painter);
        return evolving;
    }

    function _sellAndReveal() internal {
        DropChain.Drop memory drop = _liveBody(1, 1, 4);
        _open(drop, _public(0));
        _buy(ALICE, 1, 0, 3, 3 * PRICE_WEI);
        _buy(BOB, 1, 0, 1, PRICE_WEI);
        _capture(1);
        collection.reveal(1, drop, SECRET);
    }

    /// @dev Alice has the position, of 2^20 in range, and an eighth of the pair.
    function _openPools() internal {
        (manager, pool, pair) = (new Peer(), new Peer(), new Peer());
        pool.say(IPool.token0.selector, abi.encode(address(1)));
        pool.say(IPool.token1.selector, abi.encode(address(2)));
        pool.say(IPool.fee.selector, abi.encode(3_000));
        _sayTick(5);
        manager.say(IERC721.ownerOf.selector, abi.encode(ALICE));
        _sayPosition(1 << 20, -60, 60);
        pair.say(IERC20.balanceOf.selector, abi.encode(1 << 60));
        pair.say(IERC20.totalSupply.selector, abi.encode(1 << 63));
    }

    function _sayTick(int256 tick) internal {
        pool.say(IPool.slot0.selector, abi.encode(1, tick, 0, 1, 1, 0, true));
    }

    function _sayPosition(uint256 liquidity, int256 lower, int256 upper) internal {
        bytes memory head = abi.encode(0, address(0), address(1), address(2), 3_000);
        bytes memory tail = abi.encode(lower, upper, liquidity, 0, 0, 0, 0);
        manager.say(IPositions.positions.selector, bytes.concat(head, tail));
    }

    /// @dev Levels begin at 2^18 wei, 1 vote, 1 interaction, 2^16 s, 2^16 of liquidity, 2^-12 of the pair.
    function _rules() internal view returns (Rule[] memory rules) {
        rules = new Rule[](6);
        rules[VOLUME] = _rule(Source.Volume, address(0), 18, 10, "volume");
        rules[VOTES] = _rule(Source.Votes, address(0), 0, 10, "votes");
        rules[INTERACTIONS] = _rule(Source.Interactions, address(0), 0, 6, "interactions");
        rules[STAKE] = _rule(Source.Stake, address(staking), 16, 9, "stake age");
        rules[POSITION] = _rule(Source.Position, address(manager), 16, 30, "liquidity");
        rules[POSITION].pool = address(pool);
        rules[SHARE] = _rule(Source.Share, address(pair), 20, 12, "share");
    }

    function _rule(Source source, address peer, uint8 offset, uint8 highest, string memory name)
        internal
        pure
        returns (Rule memory)
    {
        uint256 k = uint256(source) == 1 ? VOTES : uint256(source);
        uint256 four = (k + 1) << 24 | (255 - k) << 16 | 0x7f80;
        return Rule(source, peer, address(0), offset, highest, name, bytes32(four << (224 - 32 * k)));
    }

    /// @dev What the other end of a trait's key is.
    function _key(uint256 k) internal view returns (bytes32) {
        return keccak256(bytes(_rules()[k].name));
    }

    /// @dev Publish an epoch whose tree is one leaf, and what is needed to prove it.
    function _publish(uint256 tokenId, uint8 volume, uint8 votes) internal returns (uint256 epoch) {
        bytes32 snapshotHash = keccak256("snapshot");
        epoch = evolution.epochCount() + 1;
        bytes32 inner = keccak256(abi.encode(epoch, tokenId, snapshotHash, volume, votes));
        evolution.publish(keccak256(abi.encode(inner)), snapshotHash);
    }

    function _levels(uint8 volume, uint8 votes) internal pure returns (uint8[] memory levels) {
        levels = new uint8[](2);
        (levels[0], levels[1]) = (volume, votes);
    }

    function _prove(uint256 tokenId, uint8 volume, uint8 votes) internal {
        uint256 epoch = _publish(tokenId, volume, votes);
        evolution.prove(epoch, tokenId, _levels(volume, votes), new bytes32[](0));
    }

    function _level(uint256 k, uint256 tokenId) internal view returns (uint256) {
        return evolution.levelsOf(tokenId)[k];
    }
}
