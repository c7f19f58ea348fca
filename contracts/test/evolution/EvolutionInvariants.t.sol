// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IPool, IPositions} from "../../src/evolution/Peers.sol";
import {Rule} from "../../src/evolution/Rules.sol";
import {between, vm} from "../Cheats.sol";
import {EvolutionTest} from "./EvolutionTest.sol";
import {Mode, Peer} from "./Peer.sol";

/// @title Works that live among pools which do as they like
/// @notice Keeps its own books of what was proven and done.
contract Life is EvolutionTest {
    /// @notice What was last proven of a work: an epoch, its volume and its votes.
    mapping(uint256 tokenId => uint256[3]) public provenOf;
    /// @notice How often holders did something with a work, and when last.
    mapping(uint256 tokenId => uint256[2]) public doneOf;
    /// @notice How often something succeeded, or was refused that has to be, by its name.
    mapping(string name => uint256) public reached;

    uint256[3][] private _epochs; // work, volume, votes
    bytes[3] private _code;

    constructor() {
        setUp();
        (_code[0], _code[1], _code[2]) = (address(manager).code, address(pool).code, address(pair).code);
    }

    /// @inheritdoc EvolutionTest
    function setUp() public override {
        // Forge calls this too.
        if (address(evolution) == address(0)) super.setUp();
    }

    /// @notice A function of a pool behaves otherwise from now on, or a pool is gone, or back.
    function turn(uint256 which, uint256 mode) external {
        if (which % 8 == 7) {
            Peer gone = which % 3 == 0 ? manager : which % 3 == 1 ? pool : pair;
            bool isGone = address(gone).code.length == 0;
            vm.etch(address(gone), isGone ? _code[which % 3] : bytes(""));
            ++reached[isGone ? "back" : "gone"];
            return;
        }
        if (address(manager).code.length * address(pool).code.length * address(pair).code.length == 0) return;
        manager.behave(which % 2 == 0 ? IERC721.ownerOf.selector : IPositions.positions.selector, Mode(mode % 10));
        pool.behave(IPool.slot0.selector, Mode((mode >> 8) % 10));
        pair.behave(which % 2 == 0 ? IERC20.balanceOf.selector : IERC20.totalSupply.selector, Mode((mode >> 16) % 10));
        ++reached["turned"];
    }

    /// @notice Pools that answer say something else: what pools say, or anything.
    function say(uint256 liquidity, int256 tick, uint256 supply, uint256 how) external {
        if (address(manager).code.length * address(pool).code.length * address(pair).code.length == 0) return;
        bool isAnything = how % 4 == 0;
        manager.say(IERC721.ownerOf.selector, abi.encode(isAnything ? address(uint160(how)) : _either(how >> 8)));
        _sayPosition(isAnything ? liquidity : liquidity >> between(how >> 16, 128, 255), isAnything ? tick : -60, 60);
        _sayTick(isAnything ? tick : tick % 70);
        if (!isAnything) supply >>= between(how >> 24, 129, 200);
        pair.say(IERC20.totalSupply.selector, abi.encode(supply));
        pair.say(IERC20.balanceOf.selector, abi.encode(isAnything ? liquidity : supply >> (how % 16)));
        ++reached["said"];
    }

    /// @notice Time passes.
    function wait(uint256 seconds_) external {
        vm.warp(block.timestamp + between(seconds_, 1, 3 * PERIOD_S));
    }

    /// @notice An epoch says something of a work.
    function publish(uint256 tokenId, uint256 volume, uint256 votes) external {
        uint256[3] memory leaf = [between(tokenId, 1, 4), volume % 13, votes % 13];
        _publish(leaf[0], uint8(leaf[1]), uint8(leaf[2]));
        _epochs.push(leaf);
    }

    /// @notice Anybody proves what an epoch says, or something else.
    function prove(uint256 pick, uint256 more) external {
        if (_epochs.length == 0) return;
        uint256 epoch = 1 + pick % _epochs.length;
        uint256[3] memory leaf = _epochs[epoch - 1];
        uint8 volume = uint8(leaf[1] + (more % 4 == 0 ? 1 : 0));
        try evolution.prove(epoch, leaf[0], _levels(volume, uint8(leaf[2])), new bytes32[](0)) {
            require(epoch > provenOf[leaf[0]][0] && volume == leaf[1], "proved what no epoch says");
            provenOf[leaf[0]] = [epoch, leaf[1], leaf[2]];
            ++reached["proven"];
        } catch {
            ++reached["a proof refused"];
        }
    }

    /// @notice A wallet does something with a work.
    function interact(uint256 tokenId, uint256 who) external {
        tokenId = between(tokenId, 1, 4);
        address wallet = _either(who);
        uint256[2] storage done = doneOf[tokenId];
        vm.prank(wallet);
        try evolution.interact(tokenId) {
            require(wallet == collection.ownerOf(tokenId), "a stranger interacted");
            require(done[0] == 0 || block.timestamp >= done[1] + PERIOD_S, "too soon");
            (done[0], done[1]) = (done[0] + 1, block.timestamp);
            ++reached["done"];
        } catch {
            ++reached["an interaction refused"];
        }
    }

    /// @notice A wallet names a position for a work.
    function name(uint256 tokenId, uint256 who, uint256 positionId) external {
        vm.prank(_either(who));
        try evolution.namePosition(POSITION, between(tokenId, 1, 4), positionId % 4) {
            ++reached["named"];
        } catch {
            ++reached["a name refused"];
        }
    }

    /// @notice A wallet stakes a work or takes it back.
    function stake(uint256 tokenId, uint256 who) external {
        tokenId = between(tokenId, 1, 4);
        vm.prank(_either(who));
        try staking.stake(_only(tokenId)) {
            ++reached["staked"];
        } catch {
            vm.prank(_either(who));
            try staking.unstake(_only(tokenId)) {
                ++reached["taken back"];
            } catch {}
        }
    }

    /// @notice A work changes hands, if it may.
    function give(uint256 tokenId, uint256 who) external {
        tokenId = between(tokenId, 1, 4);
        address holder = collection.ownerOf(tokenId);
        vm.prank(holder);
        try collection.transferFrom(holder, _either(who), tokenId) {
            ++reached["given"];
        } catch {}
    }

    /// @notice Levels of a work.
    function levelsOf(uint256 tokenId) external view returns (uint256[] memory) {
        return evolution.levelsOf(tokenId);
    }

    /// @notice The rules as they were given.
    function rules() external view returns (Rule[] memory) {
        return _rules();
    }

    /// @notice The rules as they are kept.
    function keptRules() external view returns (Rule[] memory) {
        return evolution.rules();
    }

    /// @notice A work's metadata.
    function tokenURI(uint256 tokenId) external view returns (string memory) {
        return evolving.tokenURI(tokenId);
    }

    /// @notice The work for which a position counts.
    function positionOf(uint256 tokenId) external view returns (uint256) {
        return evolution.positionOf(POSITION, tokenId);
    }

    function _either(uint256 who) private pure returns (address) {
        return who % 2 == 0 ? ALICE : BOB;
    }
}

/// @title What holds whatever pools do
contract EvolutionInvariantTest {
    Life private life;
    address[] private _targets;
    uint256[6] private _risen; // how often a level was seen above 0

    /// @notice Works to which nothing has happened.
    function setUp() public {
        life = new Life();
        _targets.push(address(life));
    }

    /// @notice Forge calls these, and nothing else.
    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    /// @notice Every work has its picture, in the gas of a transaction. Fewer runs, as each draws 32 pictures.
    /// forge-config: default.invariant.runs = 6
    /// forge-config: deep.invariant.runs = 32
    function invariant_every_work_is_drawn() public view {
        vm.assertTrue(bytes(life.tokenURI{gas: 16_777_216}(1 + block.timestamp % 4)).length > 4_000);
    }

    /// @notice No level is above the highest of its rule.
    function invariant_levels_keep_to_their_rules() public view {
        Rule[] memory rules = life.rules();
        for (uint256 tokenId = 1; tokenId < 5; ++tokenId) {
            uint256[] memory levels = life.levelsOf(tokenId);
            for (uint256 k = 0; k < rules.length; ++k) {
                vm.assertLe(levels[k], rules[k].highest);
            }
        }
    }

    /// @notice Proven levels are what the newest proof said, and interactions are counted.
    function invariant_books_agree() public view {
        for (uint256 tokenId = 1; tokenId < 5; ++tokenId) {
            uint256[] memory levels = life.levelsOf(tokenId);
            vm.assertEq(levels[0], life.provenOf(tokenId, 1));
            vm.assertEq(levels[1], life.provenOf(tokenId, 2));
            uint256 done = life.doneOf(tokenId, 0);
            uint256 expected = 0;
            while (done >> expected > 0 && expected < 6) {
                ++expected;
            }
            vm.assertEq(levels[2], expected);
        }
    }

    /// @notice No position counts for two works.
    function invariant_a_position_counts_for_one_work() public view {
        for (uint256 tokenId = 1; tokenId < 5; ++tokenId) {
            uint256 positionId = life.positionOf(tokenId);
            for (uint256 other = 1; other < tokenId && positionId != 0; ++other) {
                vm.assertTrue(life.positionOf(other) != positionId);
            }
        }
    }

    /// @notice The law stays the law.
    function invariant_rules_never_change() public view {
        vm.assertEq(keccak256(abi.encode(life.keptRules())), keccak256(abi.encode(life.rules())));
    }

    /// @notice Life does all it is there for: runs of calls as forge makes them reach everything.
    function test_life_reaches_everything() public {
        for (uint256 i = 0; i < 1_000; ++i) {
            _call(i);
        }

        string[13] memory names = [
            "turned",
            "gone",
            "back",
            "said",
            "proven",
            "a proof refused",
            "done",
            "an interaction refused",
            "named",
            "a name refused",
            "staked",
            "taken back",
            "given"
        ];
        for (uint256 i = 0; i < 13; ++i) {
            require(life.reached(names[i]) > 0, names[i]);
        }
        require(_risen[3] > 0 && _risen[4] > 0 && _risen[5] > 0, "a level never rose");
    }

    /// @dev One of life's functions, with arguments that follow from a number.
    function _call(uint256 i) private {
        uint256 x = uint256(keccak256(abi.encode(i)));
        uint256 y = uint256(keccak256(abi.encode(x)));
        uint256 kind = x % 9;
        if (kind == 0) life.turn(y, y >> 64);
        else if (kind == 1) life.say(x, int256(y), y, y >> 128);
        else if (kind == 2) life.wait(y);
        else if (kind == 3) life.publish(y, y >> 64, y >> 128);
        else if (kind == 4) life.prove(y, y >> 64);
        else if (kind == 5) life.interact(y, y >> 64);
        else if (kind == 6) life.name(y, y >> 64, y >> 128);
        else if (kind == 7) life.stake(y, y >> 64);
        else life.give(y, y >> 64);
        uint256[] memory levels = life.levelsOf(1 + i % 4);
        for (uint256 k = 0; k < 6; ++k) {
            if (levels[k] > 0) ++_risen[k];
        }
    }
}
