// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Auction, Phase, PhaseKind, Phases, Run} from "./Phases.sol";
import {Sale} from "./Sale.sol";

/// @title What goes back to buyers
/// @notice Deployed once and linked: the collection alone would be larger than a contract may be. Nothing is sent from
/// here: amounts are written off, and the collection sends them.
library Payouts {
    /// @notice See `Sale.settle`.
    /// @param shop what is kept of all sales
    /// @param dropNumber the drop
    /// @param phase one of its phases
    function settle(Sale.Shop storage shop, uint256 dropNumber, uint256 phase) external {
        Phase storage terms = shop.phases[dropNumber][phase];
        if (terms.kind != PhaseKind.Auction) revert Sale.WrongPhase(phase);
        Auction storage auction = shop.auctions[dropNumber][phase];
        if (auction.isSettled) revert Sale.AlreadySettled(dropNumber, phase);
        Sale.Lot storage lot = shop.lots[dropNumber];
        if (block.timestamp < terms.end && lot.minted < lot.count) revert Sale.AuctionGoesOn(dropNumber, phase);
        auction.isSettled = true;
        lot.proceedsWei += SafeCast.toUint96(uint256(auction.lastPriceWei) * auction.sold);
        emit Sale.AuctionSettled(dropNumber, phase, auction.lastPriceWei, auction.sold);
    }

    /// @notice Write off what the caller paid above an auction's last price.
    /// @param shop what is kept of all sales
    /// @param dropNumber the drop
    /// @param phase the auction
    /// @return owed wei, to be sent to the caller
    function claim(Sale.Shop storage shop, uint256 dropNumber, uint256 phase) external returns (uint256 owed) {
        Auction memory auction = shop.auctions[dropNumber][phase];
        if (!auction.isSettled) revert Phases.NotSettled(dropNumber, phase);
        Sale.Bought storage bought = shop.bought[dropNumber][phase][msg.sender];
        uint256 cost = uint256(auction.lastPriceWei) * bought.quantity;
        owed = bought.paidWei - cost;
        if (owed == 0) revert Sale.NothingOwed(msg.sender);
        bought.paidWei = SafeCast.toUint96(cost);
        emit Sale.Refunded(dropNumber, msg.sender, owed);
    }

    /// @notice Write off what works of a failed drop cost. That they are the caller's, each once, the collection checks
    /// as it burns them.
    /// @param shop what is kept of all sales
    /// @param dropNumber the drop
    /// @param tokenIds the works
    /// @return total wei, to be sent to the caller
    function refund(Sale.Shop storage shop, uint256 dropNumber, uint256[] calldata tokenIds)
        external
        returns (uint256 total)
    {
        Sale.Lot storage lot = shop.lots[dropNumber];
        uint256 first = lot.firstTokenId;
        uint256 minted = lot.minted;
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            uint256 tokenId = tokenIds[i];
            if (tokenId < first || tokenId >= first + minted) revert Sale.NotYours(tokenId);
            total += _cost(shop, dropNumber, tokenId);
        }
        shop.burnt += SafeCast.toUint128(tokenIds.length);
        lot.proceedsWei -= SafeCast.toUint96(total);
        emit Sale.Refunded(dropNumber, msg.sender, total);
    }

    /// @dev What a work cost: by the last run that does not begin after it, or by the first phase.
    function _cost(Sale.Shop storage shop, uint256 dropNumber, uint256 tokenId) private view returns (uint256) {
        Run[] storage runs = shop.runs[dropNumber];
        uint256 low = 0;
        uint256 high = runs.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (runs[middle].firstTokenId <= tokenId) low = middle + 1;
            else high = middle;
        }
        Phase storage first = shop.phases[dropNumber][0];
        Run memory run = low == 0 ? Run(0, first.priceWei, 0, first.kind == PhaseKind.Auction) : runs[low - 1];
        if (!run.isAuction) return run.priceWei;
        Auction memory auction = shop.auctions[dropNumber][run.phase];
        if (!auction.isSettled) revert Phases.NotSettled(dropNumber, run.phase);
        return auction.lastPriceWei;
    }
}
