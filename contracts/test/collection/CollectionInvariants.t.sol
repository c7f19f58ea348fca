// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MorphoraCollection} from "../../src/MorphoraCollection.sol";
import {vm} from "../Cheats.sol";
import {Seller} from "./Seller.sol";

/// @title What holds after whatever an owner and four wallets did
contract CollectionInvariantsTest {
    Seller private _seller;
    MorphoraCollection private _collection;

    /// @notice A new collection and whoever acts on it.
    function setUp() public {
        _seller = new Seller();
        _collection = _seller.collection();
    }

    /// @notice Only the seller acts.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_seller);
    }

    /// @notice As many works are out as sales count, and as wallets hold.
    function invariant_supply_is_what_was_minted_and_is_held() public view {
        uint256 minted = 0;
        for (uint256 i = 1; i <= _collection.dropCount(); ++i) {
            minted += _collection.saleOf(i).minted;
        }
        uint256 held = 0;
        address[4] memory wallets = _seller.wallets();
        for (uint256 i = 0; i < wallets.length; ++i) {
            held += _collection.balanceOf(wallets[i]);
        }

        vm.assertEq(_collection.totalSupply(), minted);
        vm.assertEq(_collection.totalSupply(), held);
    }

    /// @notice What was paid is the price of what was minted; it is here or at a treasury.
    function invariant_every_payment_is_here_or_withdrawn() public view {
        uint256 due = 0;
        for (uint256 i = 1; i <= _collection.dropCount(); ++i) {
            MorphoraCollection.Sale memory sale = _collection.saleOf(i);
            due += uint256(sale.minted) * sale.priceWei;
        }

        vm.assertEq(_seller.paidWei(), due);
        vm.assertEq(address(_collection).balance, _seller.paidWei() - _seller.withdrawnWei());
    }

    /// @notice No drop sells more than its count, its works are minted in order, and the rest belongs to nobody.
    function invariant_a_drop_sells_its_first_works_and_no_more() public view {
        uint256 tokenId = 1;
        for (uint256 i = 1; i <= _collection.dropCount(); ++i) {
            MorphoraCollection.Sale memory sale = _collection.saleOf(i);
            vm.assertLe(sale.minted, sale.count);
            vm.assertEq(sale.firstTokenId, tokenId);
            for (uint256 place = 0; place < sale.count; ++place) {
                vm.assertTrue(_isMinted(tokenId + place) == (place < sale.minted));
            }
            tokenId += sale.count;
        }
        vm.assertFalse(_isMinted(0));
        vm.assertFalse(_isMinted(tokenId));
    }

    /// @notice Whoever has the events can rebuild the head.
    function invariant_the_chain_can_be_rebuilt_from_events() public view {
        vm.assertEq(_collection.head(), _seller.rebuiltHead());
    }

    /// @notice A drop whose sale is open is what it was when it opened.
    function invariant_an_open_drop_never_changes() public view {
        for (uint256 i = 1; i <= _collection.dropCount(); ++i) {
            bytes32 promised = _seller.promiseOf(i);
            if (promised == 0) vm.assertFalse(_collection.saleOf(i).isOpen);
            else vm.assertEq(_seller.termsOf(i), promised);
        }
    }

    function _isMinted(uint256 tokenId) private view returns (bool) {
        try _collection.dropOf(tokenId) returns (uint256) {
            return true;
        } catch {
            return false;
        }
    }
}
