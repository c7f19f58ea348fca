// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Phase, PhaseKind} from "../../src/collection/Phases.sol";
import {Sale} from "../../src/collection/Sale.sol";
import {vm} from "../Cheats.sol";
import {LivingTest} from "./LivingTest.sol";

/// @title What halmos proves of sales, for every input at once
contract LivingSymbolicTest is LivingTest {
    uint256 private constant COUNT = 4;
    uint16 private constant MOST = 3;

    /// @notice Whoever mints, asks and pays, whatever the price and the cap, however much is sold, held or not: what goes
    /// through was asked within caps and rest and paid exactly; supply, balance and proceeds grow by that, or by nothing.
    /// @dev For payments below 2^95 wei; Ethereum has not 2^87. Proceeds are kept in 96 bits.
    function check_a_mint_sells_what_was_paid_for(
        address buyer,
        uint256 sold,
        uint256 quantity,
        uint96 priceWei,
        uint16 cap,
        uint96 sent,
        bool isPaused
    ) public {
        vm.assume(sent < 1 << 95);
        vm.assume(buyer != address(0) && buyer != address(collection) && buyer != BOB);
        _sell(sold, priceWei, cap);
        collection.pauseSale(1, isPaused);
        uint256 held = address(collection).balance;

        bool isMinted = _tryMint(buyer, quantity, sent);

        assert(!isMinted || !isPaused);
        assert(!isMinted || (quantity >= 1 && quantity <= MOST && quantity <= COUNT - sold));
        assert(!isMinted || cap == 0 || quantity <= cap);
        assert(!isMinted || sent == quantity * priceWei);
        uint256 bought = isMinted ? quantity : 0;
        assert(collection.totalSupply() == sold + bought);
        assert(collection.balanceOf(buyer) == bought);
        assert(address(collection).balance == held + (isMinted ? sent : 0));
        assert(collection.lotOf(1).proceedsWei == address(collection).balance);
        assert(!isMinted || collection.ownerOf(sold + quantity) == buyer);
    }

    /// @notice A mint that is asked within caps and rest, and paid exactly, goes through.
    function check_a_paid_mint_goes_through(address buyer, uint256 sold, uint256 quantity, uint96 priceWei, uint16 cap)
        public
    {
        vm.assume(buyer != address(0) && quantity >= 1 && quantity <= MOST && (cap == 0 || quantity <= cap));
        vm.assume(buyer != BOB);
        _sell(sold, priceWei, cap);
        vm.assume(quantity <= COUNT - sold);

        assert(_tryMint(buyer, quantity, quantity * priceWei));
    }

    /// @notice Over two mints a wallet has no more of a phase than its cap.
    function check_a_cap_counts_over_mints(uint256 first, uint256 second, uint16 cap) public {
        _sell(0, PRICE_WEI, cap);
        bool isFirst = _tryMint(ALICE, first, first * PRICE_WEI);
        bool isSecond = _tryMint(ALICE, second, second * PRICE_WEI);

        uint256 bought = (isFirst ? first : 0) + (isSecond ? second : 0);

        assert(collection.balanceOf(ALICE) == bought);
        assert(bought <= COUNT && (cap == 0 || bought <= cap));
    }

    /// @dev The first drop, `sold` of its works minted to BOB.
    function _sell(uint256 sold, uint96 priceWei, uint16 cap) private {
        vm.assume(sold < COUNT);
        Phase[] memory phases = new Phase[](2);
        phases[0] = Phase(priceWei, START, END, MOST, cap, PhaseKind.Public, 0);
        phases[1] = Phase(1 gwei, START, END, MOST, 0, PhaseKind.Public, 0);
        _open(_fixedBody(1, COUNT), phases);
        if (sold > 0) _buy(BOB, 1, 1, sold, sold * 1 gwei);
    }

    function _tryMint(address buyer, uint256 quantity, uint256 sent) private returns (bool isMinted) {
        vm.deal(buyer, sent);
        vm.prank(buyer);
        (isMinted,) = address(collection).call{value: sent}(abi.encodeCall(Sale.mint, (1, 0, quantity)));
    }
}
