// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ERC2981} from "@openzeppelin/contracts/token/common/ERC2981.sol";
import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {MorphoraCollection} from "../../src/MorphoraCollection.sol";
import {vm} from "../Cheats.sol";
import {CollectionTest} from "./CollectionTest.sol";

/// @title A treasury that takes nothing
contract ClosedTreasury {}

/// @title A treasury that owns its collection and tries to be paid twice
contract GreedyTreasury {
    MorphoraCollection private _collection;

    /// @notice How often it was paid.
    uint256 public payments;

    /// @notice Withdraw from `collection`, and once more while being paid.
    function withdrawTwice(MorphoraCollection collection) external {
        _collection = collection;
        collection.acceptOwnership();
        collection.withdraw();
    }

    receive() external payable {
        payments += 1;
        if (payments == 1) _collection.withdraw();
    }
}

/// @title What the owner may do, and nobody else
contract OwnerTest is CollectionTest {
    /// @notice What the constructor was given can be read.
    function test_a_new_collection_says_what_it_is() public view {
        vm.assertEq(collection.name(), "Portraits");
        vm.assertEq(collection.symbol(), "PORTRAIT");
        vm.assertEq(collection.contractURI(), "ipfs://collection");
        vm.assertEq(collection.treasury(), TREASURY);
        vm.assertEq(collection.owner(), address(this));
        vm.assertEq(collection.totalSupply(), 0);
    }

    /// @notice ERC-165, ERC-721, its metadata, ERC-2981, ERC-4906.
    function test_interfaces_are_announced() public view {
        bytes4[5] memory interfaces = [bytes4(0x01ffc9a7), 0x80ac58cd, 0x5b5e139f, 0x2a55205a, 0x49064906];

        for (uint256 i = 0; i < interfaces.length; ++i) {
            vm.assertTrue(collection.supportsInterface(interfaces[i]));
        }
        vm.assertFalse(collection.supportsInterface(0xffffffff));
    }

    /// @notice Everything that was paid goes to the treasury.
    function test_withdrawal_goes_to_the_treasury() public {
        _onSale(3, 2);
        _mint(ALICE, 1, 2);

        vm.expectEmit(address(collection));
        emit MorphoraCollection.Withdrawn(TREASURY, 2 * PRICE_WEI);
        collection.withdraw();

        vm.assertEq(TREASURY.balance, 2 * PRICE_WEI);
        vm.assertEq(address(collection).balance, 0);
    }

    /// @notice Strangers withdraw nothing.
    function test_only_the_owner_withdraws() public {
        _onSale(3, 2);
        _mint(ALICE, 1, 2);

        _refusesStranger();
        collection.withdraw();

        vm.assertEq(address(collection).balance, 2 * PRICE_WEI);
    }

    /// @notice What the treasury does not take stays.
    function test_a_treasury_that_takes_nothing_loses_nothing() public {
        _onSale(3, 2);
        _mint(ALICE, 1, 2);
        collection.setTreasury(address(new ClosedTreasury()));

        vm.expectRevert(abi.encodeWithSelector(Errors.FailedCall.selector));
        collection.withdraw();

        vm.assertEq(address(collection).balance, 2 * PRICE_WEI);
    }

    /// @notice Withdrawing again while being paid moves nothing more.
    function test_a_treasury_that_calls_back_is_paid_once() public {
        GreedyTreasury greedy = new GreedyTreasury();
        _onSale(3, 2);
        _mint(ALICE, 1, 2);
        collection.setTreasury(address(greedy));
        collection.transferOwnership(address(greedy));

        greedy.withdrawTwice(collection);

        vm.assertEq(greedy.payments(), 2);
        vm.assertEq(address(greedy).balance, 2 * PRICE_WEI);
        vm.assertEq(address(collection).balance, 0);
    }

    /// @notice The treasury can be another one.
    function test_the_treasury_can_change() public {
        vm.expectEmit(address(collection));
        emit MorphoraCollection.TreasuryChanged(BOB);
        collection.setTreasury(BOB);

        vm.assertEq(collection.treasury(), BOB);
    }

    /// @notice It is neither nobody nor the collection itself.
    function test_a_treasury_that_loses_funds_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.InvalidTreasury.selector, address(0)));
        collection.setTreasury(address(0));
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.InvalidTreasury.selector, address(collection)));
        collection.setTreasury(address(collection));
    }

    /// @notice Strangers do not name it.
    function test_only_the_owner_names_the_treasury() public {
        _refusesStranger();
        collection.setTreasury(ALICE);
    }

    /// @notice No collection starts with a treasury that loses funds.
    function test_a_collection_without_a_treasury_is_not_created() public {
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.InvalidTreasury.selector, address(0)));
        new MorphoraCollection("", "", "", address(0), 0);
    }

    /// @notice A tenth is the highest royalty.
    function test_the_highest_royalty_is_taken() public {
        collection.setRoyalty(BOB, collection.MAX_ROYALTY_BPS());

        (address receiver, uint256 amount) = collection.royaltyInfo(1, 10_000);
        vm.assertEq(receiver, BOB);
        vm.assertEq(amount, 1_000);
    }

    /// @notice A higher one is refused, at any time.
    function test_a_royalty_above_a_tenth_is_refused() public {
        bytes memory refusal = abi.encodeWithSelector(MorphoraCollection.RoyaltyTooHigh.selector, 1_001, 1_000);

        vm.expectRevert(refusal);
        collection.setRoyalty(BOB, 1_001);
        vm.expectRevert(refusal);
        new MorphoraCollection("", "", "", TREASURY, 1_001);
    }

    /// @notice A royalty is somebody's.
    function test_a_royalty_for_nobody_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(ERC2981.ERC2981InvalidDefaultRoyaltyReceiver.selector, address(0)));
        collection.setRoyalty(address(0), 500);
    }

    /// @notice Strangers ask for none.
    function test_only_the_owner_sets_the_royalty() public {
        _refusesStranger();
        collection.setRoyalty(ALICE, 500);
    }

    /// @notice The collection's metadata can be replaced, and whoever caches it is told.
    function test_contract_metadata_can_be_replaced() public {
        vm.expectEmit(address(collection));
        emit MorphoraCollection.ContractURIUpdated();
        collection.setContractURI("ipfs://new");

        vm.assertEq(collection.contractURI(), "ipfs://new");
    }

    /// @notice Strangers replace nothing.
    function test_only_the_owner_replaces_contract_metadata() public {
        _refusesStranger();
        collection.setContractURI("ipfs://new");
    }

    /// @notice Ownership moves when it is accepted, not before.
    function test_ownership_moves_in_two_steps() public {
        vm.expectEmit(address(collection));
        emit Ownable2Step.OwnershipTransferStarted(address(this), ALICE);
        collection.transferOwnership(ALICE);
        vm.assertEq(collection.owner(), address(this));

        vm.expectEmit(address(collection));
        emit Ownable.OwnershipTransferred(address(this), ALICE);
        vm.prank(ALICE);
        collection.acceptOwnership();
        vm.assertEq(collection.owner(), ALICE);
    }

    /// @notice Whoever was not asked cannot accept, and strangers cannot ask.
    function test_ownership_is_not_taken() public {
        collection.transferOwnership(BOB);

        _refusesStranger();
        collection.acceptOwnership();
        _refusesStranger();
        collection.transferOwnership(ALICE);
    }

    /// @notice Without an owner the balance would be locked.
    function test_ownership_is_never_renounced() public {
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.OwnershipCannotBeRenounced.selector, address(this)));
        collection.renounceOwnership();
    }

    /// @notice A stranger's attempt is refused as a stranger's.
    function test_a_stranger_does_not_renounce() public {
        _refusesStranger();
        collection.renounceOwnership();
    }
}
