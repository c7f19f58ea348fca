// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LivingCollection} from "../../src/LivingCollection.sol";
import {DropChain} from "../../src/collection/DropChain.sol";
import {Phase, PhaseKind} from "../../src/collection/Phases.sol";
import {vm} from "../Cheats.sol";

/// @title A living collection that belongs to the test, at block 1,000 and second 1,000,000
abstract contract LivingTest {
    address internal constant ALICE = address(0xA11CE);
    address internal constant BOB = address(0xB0B);
    address internal constant TREASURY = address(0x7EA5);

    uint96 internal constant PRICE_WEI = 0.01 ether;
    bytes32 internal constant SECRET = keccak256("secret");
    uint40 internal constant START = 1_000_000;
    uint40 internal constant END = 2_000_000;
    uint40 internal constant FINAL_BY = 3_000_000;
    uint256 internal constant REVEAL_BLOCK = 1_100;

    LivingCollection internal collection;

    /// @notice A new collection without drops.
    function setUp() public virtual {
        vm.warp(START);
        vm.roll(1_000);
        collection = _deploy();
    }

    /// @dev The collection under test.
    function _deploy() internal virtual returns (LivingCollection) {
        return new LivingCollection("Portraits", "PORTRAIT", "ipfs://collection", "https://live/", TREASURY, 500);
    }

    /// @dev A fixed drop: its works are known, and there is nothing to reveal.
    function _fixedBody(uint256 firstTokenId, uint256 count) internal pure returns (DropChain.Drop memory drop) {
        drop.metadataRoot = keccak256(abi.encode(firstTokenId, "metadata"));
        drop.imageRoot = keccak256(abi.encode(firstTokenId, "images"));
        drop.folder = keccak256(abi.encode(firstTokenId, "folder"));
        drop.provenance = keccak256(abi.encode(firstTokenId, "provenance"));
        drop.checkpointHash = keccak256("checkpoint");
        drop.codeHash = keccak256("code");
        drop.paramsHash = keccak256("parameters");
        drop.curationLogRoot = keccak256("log");
        drop.firstTokenId = firstTokenId;
        drop.count = count;
    }

    /// @dev A prepared drop, the `dropNumber`-th.
    function _preparedBody(uint256 dropNumber, uint256 firstTokenId, uint256 count)
        internal
        pure
        returns (DropChain.Drop memory drop)
    {
        drop = _fixedBody(firstTokenId, count);
        drop.seedCommit = keccak256(abi.encode(SECRET, dropNumber));
        drop.revealBlock = REVEAL_BLOCK;
    }

    /// @dev A drop that is drawn on the fly.
    function _liveBody(uint256 dropNumber, uint256 firstTokenId, uint256 count)
        internal
        pure
        returns (DropChain.Drop memory drop)
    {
        drop = _preparedBody(dropNumber, firstTokenId, count);
        (drop.metadataRoot, drop.imageRoot, drop.folder, drop.provenance) = (0, 0, 0, 0);
    }

    /// @dev To everybody, without a cap of a wallet.
    function _public(uint16 walletCap) internal pure returns (Phase memory) {
        return Phase(PRICE_WEI, START, END, 20, walletCap, PhaseKind.Public, 0);
    }

    /// @dev From PRICE_WEI down to a tenth of it, a tenth every 100 seconds.
    function _auction() internal pure returns (Phase memory) {
        uint256 terms = uint256(PRICE_WEI / 10) << 128 | uint256(PRICE_WEI / 10) << 32 | 100;
        return Phase(PRICE_WEI, START, END, 20, 0, PhaseKind.Auction, bytes32(terms));
    }

    /// @dev Commit a drop as the next one and open its sale.
    function _open(DropChain.Drop memory drop, Phase memory phase) internal returns (uint256 dropNumber) {
        Phase[] memory phases = new Phase[](1);
        phases[0] = phase;
        return _open(drop, phases);
    }

    /// @dev Commit a drop as the next one and open its sale.
    function _open(DropChain.Drop memory drop, Phase[] memory phases) internal returns (uint256 dropNumber) {
        dropNumber = collection.commitDrop(drop);
        collection.openSale(dropNumber, drop, phases, FINAL_BY);
    }

    /// @dev A wallet buys in a phase for so much in all.
    function _buy(address wallet, uint256 dropNumber, uint256 phase, uint256 quantity, uint256 paidWei) internal {
        vm.deal(wallet, paidWei);
        vm.prank(wallet);
        collection.mint{value: paidWei}(dropNumber, phase, quantity);
    }

    /// @dev Keep the hash of the reveal block, after the sale.
    function _capture(uint256 dropNumber) internal {
        vm.warp(END);
        vm.roll(REVEAL_BLOCK + 1);
        collection.capture(dropNumber);
    }

    /// @dev One id in a list.
    function _only(uint256 tokenId) internal pure returns (uint256[] memory ids) {
        ids = new uint256[](1);
        ids[0] = tokenId;
    }
}
