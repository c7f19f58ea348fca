// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LivingCollection} from "../../src/LivingCollection.sol";
import {DropChain} from "../../src/collection/DropChain.sol";
import {Auction, Phase, PhaseKind} from "../../src/collection/Phases.sol";
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
    /// @notice What a work cost, wei; zero if an auction decides it.
    mapping(uint256 tokenId => uint256) public costOf;
    /// @notice How often something succeeded, or was refused that has to be, by its name.
    mapping(string name => uint256) public reached;

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
        ++reached[kind == 0 ? "fixed" : kind == 1 ? "prepared" : "live"];
    }

    /// @notice A wallet buys, and pays a little more in an auction.
    function buy(uint256 who, uint256 pick, uint256 phase, uint256 quantity, uint256 more) external {
        uint256 n = _drop(pick);
        if (n == 0) return;
        phase %= 3;
        quantity = between(quantity, 1, 3);
        uint256 price = phase == 2 ? 9 gwei : (phase + 1) * 1 gwei;
        uint256 due = quantity * price + (phase == 2 ? more % 100 : 0);
        address wallet = _wallets[who % 4];
        Sale.Lot memory lot = collection.lotOf(n);
        vm.deal(wallet, wallet.balance + due);
        vm.prank(wallet);
        try collection.mint{value: due}(n, phase, quantity) {
            require(!lot.isPaused, "a held sale sold");
            paidWei += due;
            minted += quantity;
            for (uint256 i = 0; i < quantity && phase < 2; ++i) {
                costOf[lot.firstTokenId + lot.minted + i] = price;
            }
            ++reached[phase == 0 ? "bought" : phase == 1 ? "bought under a cap" : "bought in an auction"];
        } catch (bytes memory reason) {
            vm.deal(wallet, wallet.balance - due);
            if (bytes4(reason) == Sale.WalletCapReached.selector) ++reached["a cap refused"];
            if (bytes4(reason) == Sale.NotEnoughLeft.selector) ++reached["sold out"];
            if (bytes4(reason) == Sale.SaleIsPaused.selector) ++reached["a held sale refused"];
        }
    }

    /// @notice A sale is held, or goes on; a royalty is asked for, within its cap or not.
    function rule(uint256 pick, bool isPaused, uint96 bps) external {
        uint256 n = _drop(pick);
        if (n == 0) return;
        collection.pauseSale(n, isPaused);
        try collection.setRoyalty(TREASURY, bps % 2_000) {
            ++reached["royalty"];
        } catch {
            ++reached["a royalty refused"];
        }
    }

    /// @notice Time passes: up to ten minutes, a block a minute.
    function wait(uint256 minutes_) external {
        minutes_ = between(minutes_, 1, 10);
        vm.warp(block.timestamp + minutes_ * 60);
        vm.roll(block.number + minutes_ * (minutes_ == 10 ? 30 : 1)); // or no hash would ever be out of reach
        ++reached["waited"];
    }

    /// @notice Whatever can be done for a drop to become final, or else to fail.
    function decide(uint256 pick, bool isHonest) external {
        uint256 n = _drop(pick);
        if (n == 0) return;
        try collection.capture(n) {
            ++reached[collection.fateOf(n).isCaptured ? "captured" : "rearmed"];
        } catch {}
        if (isHonest) {
            try collection.reveal(n, _drops[n - 1], SECRET) {
                ++reached["revealed"];
            } catch {}
            try collection.seal(n, DropChain.Roots(SECRET, SECRET, SECRET, SECRET)) {
                ++reached["sealed"];
            } catch {}
        }
        try collection.fail(n) {
            ++reached["failed"];
        } catch {}
        try collection.settle(n, 2) {
            ++reached["settled"];
        } catch {}
    }

    /// @notice The owner withdraws; a wallet claims what it paid too much in an auction, and gives a work back.
    function settleUp(uint256 pick, uint256 who) external {
        (uint256 n, uint256 tokenId) = _work(pick);
        if (n == 0) return;
        uint256 before = address(collection).balance;
        if (who % 3 == 0) {
            try collection.withdraw(n) {
                ++reached["withdrawn"];
            } catch {}
        }
        address wallet = _wallets[(who >> 8) % 4];
        vm.prank(wallet);
        try collection.claimRefund(n, 2) {
            ++reached["an auction paid back"];
        } catch {}
        vm.prank(_ownerOr(wallet, tokenId, who));
        try collection.refund(n, _only(tokenId)) {
            burnt += 1;
            ++reached["given back"];
        } catch {}
        outWei += before - address(collection).balance;
    }

    /// @notice A work is staked or taken back, a pool is paid in, rewards are claimed.
    function earn(uint256 pick, uint256 who, uint256 amount) external {
        (, uint256 tokenId) = _work(pick);
        if (tokenId == 0) return;
        address wallet = _ownerOr(_wallets[(who >> 8) % 4], tokenId, who);
        amount = between(amount, 1, 1 ether);
        try staking.fund{value: amount}(uint64(block.timestamp + 5_000)) {
            pooledWei += amount;
            ++reached["funded"];
        } catch {}
        vm.prank(wallet);
        try staking.stake(_only(tokenId)) {
            ++reached["staked"];
        } catch {
            vm.prank(wallet);
            try staking.unstake(_only(tokenId)) {
                ++reached["taken back"];
            } catch {}
        }
        uint256 before = address(staking).balance;
        vm.prank(wallet);
        try staking.claim() {
            ++reached["rewarded"];
        } catch {}
        rewardedWei += before - address(staking).balance;
    }

    /// @notice A work changes hands, if it may.
    function give(uint256 pick, uint256 who, uint256 to) external {
        (, uint256 tokenId) = _work(pick);
        if (tokenId == 0) return;
        address wallet = _ownerOr(_wallets[(who >> 8) % 4], tokenId, who);
        bool isStaked = staking.stakeOf(tokenId).owner != address(0);
        vm.prank(wallet);
        try collection.transferFrom(wallet, _wallets[to % 4], tokenId) {
            require(!isStaked, "a staked work moved");
            ++reached["given"];
        } catch {
            if (isStaked) ++reached["a staked work refused"];
        }
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

    /// @notice Who has a work, or zero.
    function ownerOf(uint256 tokenId) public view returns (address) {
        try collection.ownerOf(tokenId) returns (address owner) {
            return owner;
        } catch {
            return address(0);
        }
    }

    function _drop(uint256 pick) private view returns (uint256) {
        return _drops.length == 0 ? 0 : 1 + pick % _drops.length;
    }

    /// @dev A work that was minted, and its drop; zero twice if there is none.
    function _work(uint256 pick) private view returns (uint256, uint256) {
        uint256 n = _drop(pick);
        if (n == 0) return (0, 0);
        Sale.Lot memory lot = collection.lotOf(n);
        return lot.minted == 0 ? (0, 0) : (n, lot.firstTokenId + (pick >> 128) % lot.minted);
    }

    /// @dev Three times in four the one who has the work.
    function _ownerOr(address wallet, uint256 tokenId, uint256 who) private view returns (address) {
        address owner = ownerOf(tokenId);
        return owner == address(0) || who % 4 == 0 ? wallet : owner;
    }

    function _only(uint256 tokenId) private pure returns (uint256[] memory ids) {
        ids = new uint256[](1);
        ids[0] = tokenId;
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

    /// @notice Every wei is in the collection or went out; what is there is what is owed, to the treasury or to buyers.
    function invariant_money_held_is_money_owed() public view {
        LivingCollection collection = market.collection();
        vm.assertEq(address(collection).balance, market.paidWei() - market.outWei());
        uint256 owed = 0;
        for (uint256 n = 1; n <= market.drops(); ++n) {
            owed += collection.lotOf(n).proceedsWei + _owedByAuction(n);
        }
        vm.assertEq(owed, address(collection).balance);
    }

    /// @notice A failed drop has exactly what its works cost that were not given back.
    function invariant_a_failed_drop_can_pay_all_back() public view {
        LivingCollection collection = market.collection();
        for (uint256 n = 1; n <= market.drops(); ++n) {
            Auction memory auction = collection.auctionOf(n, 2);
            if (!collection.fateOf(n).hasFailed || (auction.sold > 0 && !auction.isSettled)) continue;
            Sale.Lot memory lot = collection.lotOf(n);
            uint256 cost = 0;
            for (uint256 id = lot.firstTokenId; id < lot.firstTokenId + lot.minted; ++id) {
                if (market.ownerOf(id) == address(0)) continue;
                cost += market.costOf(id) == 0 ? auction.lastPriceWei : market.costOf(id);
            }
            vm.assertEq(lot.proceedsWei, cost);
        }
    }

    /// @notice No royalty above a tenth is ever asked for.
    function invariant_royalties_keep_to_their_cap() public view {
        (, uint256 royalty) = market.collection().royaltyInfo(1, 10_000);
        vm.assertLe(royalty, 1_000);
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
                if (market.ownerOf(id) == address(0)) {
                    vm.assertEq(staker, address(0));
                    continue;
                }
                vm.assertTrue(collection.locked(id) == (staker != address(0)));
                if (staker != address(0)) vm.assertEq(market.ownerOf(id), staker);
            }
        }
    }

    /// @notice The market does all it is there for: runs of calls as forge makes them reach everything.
    function test_the_market_reaches_everything() public {
        Market[] memory markets = new Market[](20);
        for (uint256 i = 0; i < 20 * 128; ++i) {
            if (i % 128 == 0) markets[i / 128] = market = new Market();
            _call(i);
        }

        string[27] memory names = [
            "fixed",
            "prepared",
            "live",
            "bought",
            "bought under a cap",
            "bought in an auction",
            "a cap refused",
            "sold out",
            "a held sale refused",
            "royalty",
            "a royalty refused",
            "captured",
            "rearmed",
            "revealed",
            "sealed",
            "failed",
            "settled",
            "withdrawn",
            "an auction paid back",
            "given back",
            "funded",
            "staked",
            "taken back",
            "rewarded",
            "given",
            "a staked work refused",
            "waited"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            uint256 times = 0;
            for (uint256 n = 0; n < markets.length; ++n) {
                times += markets[n].reached(names[i]);
            }
            require(times > 0, names[i]);
        }
    }

    /// @dev One of the market's functions, with arguments that follow from a number.
    function _call(uint256 i) private {
        uint256 x = uint256(keccak256(abi.encode(i)));
        uint256 y = uint256(keccak256(abi.encode(x)));
        uint256 kind = x % 8;
        if (kind == 0) market.open(y, y >> 8);
        else if (kind == 1) market.buy(y, y >> 16, y >> 32, y >> 48, y >> 64);
        else if (kind == 2) market.wait(y);
        else if (kind == 3) market.decide(y, y >> 255 == 1);
        else if (kind == 4) market.settleUp(y, y >> 64);
        else if (kind == 5) market.earn(y, y >> 64, y >> 32);
        else if (kind == 6) market.give(y, y >> 64, y >> 32);
        else market.rule(y, y >> 254 == 3, uint96(y >> 64));
    }

    /// @dev What an auction holds: all that was paid, and once it is settled, what buyers paid too much.
    function _owedByAuction(uint256 n) private view returns (uint256 owed) {
        LivingCollection collection = market.collection();
        Auction memory auction = collection.auctionOf(n, 2);
        if (!auction.isSettled) return auction.paidWei;
        address[4] memory wallets = market.wallets();
        for (uint256 i = 0; i < 4; ++i) {
            Sale.Bought memory bought = collection.boughtBy(n, 2, wallets[i]);
            owed += bought.paidWei - uint256(auction.lastPriceWei) * bought.quantity;
        }
    }
}
