// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {MorphoraCollection} from "../../src/MorphoraCollection.sol";
import {vm} from "../Cheats.sol";
import {CollectionTest} from "./CollectionTest.sol";

/// @title Sales: their terms, and what they let through
contract SalesTest is CollectionTest {
    /// @notice A sale opens with its terms.
    function test_a_sale_opens_with_its_terms() public {
        _commit(1, 3);

        vm.expectEmit(address(collection));
        emit MorphoraCollection.SaleOpened(1, PRICE_WEI, 2);
        collection.openSale(1, PRICE_WEI, 2);

        MorphoraCollection.Sale memory sale = collection.saleOf(1);
        vm.assertEq(sale.firstTokenId, 1);
        vm.assertEq(sale.count, 3);
        vm.assertEq(sale.minted, 0);
        vm.assertEq(sale.maxPerTransaction, 2);
        vm.assertEq(sale.priceWei, PRICE_WEI);
        vm.assertTrue(sale.isOpen);
    }

    /// @notice Strangers open nothing.
    function test_only_the_owner_opens_a_sale() public {
        _commit(1, 3);

        _refusesStranger();
        collection.openSale(1, PRICE_WEI, 2);
    }

    /// @notice Terms are set once.
    function test_terms_do_not_change_once_the_sale_is_open() public {
        _onSale(3, 2);

        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.SaleAlreadyOpen.selector, 1));
        collection.openSale(1, PRICE_WEI + 1, 2);
    }

    /// @notice No drop is there before the first and after the last.
    function test_an_unknown_drop_is_not_sold() public {
        _commit(1, 3);

        for (uint256 dropNumber = 0; dropNumber < 4; dropNumber += 2) {
            vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.UnknownDrop.selector, dropNumber));
            collection.openSale(dropNumber, PRICE_WEI, 2);
            vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.UnknownDrop.selector, dropNumber));
            collection.mint(dropNumber, 1);
        }
    }

    /// @notice The highest terms that fit are taken.
    function test_the_highest_terms_are_taken() public {
        _commit(1, 3);

        collection.openSale(1, type(uint96).max, type(uint16).max);

        vm.assertEq(collection.saleOf(1).priceWei, type(uint96).max);
        vm.assertEq(collection.saleOf(1).maxPerTransaction, type(uint16).max);
    }

    /// @notice A sale that would sell nothing does not open.
    function test_a_cap_of_zero_is_refused() public {
        _commit(1, 3);

        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.QuantityOutOfRange.selector, 0, type(uint16).max));
        collection.openSale(1, PRICE_WEI, 0);
    }

    /// @notice A price that does not fit its slot is not cut off.
    function test_a_price_beyond_96_bits_is_refused() public {
        _commit(1, 3);

        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 96, 2 ** 96));
        collection.openSale(1, 2 ** 96, 2);
    }

    /// @notice Neither is a cap.
    function test_a_cap_beyond_16_bits_is_refused() public {
        _commit(1, 3);

        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 16, 2 ** 16));
        collection.openSale(1, PRICE_WEI, 2 ** 16);
    }

    /// @notice Works go in the order of their ids to whoever pays.
    function test_mints_take_the_next_ids_in_order() public {
        _onSale(3, 2);

        _mint(ALICE, 1, 2);
        _mint(BOB, 1, 1);

        vm.assertEq(collection.ownerOf(1), ALICE);
        vm.assertEq(collection.ownerOf(2), ALICE);
        vm.assertEq(collection.ownerOf(3), BOB);
        vm.assertEq(collection.totalSupply(), 3);
        vm.assertEq(collection.saleOf(1).minted, 3);
        vm.assertEq(address(collection).balance, 3 * PRICE_WEI);
    }

    /// @notice Each work has its event.
    function test_every_minted_work_is_announced() public {
        _onSale(3, 2);

        vm.deal(ALICE, 2 * PRICE_WEI);
        vm.expectEmit(address(collection));
        emit IERC721.Transfer(address(0), ALICE, 1);
        vm.expectEmit(address(collection));
        emit IERC721.Transfer(address(0), ALICE, 2);
        vm.prank(ALICE);
        collection.mint{value: 2 * PRICE_WEI}(1, 2);
    }

    /// @notice Two drops on sale do not touch one another.
    function test_drops_sell_beside_one_another() public {
        _onSale(3, 2);
        _commit(4, 2);
        collection.openSale(2, PRICE_WEI, 2);

        _mint(ALICE, 2, 1);
        _mint(BOB, 1, 1);

        vm.assertEq(collection.ownerOf(4), ALICE);
        vm.assertEq(collection.ownerOf(1), BOB);
        vm.assertEq(collection.saleOf(1).minted, 1);
        vm.assertEq(collection.saleOf(2).minted, 1);
    }

    /// @notice Nothing is sold before the opening.
    function test_nothing_is_minted_before_the_sale_opens() public {
        _commit(1, 3);

        vm.deal(ALICE, PRICE_WEI);
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.SaleNotOpen.selector, 1));
        vm.prank(ALICE);
        collection.mint{value: PRICE_WEI}(1, 1);
    }

    /// @notice A mint takes at least one work.
    function test_a_mint_of_nothing_is_refused() public {
        _onSale(3, 2);

        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.QuantityOutOfRange.selector, 0, 2));
        collection.mint(1, 0);
    }

    /// @notice A mint takes at most the cap.
    function test_a_mint_above_the_cap_is_refused() public {
        _onSale(3, 2);

        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.QuantityOutOfRange.selector, 3, 2));
        collection.mint{value: 3 * PRICE_WEI}(1, 3);
    }

    /// @notice The last works can be had, no more.
    function test_nothing_is_minted_beyond_the_count() public {
        _onSale(3, 2);
        _mint(ALICE, 1, 2);

        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.NotEnoughLeft.selector, 2, 1));
        collection.mint{value: 2 * PRICE_WEI}(1, 2);
        _mint(ALICE, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.NotEnoughLeft.selector, 1, 0));
        collection.mint{value: PRICE_WEI}(1, 1);
    }

    /// @notice A payment is neither below nor above the price.
    function test_the_price_is_exact() public {
        _onSale(3, 2);

        for (uint256 sent = PRICE_WEI - 1; sent <= PRICE_WEI + 1; sent += 2) {
            vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.WrongPayment.selector, sent, PRICE_WEI));
            collection.mint{value: sent}(1, 1);
        }
    }

    /// @notice A work may be free, and then nothing is taken for it.
    function test_a_free_work_costs_nothing() public {
        _commit(1, 3);
        collection.openSale(1, 0, 2);

        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.WrongPayment.selector, 1, 0));
        collection.mint{value: 1}(1, 1);
        vm.prank(ALICE);
        collection.mint(1, 1);

        vm.assertEq(collection.ownerOf(1), ALICE);
    }
}
