// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {MorphoraCollection} from "../../src/MorphoraCollection.sol";
import {between, vm} from "../Cheats.sol";
import {CollectionTest} from "./CollectionTest.sol";

/// @title What holds for any counts, payments and royalties
contract CollectionFuzzTest is CollectionTest {
    /// @notice Ids of drops touch, whatever their counts, and the first is 1.
    function test_ids_of_drops_touch(uint32[8] calldata counts, bytes32 salt) public {
        uint256 next = 1;
        for (uint256 i = 0; i < counts.length; ++i) {
            uint256 count = between(counts[i], 1, type(uint32).max);

            uint256 wrong = uint256(keccak256(abi.encode(salt, i)));
            vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.FirstTokenIdOutOfOrder.selector, wrong, next));
            _commit(wrong, count);
            _commit(next, count);

            vm.assertEq(collection.saleOf(i + 1).firstTokenId, next);
            vm.assertEq(collection.saleOf(i + 1).count, count);
            next += count;
        }
    }

    /// @notice Whatever a drop says, the head follows from the head before and its body.
    function test_a_head_is_the_hash_of_the_chain(MorphoraCollection.Drop memory drop, string calldata files) public {
        drop.firstTokenId = 1;
        drop.count = between(drop.count, 1, type(uint32).max);

        collection.commitDrop(drop, files);

        vm.assertEq(collection.head(), keccak256(abi.encode(bytes32(0), drop)));
        vm.assertEq(collection.baseURIOf(1), files);
    }

    /// @notice A mint takes exactly its price, whatever the price, the cap and the quantity.
    function test_exactly_the_price_is_taken(uint96 priceWei, uint256 cap, uint256 quantity) public {
        cap = between(cap, 1, 20);
        quantity = between(quantity, 1, cap);
        _commit(1, 20);
        collection.openSale(1, priceWei, cap);

        vm.deal(ALICE, type(uint128).max);
        vm.prank(ALICE);
        collection.mint{value: quantity * priceWei}(1, quantity);

        vm.assertEq(address(collection).balance, quantity * priceWei);
        vm.assertEq(collection.balanceOf(ALICE), quantity);
        vm.assertEq(collection.totalSupply(), quantity);
    }

    /// @notice Any other payment is refused, and nothing is minted for it.
    function test_another_payment_is_refused(uint96 priceWei, uint256 quantity, uint128 sent) public {
        quantity = between(quantity, 1, 20);
        uint256 due = quantity * priceWei;
        vm.assume(sent != due);
        _commit(1, 20);
        collection.openSale(1, priceWei, 20);

        vm.deal(ALICE, sent);
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.WrongPayment.selector, sent, due));
        vm.prank(ALICE);
        collection.mint{value: sent}(1, quantity);

        vm.assertEq(collection.totalSupply(), 0);
    }

    /// @notice A quantity above the cap is refused whatever is paid.
    function test_a_quantity_above_the_cap_is_refused(uint256 cap, uint256 quantity, uint128 sent) public {
        cap = between(cap, 1, type(uint16).max);
        vm.assume(quantity > cap);
        _onSale(type(uint32).max, cap);

        vm.deal(ALICE, sent);
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.QuantityOutOfRange.selector, quantity, cap));
        vm.prank(ALICE);
        collection.mint{value: sent}(1, quantity);
    }

    /// @notice The search for a work's drop finds what counting up finds, for minted works and no others.
    function test_drop_of_agrees_with_counting(uint256[9] calldata counts, uint256[9] calldata minted) public {
        uint256 next = 1;
        for (uint256 i = 0; i < counts.length; ++i) {
            next += _sell(next, between(counts[i], 1, 4), minted[i]);
        }

        uint256 tokenId = 1;
        for (uint256 dropNumber = 1; dropNumber <= counts.length; ++dropNumber) {
            MorphoraCollection.Sale memory sale = collection.saleOf(dropNumber);
            for (uint256 i = 0; i < sale.count; ++i) {
                if (i >= sale.minted) {
                    vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, tokenId));
                    collection.dropOf(tokenId);
                } else {
                    vm.assertEq(collection.dropOf(tokenId), dropNumber);
                }
                tokenId += 1;
            }
        }
    }

    /// @notice No royalty is above a tenth of the price.
    function test_a_royalty_is_at_most_a_tenth(uint16 bps, uint128 priceWei) public {
        bps = bps % 2_001;
        if (bps > 1_000) {
            vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.RoyaltyTooHigh.selector, bps, 1_000));
        }
        collection.setRoyalty(BOB, bps);

        (, uint256 amount) = collection.royaltyInfo(1, priceWei);
        uint256 asked = bps > 1_000 ? 500 : bps;
        vm.assertEq(amount, uint256(priceWei) * asked / 10_000);
        vm.assertLe(amount, priceWei / 10);
    }

    /// @dev Commit a drop, open it for nothing and mint from none to all of it.
    function _sell(uint256 firstTokenId, uint256 count, uint256 minted) private returns (uint256) {
        uint256 dropNumber = _commit(firstTokenId, count);
        collection.openSale(dropNumber, 0, count);
        minted = between(minted, 0, count);
        if (minted > 0) {
            vm.prank(ALICE);
            collection.mint(dropNumber, minted);
        }
        return count;
    }
}
