// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LivingCollection} from "../LivingCollection.sol";
import {PaintedCollection} from "../onchain/PaintedCollection.sol";
import {Painter} from "../onchain/Painter.sol";
import {Evolution} from "./Evolution.sol";
import {IERC7496} from "./IERC7496.sol";

/// @title A painted collection whose works change by what happens to them
/// @notice Painted works are drawn as the evolution has moved them. Levels are traits that other contracts can read
/// (ERC-7496); nobody sets them.
/// @dev The evolution is named before the first drop is committed, once, so that no work is sold without its law.
/// Levels that change by time, in a pool or by a transfer are told by `Evolution.refresh` only.
contract EvolvingCollection is PaintedCollection, IERC7496 {
    bytes4 private constant ERC7496_INTERFACE_ID = 0xaf332f3e;

    Evolution private _evolution;

    /// @notice From now on works change by this contract's rules, for good.
    event EvolutionSet(address indexed evolution);

    /// @notice The evolution is named once.
    error EvolutionAlreadySet(address evolution);
    /// @notice A drop is committed: its works were promised without this.
    error EvolutionTooLate(uint256 dropCount);
    /// @notice The evolution is that of another collection.
    error NotOfThisCollection(address evolution);
    /// @notice Only the evolution says so.
    error NotTheEvolution(address caller);
    /// @notice Levels are earned, not set.
    error TraitsCannotBeSet(uint256 tokenId, bytes32 traitKey);

    /// @param name_ the collection's name
    /// @param symbol_ its symbol
    /// @param contractURI_ ERC-7572 metadata of the collection
    /// @param liveURI_ where works are described that are not revealed, with a slash at the end
    /// @param treasury_ where withdrawals and royalties go
    /// @param royaltyBps the royalty in basis points, at most MAX_ROYALTY_BPS
    /// @param painter_ what paints the works
    constructor(
        string memory name_,
        string memory symbol_,
        string memory contractURI_,
        string memory liveURI_,
        address treasury_,
        uint96 royaltyBps,
        Painter painter_
    ) PaintedCollection(name_, symbol_, contractURI_, liveURI_, treasury_, royaltyBps, painter_) {}

    /// @notice Name the contract by which works change, once, before the first drop.
    /// @param evolution_ it
    function setEvolution(Evolution evolution_) external onlyOwner {
        if (address(_evolution) != address(0)) revert EvolutionAlreadySet(address(_evolution));
        if (dropCount() > 0) revert EvolutionTooLate(dropCount());
        if (address(evolution_.collection()) != address(this)) revert NotOfThisCollection(address(evolution_));
        _evolution = evolution_;
        emit EvolutionSet(address(evolution_));
        emit TraitMetadataURIUpdated();
    }

    /// @notice Say that traits of a work have these values now; the evolution's right.
    /// @param tokenId the work
    /// @param traitKeys which
    /// @param traitValues what they are
    function moved(uint256 tokenId, bytes32[] calldata traitKeys, bytes32[] calldata traitValues) external {
        _requireEvolution();
        for (uint256 i = 0; i < traitKeys.length; ++i) {
            emit TraitUpdated(traitKeys[i], tokenId, traitValues[i]);
        }
        emit MetadataUpdate(tokenId);
    }

    /// @notice Say that all works may have changed; the evolution's right.
    function movedAll() external {
        _requireEvolution();
        uint256 next = _drops().next.tokenId;
        if (next > 1) emit BatchMetadataUpdate(1, next - 1);
    }

    /// @notice Always refused: levels are earned.
    /// @param tokenId the work
    /// @param traitKey the trait
    function setTrait(uint256 tokenId, bytes32 traitKey, bytes32) external pure {
        revert TraitsCannotBeSet(tokenId, traitKey);
    }

    /// @notice The contract by which works change, or zero.
    function evolution() external view returns (address) {
        return address(_evolution);
    }

    /// @inheritdoc IERC7496
    function getTraitValue(uint256 tokenId, bytes32 traitKey) external view returns (bytes32) {
        bytes32[] memory keys = new bytes32[](1);
        keys[0] = traitKey;
        return _traits(tokenId, keys)[0];
    }

    /// @inheritdoc IERC7496
    function getTraitValues(uint256 tokenId, bytes32[] calldata traitKeys) external view returns (bytes32[] memory) {
        return _traits(tokenId, traitKeys);
    }

    /// @inheritdoc IERC7496
    function getTraitMetadataURI() external view returns (string memory) {
        return address(_evolution) == address(0) ? "" : _evolution.traitMetadataURI();
    }

    /// @inheritdoc LivingCollection
    function supportsInterface(bytes4 interfaceId) public view override(LivingCollection) returns (bool) {
        return interfaceId == ERC7496_INTERFACE_ID || super.supportsInterface(interfaceId);
    }

    /// @inheritdoc PaintedCollection
    function _paint(uint256 tokenId, bytes32 word) internal view override returns (string memory) {
        if (address(_evolution) == address(0)) return super._paint(tokenId, word);
        return _evolution.tokenURI(tokenId, word);
    }

    /// @dev Values of traits; before there is an evolution no trait is known.
    function _traits(uint256 tokenId, bytes32[] memory keys) private view returns (bytes32[] memory values) {
        _requireOwned(tokenId);
        if (address(_evolution) != address(0)) return _evolution.traitsOf(tokenId, keys);
        if (keys.length > 0) revert TraitKeyUnknown(keys[0]);
    }

    function _requireEvolution() private view {
        if (msg.sender != address(_evolution)) revert NotTheEvolution(msg.sender);
    }
}
