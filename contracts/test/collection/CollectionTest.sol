// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {MorphoraCollection} from "../../src/MorphoraCollection.sol";
import {vm} from "../Cheats.sol";

/// @title A collection that belongs to the test, and two wallets that buy from it
abstract contract CollectionTest {
    address internal constant ALICE = address(0xA11CE);
    address internal constant BOB = address(0xB0B);
    address internal constant TREASURY = address(0x7EA5);

    uint96 internal constant PRICE_WEI = 0.01 ether;
    string internal constant BASE_URI = "ipfs://root/metadata/";

    MorphoraCollection internal collection;

    /// @notice A new collection, its owner is the test, without drops.
    function setUp() public virtual {
        collection = new MorphoraCollection("Portraits", "PORTRAIT", "ipfs://collection", TREASURY, 500);
    }

    /// @dev A drop whose hashes are all different.
    function _body(uint256 firstTokenId, uint256 count) internal pure returns (MorphoraCollection.Drop memory) {
        return MorphoraCollection.Drop({
            metadataRoot: _hash(firstTokenId, 0),
            imageRoot: _hash(firstTokenId, 1),
            provenance: _hash(firstTokenId, 2),
            checkpointHash: _hash(firstTokenId, 3),
            codeHash: _hash(firstTokenId, 4),
            paramsHash: _hash(firstTokenId, 5),
            parentParamsHash: _hash(firstTokenId, 6),
            voteTallyRoot: _hash(firstTokenId, 7),
            curationLogRoot: _hash(firstTokenId, 8),
            seedCommit: _hash(firstTokenId, 9),
            firstTokenId: firstTokenId,
            count: count
        });
    }

    /// @dev Commit the next drop.
    function _commit(uint256 firstTokenId, uint256 count) internal returns (uint256 dropNumber) {
        return collection.commitDrop(_body(firstTokenId, count), BASE_URI);
    }

    /// @dev The first drop, `count` works, on sale at PRICE_WEI, at most `cap` a transaction.
    function _onSale(uint256 count, uint256 cap) internal {
        _commit(1, count);
        collection.openSale(1, PRICE_WEI, cap);
    }

    /// @dev `wallet` buys from a drop at PRICE_WEI.
    function _mint(address wallet, uint256 dropNumber, uint256 quantity) internal {
        vm.deal(wallet, quantity * PRICE_WEI);
        vm.prank(wallet);
        collection.mint{value: quantity * PRICE_WEI}(dropNumber, quantity);
    }

    /// @dev The next call is a stranger's, and is refused because it is not the owner's.
    function _refusesStranger() internal {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
    }

    function _hash(uint256 salt, uint256 place) private pure returns (bytes32) {
        return keccak256(abi.encode(salt, place));
    }
}
