// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {MorphoraCollection} from "../../src/MorphoraCollection.sol";
import {vm} from "../Cheats.sol";
import {CollectionTest} from "./CollectionTest.sol";

/// @title Drops: their chain, their ids, their files
contract DropsTest is CollectionTest {
    /// @notice Before the first drop the chain is empty.
    function test_the_chain_starts_at_zero() public view {
        vm.assertEq(collection.head(), bytes32(0));
        vm.assertEq(collection.dropCount(), 0);
    }

    /// @notice Each head is the hash of the one before and the drop's body.
    function test_a_drop_is_linked_into_the_chain() public {
        uint256 first = collection.commitDrop(_body(1, 3), BASE_URI);
        uint256 second = collection.commitDrop(_body(4, 2), BASE_URI);

        bytes32 head = keccak256(abi.encode(bytes32(0), _body(1, 3)));
        vm.assertEq(collection.head(), keccak256(abi.encode(head, _body(4, 2))));
        vm.assertEq(first, 1);
        vm.assertEq(second, 2);
        vm.assertEq(collection.dropCount(), 2);
    }

    /// @notice The body is in the event, from which anyone can rebuild the chain.
    function test_the_body_of_a_drop_is_in_its_event() public {
        bytes32 head = keccak256(abi.encode(bytes32(0), _body(1, 3)));

        vm.expectEmit(address(collection));
        emit MorphoraCollection.DropCommitted(1, head, _body(1, 3), BASE_URI);
        collection.commitDrop(_body(1, 3), BASE_URI);
    }

    /// @notice A drop that is not on sale has no terms yet.
    function test_a_committed_drop_is_not_on_sale() public {
        _commit(1, 3);

        MorphoraCollection.Sale memory sale = collection.saleOf(1);
        vm.assertEq(sale.firstTokenId, 1);
        vm.assertEq(sale.count, 3);
        vm.assertEq(sale.minted, 0);
        vm.assertEq(sale.maxPerTransaction, 0);
        vm.assertEq(sale.priceWei, 0);
        vm.assertFalse(sale.isOpen);
    }

    /// @notice Strangers commit nothing.
    function test_only_the_owner_commits_a_drop() public {
        _refusesStranger();
        collection.commitDrop(_body(1, 3), BASE_URI);
    }

    /// @notice A drop has works.
    function test_an_empty_drop_is_refused() public {
        _commit(1, 3);

        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.EmptyDrop.selector, 2));
        _commit(4, 0);
    }

    /// @notice The first id of all is 1.
    function test_ids_start_at_one() public {
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.FirstTokenIdOutOfOrder.selector, 0, 1));
        _commit(0, 3);
    }

    /// @notice The next drop leaves no gap.
    function test_a_gap_between_drops_is_refused() public {
        _commit(1, 3);

        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.FirstTokenIdOutOfOrder.selector, 5, 4));
        _commit(5, 3);
    }

    /// @notice The next drop repeats no id.
    function test_an_overlap_of_drops_is_refused() public {
        _commit(1, 3);

        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.FirstTokenIdOutOfOrder.selector, 3, 4));
        _commit(3, 3);
    }

    /// @notice The largest count that fits its slot is taken, and the ids go on after it.
    function test_a_count_of_32_bits_is_taken() public {
        _commit(1, type(uint32).max);
        _commit(uint256(type(uint32).max) + 1, 1);

        vm.assertEq(collection.saleOf(2).firstTokenId, uint256(type(uint32).max) + 1);
    }

    /// @notice A larger one is not cut off.
    function test_a_count_beyond_32_bits_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 32, 2 ** 32));
        _commit(1, 2 ** 32);
    }

    /// @notice Files move before the sale, and whoever caches metadata is told which.
    function test_files_can_move_before_the_sale() public {
        _commit(1, 3);
        _commit(4, 2);

        vm.expectEmit(address(collection));
        emit MorphoraCollection.BaseURIChanged(2, "ipfs://moved/");
        vm.expectEmit(address(collection));
        emit IERC4906.BatchMetadataUpdate(4, 5);
        collection.setBaseURI(2, "ipfs://moved/");

        vm.assertEq(collection.baseURIOf(1), BASE_URI);
        vm.assertEq(collection.baseURIOf(2), "ipfs://moved/");
    }

    /// @notice They stay where they are from the opening on.
    function test_files_do_not_move_once_the_sale_is_open() public {
        _onSale(3, 2);

        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.SaleAlreadyOpen.selector, 1));
        collection.setBaseURI(1, "ipfs://moved/");
    }

    /// @notice Strangers move nothing.
    function test_only_the_owner_moves_files() public {
        _commit(1, 3);

        _refusesStranger();
        collection.setBaseURI(1, "ipfs://moved/");
    }

    /// @notice No drop is there before the first and after the last.
    function test_files_of_an_unknown_drop_do_not_move() public {
        _commit(1, 3);

        for (uint256 dropNumber = 0; dropNumber < 4; dropNumber += 2) {
            vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.UnknownDrop.selector, dropNumber));
            collection.setBaseURI(dropNumber, "ipfs://moved/");
        }
    }

    /// @notice Nothing is said about a drop that is not there.
    function test_an_unknown_drop_has_no_terms_and_no_files() public {
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.UnknownDrop.selector, 1));
        collection.saleOf(1);
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.UnknownDrop.selector, 0));
        collection.baseURIOf(0);
    }

    /// @notice A work is found in its drop, its metadata in the drop's folder.
    function test_metadata_follows_the_drop_of_a_work() public {
        _onSale(3, 2);
        collection.commitDrop(_body(4, 2), "ipfs://second/");
        collection.openSale(2, PRICE_WEI, 2);
        _mint(ALICE, 1, 2);
        _mint(BOB, 2, 2);

        vm.assertEq(collection.dropOf(2), 1);
        vm.assertEq(collection.tokenURI(2), "ipfs://root/metadata/2.json");
        vm.assertEq(collection.dropOf(4), 2);
        vm.assertEq(collection.tokenURI(4), "ipfs://second/4.json");
    }

    /// @notice A work that is not minted has neither.
    function test_a_work_that_is_not_minted_has_no_drop_and_no_metadata() public {
        _onSale(3, 2);
        _mint(ALICE, 1, 2);

        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 3));
        collection.dropOf(3);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 3));
        collection.tokenURI(3);
    }
}
