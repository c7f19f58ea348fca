// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {vm} from "../Cheats.sol";
import {CollectionTest} from "./CollectionTest.sol";

/// @title What each operation costs whoever sends it
/// @notice forge.mjs runs this with every call as a transaction of its own, so all is paid for that a transaction pays
/// for: the 21,000 at its start, its input, and storage that nobody has touched in it yet.
contract CollectionGasTest is CollectionTest {
    string private constant GROUP = "MorphoraCollection";

    /// @dev As long as the address of a folder on IPFS is: a drop pays for each 32 bytes of it.
    string private constant FILES = "ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi/metadata/";
    string private constant MOVED = "ipfs://bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku/metadata/";

    /// @notice Drops, the first and one after it; opening the sale of one.
    function test_drops() public {
        collection.commitDrop(_body(1, 100), FILES);
        _note("commit a drop, the first");

        collection.commitDrop(_body(101, 100), FILES);
        _note("commit a drop, a later one");

        collection.openSale(1, PRICE_WEI, 20);
        _note("open a sale");

        collection.setBaseURI(2, MOVED);
        _note("move the files of a drop");
    }

    /// @notice Mints, with somebody before who paid for the drop's and the collection's first.
    function test_mints() public {
        _onSale(100, 20);
        _mint(address(this), 1, 1);
        _note("mint 1, the first work of a drop");

        _mint(ALICE, 1, 1);
        _note("mint 1, the first of a wallet");

        _mint(ALICE, 1, 1);
        _note("mint 1, a later one of a wallet");

        _mint(BOB, 1, 5);
        _note("mint 5, the first of a wallet");

        _mint(ALICE, 1, 20);
        _note("mint 20, later ones of a wallet");
    }

    /// @notice Works that change hands.
    function test_transfers() public {
        _onSale(100, 20);
        _mint(ALICE, 1, 3);

        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 1);
        _note("transfer to a wallet that has none");

        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 2);
        _note("transfer to a wallet that has some");
    }

    /// @notice Withdrawals, to a treasury that exists: one that never held anything costs 25,000 more.
    function test_withdrawals() public {
        _onSale(100, 20);
        _mint(ALICE, 1, 1);
        vm.deal(TREASURY, 1);

        collection.withdraw();
        _note("withdraw");
    }

    function _note(string memory operation) private {
        vm.snapshotGasLastCall(GROUP, operation);
    }
}
