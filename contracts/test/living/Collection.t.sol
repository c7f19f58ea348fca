// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {LivingCollection} from "../../src/LivingCollection.sol";
import {vm} from "../Cheats.sol";
import {LivingTest} from "./LivingTest.sol";

/// @title Descriptions, royalties, locks
contract LivingCollectionTest is LivingTest {
    /// @notice A fixed drop's works are described in its folder from the start.
    function test_a_fixed_work_is_described_in_its_folder() public {
        _open(_fixedBody(1, 3), _public(0));
        _buy(ALICE, 1, 0, 1, PRICE_WEI);

        vm.assertEq(bytes(collection.tokenURI(1)).length, 7 + 59 + bytes("/metadata/1.json").length);
        vm.assertEq(collection.numberOf(1), 1);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 2));
        collection.tokenURI(2);
    }

    /// @notice What is not final can be described elsewhere; what is final cannot.
    function test_only_live_descriptions_move() public {
        _open(_fixedBody(1, 1), _public(0));
        _open(_preparedBody(2, 2, 1), _public(0));
        _buy(ALICE, 1, 0, 1, PRICE_WEI);
        _buy(ALICE, 2, 0, 1, PRICE_WEI);
        string memory before = collection.tokenURI(1);

        vm.expectEmit(address(collection));
        emit LivingCollection.LiveURIChanged("https://moved/");
        collection.setLiveURI("https://moved/");

        vm.assertEq(collection.tokenURI(1), before);
        vm.assertEq(collection.tokenURI(2), "https://moved/2.json");
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
        collection.setLiveURI("");
    }

    /// @notice Markets are told to look again by the owner.
    function test_works_are_announced() public {
        vm.expectEmit(address(collection));
        emit IERC4906.BatchMetadataUpdate(3, 5);
        collection.announce(3, 5);

        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
        collection.announce(3, 5);
    }

    /// @notice A royalty is at most a tenth.
    function test_royalties_are_capped(uint96 bps) public {
        if (bps > 1_000) vm.expectRevert(abi.encodeWithSelector(LivingCollection.RoyaltyTooHigh.selector, bps, 1_000));
        collection.setRoyalty(BOB, bps);

        (address receiver, uint256 amount) = collection.royaltyInfo(1, 1 ether);
        vm.assertEq(receiver, bps > 1_000 ? TREASURY : BOB);
        vm.assertEq(amount, 1 ether * (bps > 1_000 ? uint256(500) : bps) / 10_000);
    }

    /// @notice The collection is described by the owner's choice.
    function test_the_contract_uri_changes() public {
        vm.assertEq(collection.contractURI(), "ipfs://collection");
        vm.expectEmit(address(collection));
        emit LivingCollection.ContractURIUpdated();
        collection.setContractURI("ipfs://other");
        vm.assertEq(collection.contractURI(), "ipfs://other");

        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
        collection.setContractURI("");
    }

    /// @notice Ownership is handed over in two steps, and not given up.
    function test_ownership_is_not_renounced() public {
        vm.expectRevert(abi.encodeWithSelector(LivingCollection.OwnershipCannotBeRenounced.selector, address(this)));
        collection.renounceOwnership();

        collection.transferOwnership(ALICE);
        vm.prank(ALICE);
        collection.acceptOwnership();
        vm.assertEq(collection.owner(), ALICE);
    }

    /// @notice The locker is named once and locks; nobody else does.
    function test_the_locker_locks() public {
        _open(_fixedBody(1, 3), _public(0));
        _buy(ALICE, 1, 0, 1, PRICE_WEI);
        vm.expectRevert(abi.encodeWithSelector(LivingCollection.NotTheLocker.selector, address(this)));
        collection.setLocked(1, true);

        collection.setLocker(BOB);
        vm.expectRevert(abi.encodeWithSelector(LivingCollection.LockerAlreadySet.selector, BOB));
        collection.setLocker(ALICE);
        vm.prank(BOB);
        collection.setLocked(1, true);
        vm.assertTrue(collection.locked(1));
        vm.expectRevert(abi.encodeWithSelector(LivingCollection.IsStaked.selector, 1));
        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 1);

        vm.prank(BOB);
        collection.setLocked(1, false);
        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 1);
        vm.assertEq(collection.ownerOf(1), BOB);
    }

    /// @notice It says which interfaces it has.
    function test_interfaces_are_announced() public view {
        bytes4[5] memory known =
            [bytes4(0x01ffc9a7), bytes4(0x80ac58cd), bytes4(0x2a55205a), bytes4(0x49064906), bytes4(0xb45a3c0e)];
        for (uint256 i = 0; i < known.length; ++i) {
            vm.assertTrue(collection.supportsInterface(known[i]));
        }
        vm.assertFalse(collection.supportsInterface(0xffffffff));
    }
}
