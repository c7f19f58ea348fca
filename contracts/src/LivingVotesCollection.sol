// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Votes} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Votes.sol";
import {LivingCollection} from "./LivingCollection.sol";

/// @title A living collection whose works vote
/// @notice Each work is one vote, once its owner has delegated it, to themselves or another. A mint costs about 36,000
/// gas more, of a wallet that has delegated about 69,000. Clock: block numbers.
contract LivingVotesCollection is LivingCollection, ERC721Votes {
    /// @param name_ the collection's name
    /// @param symbol_ its symbol
    /// @param contractURI_ ERC-7572 metadata of the collection
    /// @param liveURI_ where works are described that are not final, with a slash at the end
    /// @param treasury_ where withdrawals and royalties go
    /// @param royaltyBps the royalty in basis points, at most MAX_ROYALTY_BPS
    constructor(
        string memory name_,
        string memory symbol_,
        string memory contractURI_,
        string memory liveURI_,
        address treasury_,
        uint96 royaltyBps
    ) LivingCollection(name_, symbol_, contractURI_, liveURI_, treasury_, royaltyBps) {}

    /// @inheritdoc ERC721
    function tokenURI(uint256 tokenId) public view override(ERC721, LivingCollection) returns (string memory) {
        return super.tokenURI(tokenId);
    }

    /// @inheritdoc LivingCollection
    function supportsInterface(bytes4 interfaceId) public view override(ERC721, LivingCollection) returns (bool) {
        return super.supportsInterface(interfaceId);
    }

    function _update(address to, uint256 tokenId, address auth)
        internal
        override(LivingCollection, ERC721Votes)
        returns (address)
    {
        return super._update(to, tokenId, auth);
    }

    function _increaseBalance(address account, uint128 amount) internal override(ERC721, ERC721Votes) {
        super._increaseBalance(account, amount);
    }
}
