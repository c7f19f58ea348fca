// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LivingCollection} from "../LivingCollection.sol";
import {Painter} from "./Painter.sol";

/// @title A living collection whose revealed works are painted inside the chain
/// @notice A work of a drop that is drawn on the fly has its picture and metadata from the painter once the drop's
/// secret is told, and needs no server from then on. Other works are where a living collection has them.
/// @dev Sealing such a drop still makes it final; its works do not change by it.
contract PaintedCollection is LivingCollection {
    /// @notice What paints the works, for good.
    Painter public immutable painter;

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
    ) LivingCollection(name_, symbol_, contractURI_, liveURI_, treasury_, royaltyBps) {
        painter = painter_;
    }

    /// @inheritdoc LivingCollection
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        uint256 dropNumber = dropOf(tokenId);
        if (!_isPainted(dropNumber)) return super.tokenURI(tokenId);
        return _paint(tokenId, _wordOf(dropNumber, tokenId));
    }

    /// @notice What a painted work follows from: the seed of its token, the same that the site draws it from.
    /// @param tokenId the work
    function wordOf(uint256 tokenId) external view returns (bytes32) {
        uint256 dropNumber = dropOf(tokenId);
        if (!_isPainted(dropNumber)) revert NotRevealed(dropNumber);
        return _wordOf(dropNumber, tokenId);
    }

    /// @dev Picture and metadata of a painted work.
    function _paint(uint256 tokenId, bytes32 word) internal view virtual returns (string memory) {
        return painter.tokenURI(tokenId, word);
    }

    /// @dev keccak256(abi.encode(chain, contract, drop, drop's seed, token)).
    function _wordOf(uint256 dropNumber, uint256 tokenId) private view returns (bytes32) {
        bytes32 seed = _drops().seeds[dropNumber];
        return keccak256(abi.encode(block.chainid, address(this), dropNumber, seed, tokenId));
    }

    /// @dev Whether a drop is drawn on the fly and its secret was told.
    function _isPainted(uint256 dropNumber) private view returns (bool) {
        Fate storage fate = _fate(dropNumber);
        return fate.kind == Kind.OnTheFly && fate.isRevealed;
    }
}
