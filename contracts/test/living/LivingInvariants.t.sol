// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LivingCollection} from "../../src/LivingCollection.sol";
import {DropChain} from "../../src/collection/DropChain.sol";
import {Phase, PhaseKind} from "../../src/collection/Phases.sol";
import {Sale} from "../../src/collection/Sale.sol";
import {ILockable, Staking} from "../../src/staking/Staking.sol";
import {between, vm} from "../Cheats.sol";

/// @title An owner and four wallets that buy, stake, wait, reveal or fail, claim and give back
/// @notice Keeps its own books of what was paid in and what came out.
contract Market {
    uint40 private constant START = 1_000_000;
    bytes32 private constant SECRET = keccak256("secret");
    address public constant TREASURY = address(0x7EA5);

    /// @notice The collection, owned by this contract.
    LivingCollection public immutable collection;
    /// @notice The stakes of its works.
    Staking public immutable staking;
    /// @notice Wei that came in for works, and that went out again.
    uint256 public paidWei;
    uint256 public outWei;
    /// @notice Wei that was paid into the pool, and out of it.
    uint256 public pooledWei;
    uint256 public rewardedWei;
    /// @notice How many works were minted and given back.
    uint256 public minted;
    uint256 public burnt;
    /// @notice What was promised at each opening, as a digest.
    mapping(uint256 dropNumber => bytes32) public promiseOf;

    address[4] private _wallets = [address(0xA11CE), address(0xB0B), address(0xCA7), address(0xD06)];
    DropChain.Drop[] private _drops;

    constructor() {
        vm.warp(START);
        vm.roll(1_000);
        collection = new LivingCollection("Portraits", "PORTRAIT", "", "https://live/", TREASURY, 500);
        staking = new Staking(ILockable(address(collection)));
        collection.setLocker(address(staking));
        vm.deal(address(this), 1_000_000 ether);
    }

    /// @notice Commit a drop of 1 to 6 works of any kind, and open its sale: public, capped, and an auction.
    function open(uint256 count, uint256 kind) external {
        uint256 n = _drops.length + 1;
        if (n > 8) return;
        DropChain.Drop memory drop;
        drop.firstTokenId = n == 1 ? 1 : _drops[n - 2].firstTokenId + _drops[n - 2].count;
        drop.count = between(count, 1, 6);
        kind %= 3;
        if (kind != 2) drop.metadataRoot = keccak256(abi.encode(n));
        if (kind != 0) {
            drop.seedCommit = keccak256(abi.encode(SECRET, n));
            drop.revealBlock = block.number + 5;
        }
        uint40 start = uint40(block.timestamp);
        Phase[] memory phases = new Phase[](3);
        phases[0] = Phase(1 gwei, start, start + 1_000, 3, 0, PhaseKind.Public, 0);
        phases[1] = Phase(2 gwei, start, start + 1_000, 3, 2, PhaseKind.Public, 0);
        phases[2] = Phase(
            9 gwei,
            start,
            start + 900,
            3,
            0,
            PhaseKind.Auction,
            bytes32(uint256(1 gwei) << 128 | uint256(1 gwei) << 32 | 100)
        );
        collection.commitDrop(drop);
        collection.openSale(n, drop, phases, start + 2_000);
        _drops.push(drop);
        promiseOf[n] = termsOf(n);
    }

    /// @notice A wallet buys, and pays a little more in an auction.
    function buy(uint256 who, uint256 pick, uint256 phase, uint256 quantity, uint256 more) external {
        uint256 n = _drop(pick);
        if (n == 0) return;
        phase %= 3;
        quantity = between(quantity, 1, 3);
        uint256 due = quantity * (phase == 2 ? 9 gwei : (phase + 1) * 1 gwei) + (phase == 2 ? more % 100 : 0);
        address wallet = _wallets[who % 4];
        vm.deal(wallet, wallet.balance + due);
        vm.prank(wallet);
        try collection.mint{value: due}(n, phase, quantity) {
            paidWei += due;
            minted += quantity;
        } catch {
            vm.deal(wallet, wallet.balance - due);
        }
    }

    /// @notice Time passes: up to ten minutes, a block a minute.
    function wait(uint256 minutes_) external {
        minutes_ = between(minutes_, 1, 10);
        vm.warp(block.timestamp + minutes_ * 60);
        vm.roll(block.number + minutes_);
    }

    /// @notice Whatever can be done for a drop to become final, or else to fail.
    function decide(uint256 pick, bool isHonest) external {
        uint256 n = _drop(pick);
        if (n == 0) return;
        try collection.capture(n) {} catch {}
        if (isHonest) {
            try collection.reveal(n, _drops[n - 1], SECRET) {} catch {}
            try collection.seal(n, DropChain.Roots(SECRET, SECRET, SECRET, SECRET)) {} catch {}
        }
        try collection.fail(n) {} catch {}
        try collection.settle(n, 2) {} catch {}
    }

    /// @notice The owner withdraws; a wallet claims and gives a work back.
    function settleUp(uint256 pick, uint256 who, uint256 tokenId) external {
        uint256 n = _drop(pick);
        if (n == 0) return;
        uint256 before = address(collection).balance;
        try collection.withdraw(n) {} catch {}
        address wallet = _wallets[who % 4];
        vm.prank(wallet);
        try collection.claimRefund(n, 2) {} catch {}
        uint256[] memory ids = new uint256[](1);
        ids[0] = between(tokenId, 1, 50);
        vm.prank(wallet);
        try collection.refund(n, ids) {
            burnt += 1;
        } catch {}
        outWei += before - address(collection).balance;
    }

    /// @notice A work is staked or taken back, a pool is paid in, rewards are claimed.
    function earn(uint256 who, uint256 tokenId, uint256 amount) external {
        address wallet = _wallets[who % 4];
        uint256[] memory ids = new uint256[](1);
        ids[0] = between(tokenId, 1, 50);
        amount = between(amount, 1, 1 ether);
        try staking.fund{value: amount}(uint64(block.timestamp + 5_000)) {
            pooledWei += amount;
        } catch {}
        vm.prank(wallet);
        try staking.stake(ids) {}
        catch {
            vm.prank(wallet);
            try staking.unstake(ids) {} catch {}
        }
        uint256 before = address(staking).balance;
        vm.prank(wallet);
        try staking.claim() {} catch {}
        rewardedWei += before - address(staking).balance;
    }

    /// @notice A work changes hands, if it may.
    function give(uint256 who, uint256 to, uint256 tokenId) external {
        tokenId = between(tokenId, 1, 50);
        address wallet = _wallets[who % 4];
        bool isStaked = staking.stakeOf(tokenId).owner != address(0);
        vm.prank(wallet);
        try collection.transferFrom(wallet, _wallets[to % 4], tokenId) {
            require(!isStaked, "a staked work moved");
        } catch {}
    }

    /// @notice A digest of all that may not change once a sale is open.
    function termsOf(uint256 n) public view returns (bytes32) {
        Sale.Lot memory lot = collection.lotOf(n);
        DropChain.Fate memory fate = collection.fateOf(n);
        return keccak256(
            abi.encode(
                collection.headOf(n), collection.phasesOf(n), lot.firstTokenId, lot.count, fate.salesEnd, fate.finalBy
            )
        );
    }

    /// @notice How many drops there are.
    function drops() external view returns (uint256) {
        return _drops.length;
    }

    /// @notice The wallets.
    function wallets() external view returns (address[4] memory) {
        return _wallets;
    }

    function _drop(uint256 pick) private view returns (uint256) {
        return _drops.length == 0 ? 0 : 1 + pick % _drops.length;
    }
}

/// @title What holds whatever anybody does
contract LivingInvariantTest {
    Market private market;
    address[] private _targets;

    /// @notice A market without drops.
    function setUp() public {
        market = new Market();
        _targets.push(address(market));
    }

    /// @notice Forge calls these, and nothing else.
    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    /// @notice Works that exist are those minted and not given back, and each is somebody's.
    function invariant_supply_is_what_wallets_hold() public view {
        LivingCollection collection = market.collection();
        uint256 held = 0;
        address[4] memory wallets = market.wallets();
        for (uint256 i = 0; i < 4; ++i) {
            held += collection.balanceOf(wallets[i]);
        }
        vm.assertEq(collection.totalSupply(), held);
        vm.assertEq(collection.totalSupply(), market.minted() - market.burnt());
    }

    /// @notice Every wei is in the collection or went out, and what drops have earned is there.
    function invariant_money_is_accounted_for() public view {
        LivingCollection collection = market.collection();
        vm.assertEq(address(collection).balance, market.paidWei() - market.outWei());
        uint256 owed = 0;
        for (uint256 n = 1; n <= market.drops(); ++n) {
            owed += collection.lotOf(n).proceedsWei;
        }
        vm.assertLe(owed, address(collection).balance);
    }

    /// @notice Nothing of an opened drop changes, and none is minted beyond its count.
    function invariant_promises_are_kept() public view {
        for (uint256 n = 1; n <= market.drops(); ++n) {
            vm.assertEq(market.termsOf(n), market.promiseOf(n));
            vm.assertLe(market.collection().lotOf(n).minted, market.collection().lotOf(n).count);
        }
    }

    /// @notice No drop is both final and failed.
    function invariant_a_fate_is_one_of_two() public view {
        for (uint256 n = 1; n <= market.drops(); ++n) {
            DropChain.Fate memory fate = market.collection().fateOf(n);
            vm.assertFalse(fate.isFinal && fate.hasFailed);
        }
    }

    /// @notice Rewards are paid from pools, and what is promised is there.
    function invariant_rewards_are_covered() public view {
        Staking staking = market.staking();
        vm.assertEq(address(staking).balance, market.pooledWei() - market.rewardedWei());
        uint256 earned = 0;
        uint256 staked = 0;
        address[4] memory wallets = market.wallets();
        for (uint256 i = 0; i < 4; ++i) {
            earned += staking.earned(wallets[i]);
            staked += staking.countOf(wallets[i]);
        }
        vm.assertLe(earned, address(staking).balance);
        vm.assertEq(staked, staking.total());
    }

    /// @notice A staked work is its staker's and is locked; a free one is not.
    function invariant_stakes_and_locks_agree() public view {
        LivingCollection collection = market.collection();
        for (uint256 n = 1; n <= market.drops(); ++n) {
            Sale.Lot memory lot = collection.lotOf(n);
            for (uint256 id = lot.firstTokenId; id < lot.firstTokenId + lot.minted; ++id) {
                address staker = market.staking().stakeOf(id).owner;
                if (staker != address(0)) {
                    vm.assertEq(collection.ownerOf(id), staker);
                    vm.assertTrue(collection.locked(id));
                }
            }
        }
    }
}
