// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DropChain} from "../../src/collection/DropChain.sol";
import {Phase, PhaseKind, Phases} from "../../src/collection/Phases.sol";
import {Sale} from "../../src/collection/Sale.sol";
import {between, vm} from "../Cheats.sol";
import {LivingTest} from "./LivingTest.sol";

/// @title Auctions that settle, and drops that fail: everybody gets back what is theirs
contract MoneyTest is LivingTest {
    /// @notice The price falls a step at a time and stops at the lowest.
    function test_an_auction_falls() public {
        _open(_fixedBody(1, 20), _auction());
        uint256 step = PRICE_WEI / 10;
        for (uint256 i = 0; i < 12; ++i) {
            vm.warp(START + i * 100 + 99);
            uint256 due = i < 9 ? PRICE_WEI - i * step : step;
            vm.deal(ALICE, due);
            vm.expectRevert(abi.encodeWithSelector(Sale.WrongPayment.selector, due - 1, due));
            vm.prank(ALICE);
            collection.mint{value: due - 1}(1, 0, 1);
            _buy(ALICE, 1, 0, 1, due);
        }
    }

    /// @notice All pay the last price; what was paid above it comes back, once.
    function test_an_auction_settles_at_the_last_price() public {
        _open(_fixedBody(1, 20), _auction());
        _buy(ALICE, 1, 0, 2, 2 * PRICE_WEI + 7);
        vm.warp(START + 250);
        uint256 last = PRICE_WEI - 2 * (PRICE_WEI / 10);
        _buy(BOB, 1, 0, 1, last);
        vm.expectRevert(abi.encodeWithSelector(Sale.AuctionGoesOn.selector, 1, 0));
        collection.settle(1, 0);
        vm.expectRevert(abi.encodeWithSelector(Phases.NotSettled.selector, 1, 0));
        vm.prank(ALICE);
        collection.claimRefund(1, 0);

        vm.warp(END);
        vm.expectEmit(address(collection));
        emit Sale.AuctionSettled(1, 0, last, 3);
        vm.prank(BOB);
        collection.settle(1, 0);
        vm.prank(ALICE);
        collection.claimRefund(1, 0);
        collection.withdraw(1);

        vm.assertEq(ALICE.balance, 2 * (PRICE_WEI - last) + 7);
        vm.assertEq(TREASURY.balance, 3 * last);
        vm.assertEq(address(collection).balance, 0);
        vm.expectRevert(abi.encodeWithSelector(Sale.NothingOwed.selector, ALICE));
        vm.prank(ALICE);
        collection.claimRefund(1, 0);
        vm.expectRevert(abi.encodeWithSelector(Sale.AlreadySettled.selector, 1, 0));
        collection.settle(1, 0);
    }

    /// @notice An auction that sells out is settled at once.
    function test_a_sold_out_auction_is_settled_at_once() public {
        _open(_fixedBody(1, 2), _auction());
        _buy(ALICE, 1, 0, 2, 2 * PRICE_WEI);

        collection.settle(1, 0);

        vm.assertTrue(collection.auctionOf(1, 0).isSettled);
    }

    /// @notice Before an auction is settled its money is nobody's.
    function test_an_auction_s_money_waits() public {
        _open(_fixedBody(1, 20), _auction());
        _buy(ALICE, 1, 0, 2, 2 * PRICE_WEI);

        collection.withdraw(1);

        vm.assertEq(TREASURY.balance, 0);
        vm.assertEq(address(collection).balance, 2 * PRICE_WEI);
    }

    /// @notice A work of a failed drop goes back for what it cost, whoever bought it.
    function test_a_failed_drop_is_paid_back() public {
        _open(_preparedBody(1, 1, 10), _public(0));
        _buy(ALICE, 1, 0, 2, 2 * PRICE_WEI);
        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 2);
        vm.expectRevert(abi.encodeWithSelector(Sale.NotFailed.selector, 1));
        vm.prank(ALICE);
        collection.refund(1, _only(1));
        vm.warp(FINAL_BY + 1);
        collection.fail(1);

        vm.expectRevert(abi.encodeWithSelector(Sale.NotYours.selector, 2));
        vm.prank(ALICE);
        collection.refund(1, _only(2));
        vm.expectEmit(address(collection));
        emit Sale.Refunded(1, BOB, PRICE_WEI);
        vm.prank(BOB);
        collection.refund(1, _only(2));

        vm.assertEq(BOB.balance, PRICE_WEI);
        vm.assertEq(collection.totalSupply(), 1);
        vm.expectRevert(abi.encodeWithSelector(Sale.NotYours.selector, 2));
        vm.prank(BOB);
        collection.refund(1, _only(2));
        vm.expectRevert(abi.encodeWithSelector(Sale.NotFinal.selector, 1));
        collection.withdraw(1);
    }

    /// @notice A work of another drop is not paid back.
    function test_a_work_of_another_drop_is_not_paid_back() public {
        _open(_fixedBody(1, 2), _public(0));
        _open(_preparedBody(2, 3, 2), _public(0));
        _buy(ALICE, 1, 0, 1, PRICE_WEI);
        vm.warp(FINAL_BY + 1);
        collection.fail(2);

        vm.expectRevert(abi.encodeWithSelector(Sale.NotYours.selector, 1));
        vm.prank(ALICE);
        collection.refund(2, _only(1));
    }

    /// @notice Whatever was bought in whichever order and phase, a failed drop pays back exactly what each paid.
    function test_each_gets_back_what_they_paid(uint8[12] calldata choices, uint16[12] calldata later) public {
        Phase[] memory phases = new Phase[](3);
        (phases[0], phases[1], phases[2]) = (_public(0), _public(0), _auction());
        phases[1].priceWei = 2 gwei;
        _open(_preparedBody(1, 1, 12), phases);
        uint256[12] memory paid;
        uint256 time = START;
        for (uint256 i = 0; i < choices.length; ++i) {
            uint256 phase = choices[i] % 3;
            time += later[i] % 90;
            vm.warp(time);
            paid[i] = phase == 2 ? PRICE_WEI : phases[phase].priceWei;
            _buy(address(uint160(100 + i)), 1, phase, 1, paid[i]);
        }
        vm.warp(FINAL_BY + 1);
        collection.fail(1);
        collection.settle(1, 2);

        for (uint256 i = 0; i < choices.length; ++i) {
            address wallet = address(uint160(100 + i));
            vm.prank(wallet);
            collection.refund(1, _only(i + 1));
            if (choices[i] % 3 == 2 && wallet.balance < paid[i]) {
                vm.prank(wallet);
                collection.claimRefund(1, 2);
            }
            vm.assertEq(wallet.balance, paid[i]);
        }
        vm.assertEq(address(collection).balance, 0);
        vm.assertEq(collection.totalSupply(), 0);
    }

    /// @notice A listed price of a wallet's own comes back as it was paid.
    function test_a_price_of_one_s_own_is_remembered() public {
        bytes32 root = keccak256(bytes.concat(keccak256(abi.encode(ALICE, 5, 3 gwei))));
        Phase[] memory phases = new Phase[](2);
        phases[0] = _public(0);
        phases[1] = Phase(PRICE_WEI, START, END, 20, 0, PhaseKind.Listed, root);
        _open(_preparedBody(1, 1, 10), phases);
        _buy(BOB, 1, 0, 1, PRICE_WEI);
        vm.deal(ALICE, 3 gwei);
        vm.prank(ALICE);
        collection.mintListed{value: 3 gwei}(1, 1, 1, 5, 3 gwei, new bytes32[](0));
        _buy(BOB, 1, 0, 1, PRICE_WEI);
        vm.warp(FINAL_BY + 1);
        collection.fail(1);

        vm.prank(ALICE);
        collection.refund(1, _only(2));
        vm.prank(BOB);
        collection.refund(1, _only(3));

        vm.assertEq(ALICE.balance, 3 gwei);
        vm.assertEq(BOB.balance, PRICE_WEI);
    }

    /// @notice An auction of a failed drop is settled before its works are paid back.
    function test_a_failed_auction_is_settled_first() public {
        _open(_preparedBody(1, 1, 10), _auction());
        _buy(ALICE, 1, 0, 1, PRICE_WEI);
        vm.warp(FINAL_BY + 1);
        collection.fail(1);

        vm.expectRevert(abi.encodeWithSelector(Phases.NotSettled.selector, 1, 0));
        vm.prank(ALICE);
        collection.refund(1, _only(1));
    }
}
