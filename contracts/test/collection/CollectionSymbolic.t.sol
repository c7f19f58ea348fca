// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MorphoraCollection} from "../../src/MorphoraCollection.sol";
import {vm} from "../Cheats.sol";
import {CollectionTest} from "./CollectionTest.sol";

/// @dev Where halmos makes unknown values.
Unknowns constant svm = Unknowns(0xF3993A62377BCd56AE39D773740A5390411E8BC9);

/// @title What the proofs ask of halmos beside what forge answers too
interface Unknowns {
    /// @notice A call of any function that the contract of this name has, with any arguments.
    function createCalldata(string calldata contractName) external pure returns (bytes memory);
}

/// @title What halmos proves for every input at once, not for a sample
contract CollectionSymbolicTest is CollectionTest {
    uint256 private constant COUNT = 4;
    uint256 private constant CAP = 3;

    /// @notice Whoever mints, asks and pays, and however much is sold: a mint that goes through was asked within the cap
    /// and the rest, paid exactly, and its caller has the next works. One that does not changes nothing.
    function check_a_mint_that_goes_through_was_paid(
        address buyer,
        uint256 sold,
        uint256 quantity,
        uint96 priceWei,
        uint128 sent
    ) public {
        vm.assume(buyer != address(0) && buyer != address(collection) && buyer != BOB);
        _sell(sold, priceWei);
        uint256 before = address(collection).balance;
        vm.deal(buyer, sent);

        bool isMinted = _tryMint(buyer, quantity, sent);

        assert(!isMinted || (quantity >= 1 && quantity <= CAP && quantity <= COUNT - sold));
        assert(!isMinted || sent == quantity * priceWei);
        uint256 minted = isMinted ? quantity : 0;
        assert(address(collection).balance - before == (isMinted ? sent : 0));
        assert(collection.totalSupply() == sold + minted);
        assert(collection.saleOf(1).minted == sold + minted);
        assert(collection.balanceOf(buyer) == minted);
        assert(!isMinted || collection.ownerOf(sold + quantity) == buyer);
    }

    /// @notice A mint that is asked within the cap and the rest, and paid exactly, goes through.
    function check_a_paid_mint_goes_through(address buyer, uint256 sold, uint256 quantity, uint96 priceWei) public {
        vm.assume(buyer != address(0) && quantity >= 1 && quantity <= CAP);
        _sell(sold, priceWei);
        vm.assume(quantity <= COUNT - sold);
        uint256 due = quantity * priceWei;
        vm.deal(buyer, due);

        assert(_tryMint(buyer, quantity, due));
    }

    /// @notice Whoever calls, whatever is there: only the owner withdraws, and then everything goes to the treasury.
    function check_only_the_owner_withdraws_and_to_the_treasury(address caller, uint128 balance) public {
        vm.deal(address(collection), balance);
        vm.deal(TREASURY, 0);

        vm.prank(caller);
        (bool isWithdrawn,) = address(collection).call(abi.encodeCall(MorphoraCollection.withdraw, ()));

        assert(isWithdrawn == (caller == address(this)));
        assert(address(collection).balance == (isWithdrawn ? 0 : balance));
        assert(TREASURY.balance == (isWithdrawn ? balance : 0));
    }

    /// @notice Whatever a stranger calls, with whatever arguments and payment: nothing leaves the collection, and
    /// neither the chain of drops nor the owner nor the treasury is another.
    /// @dev Without address 0, which sends nothing on any chain: it is what a transfer of ownership waits for when none
    /// is under way.
    function check_a_stranger_takes_and_changes_nothing(address caller, uint128 sent) public {
        vm.assume(caller != address(0) && caller != address(this) && caller != address(collection));
        _sell(1, PRICE_WEI);
        uint256 before = address(collection).balance;
        bytes32 head = collection.head();
        bytes memory anything = svm.createCalldata("MorphoraCollection");
        vm.deal(caller, sent);

        vm.prank(caller);
        (bool isDone,) = address(collection).call{value: sent}(anything);

        assert(address(collection).balance == before + (isDone ? sent : 0));
        assert(collection.head() == head && collection.dropCount() == 1);
        assert(collection.owner() == address(this) && collection.treasury() == TREASURY);
    }

    /// @dev The first drop, `sold` of its works minted to BOB.
    function _sell(uint256 sold, uint96 priceWei) private {
        vm.assume(sold < COUNT);
        _commit(1, COUNT);
        collection.openSale(1, priceWei, CAP);
        if (sold == 0) return;
        vm.deal(BOB, sold * priceWei);
        vm.prank(BOB);
        collection.mint{value: sold * priceWei}(1, sold);
    }

    function _tryMint(address buyer, uint256 quantity, uint256 sent) private returns (bool isMinted) {
        vm.prank(buyer);
        (isMinted,) = address(collection).call{value: sent}(abi.encodeCall(MorphoraCollection.mint, (1, quantity)));
    }
}
