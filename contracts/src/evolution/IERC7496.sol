// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ERC-7496: traits that change, readable in the chain
/// @dev The id of the interface is 0xaf332f3e.
interface IERC7496 {
    /// @notice A trait of a work has this value now.
    event TraitUpdated(bytes32 indexed traitKey, uint256 tokenId, bytes32 traitValue);
    /// @notice A trait of works from one id to another, both included, has other values now.
    event TraitUpdatedRange(bytes32 indexed traitKey, uint256 fromTokenId, uint256 toTokenId);
    /// @notice A trait of works from one id to another, both included, has this value now.
    event TraitUpdatedRangeUniformValue(
        bytes32 indexed traitKey, uint256 fromTokenId, uint256 toTokenId, bytes32 traitValue
    );
    /// @notice A trait of these works has other values now.
    event TraitUpdatedList(bytes32 indexed traitKey, uint256[] tokenIds);
    /// @notice A trait of these works has this value now.
    event TraitUpdatedListUniformValue(bytes32 indexed traitKey, uint256[] tokenIds, bytes32 traitValue);
    /// @notice What says which traits there are changed.
    event TraitMetadataURIUpdated();

    /// @notice No trait has this key.
    error TraitKeyUnknown(bytes32 traitKey);

    /// @notice What a trait of a work is now.
    /// @param tokenId the work
    /// @param traitKey keccak256 of the trait's name
    function getTraitValue(uint256 tokenId, bytes32 traitKey) external view returns (bytes32 traitValue);

    /// @notice What traits of a work are now.
    /// @param tokenId the work
    /// @param traitKeys keccak256 of each trait's name
    function getTraitValues(uint256 tokenId, bytes32[] calldata traitKeys)
        external
        view
        returns (bytes32[] memory traitValues);

    /// @notice Which traits there are, as JSON.
    function getTraitMetadataURI() external view returns (string memory uri);

    /// @notice Change a trait, where that is possible.
    /// @param tokenId the work
    /// @param traitKey keccak256 of the trait's name
    /// @param newValue what it is to be
    function setTrait(uint256 tokenId, bytes32 traitKey, bytes32 newValue) external;
}
