// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {DropChain} from "./DropChain.sol";
import {Payouts} from "./Payouts.sol";
import {Auction, Phase, PhaseKind, Phases, Run} from "./Phases.sol";

/// @title Sales in phases
/// @notice A drop is sold in the order of its ids, in phases that are fixed when its sale opens: to everybody, to
/// allow lists, by a falling price, or against a signature. What is paid stays here until the drop is final; of a drop
/// that fails it goes back to whoever holds the works.
/// @dev Minting calls no foreign code but a signer that is a contract, by staticcall. Money leaves by pull only, and
/// each amount is written off before it is sent. Not guaranteed: ether that is forced in without a call stays here.
abstract contract Sale is ERC721, EIP712, DropChain {
    /// @notice Leave to mint, signed by a phase's signer (EIP-712).
    struct Ticket {
        address buyer;
        uint256 dropNumber;
        uint256 phase;
        uint256 quantity;
        uint256 priceWei; // of one work
        uint256 deadline; // seconds since 1970, included
        bytes32 id; // used once
    }

    /// @dev One slot: all that a mint has to read and write of its drop.
    struct Lot {
        uint64 firstTokenId;
        uint32 count;
        uint32 minted;
        uint8 phases;
        uint8 priced; // the phase whose list price the last work cost, or OWN_PRICE
        Kind kind;
        bool isPaused;
        uint96 proceedsWei; // paid, not withdrawn, and not in an auction that is not settled
    }

    /// @dev One slot.
    struct Bought {
        uint32 quantity;
        uint96 paidWei; // auctions only
    }

    /// @dev What is kept of all sales.
    struct Shop {
        uint128 opened; // sales, in the order of the drops
        uint128 burnt; // works that were given back
        mapping(uint256 dropNumber => Lot) lots;
        mapping(uint256 dropNumber => mapping(uint256 phase => Phase)) phases;
        mapping(uint256 dropNumber => Run[]) runs;
        mapping(uint256 dropNumber => mapping(uint256 phase => Auction)) auctions;
        mapping(uint256 dropNumber => mapping(uint256 phase => mapping(address wallet => Bought))) bought;
        mapping(bytes32 ticketId => bool) usedTickets;
    }

    uint8 private constant OWN_PRICE = type(uint8).max;
    bytes32 private constant TICKET_TYPE = keccak256(
        "Ticket(address buyer,uint256 dropNumber,uint256 phase,uint256 quantity,uint256 priceWei,uint256 deadline,bytes32 id)"
    );

    address private _treasury;
    Shop private _shop;

    /// @notice From here on nothing of the drop or its phases changes.
    event SaleOpened(uint256 indexed dropNumber, Phase[] phases, uint256 finalBy);
    /// @notice The sale is held, or goes on.
    event SalePaused(uint256 indexed dropNumber, bool isPaused);
    /// @notice The works that this transaction minted last were bought in this phase for `paidWei` in all.
    event Sold(uint256 indexed dropNumber, uint256 phase, uint256 paidWei);
    /// @notice An auction is over: all its works cost the last price.
    event AuctionSettled(uint256 indexed dropNumber, uint256 phase, uint256 priceWei, uint256 sold);
    /// @notice `amount` wei went back to a buyer.
    event Refunded(uint256 indexed dropNumber, address indexed buyer, uint256 amount);
    /// @notice Later withdrawals go to `treasury`.
    event TreasuryChanged(address indexed treasury);
    /// @notice `amount` wei of a drop went to `treasury`.
    event Withdrawn(uint256 indexed dropNumber, address indexed treasury, uint256 amount);

    /// @notice Sales open in the order of the drops, each once.
    error SaleOutOfOrder(uint256 dropNumber, uint256 expected);
    /// @notice The drop's sale is not open.
    error SaleNotOpen(uint256 dropNumber);
    /// @notice The sale is held.
    error SaleIsPaused(uint256 dropNumber);
    /// @notice No phase has this number, or it sells in another way.
    error WrongPhase(uint256 phase);
    /// @notice The phase has not begun or is over.
    error PhaseNotRunning(uint256 phase, uint256 start, uint256 end);
    /// @notice A quantity is zero or above the cap of one transaction.
    error QuantityOutOfRange(uint256 quantity, uint256 maxPerTransaction);
    /// @notice A wallet would have more of a phase than it may.
    error WalletCapReached(uint256 has, uint256 wants, uint256 cap);
    /// @notice Fewer works are left than were asked for.
    error NotEnoughLeft(uint256 quantity, uint256 remaining);
    /// @notice The payment is not the price; of an auction, less than the price.
    error WrongPayment(uint256 sent, uint256 due);
    /// @notice The wallet is not on the list with these terms.
    error NotListed(address wallet);
    /// @notice The ticket is for somebody or something else, too late, or too cheap.
    error BadTicket(bytes32 id);
    /// @notice The ticket was used.
    error TicketUsed(bytes32 id);
    /// @notice Not signed by the phase's signer.
    error WrongSignature(bytes32 id);
    /// @notice The auction can still sell.
    error AuctionGoesOn(uint256 dropNumber, uint256 phase);
    /// @notice The auction was settled.
    error AlreadySettled(uint256 dropNumber, uint256 phase);
    /// @notice Nothing is owed.
    error NothingOwed(address wallet);
    /// @notice The drop has not failed.
    error NotFailed(uint256 dropNumber);
    /// @notice The drop is not final, so its buyers may still have to be paid back.
    error NotFinal(uint256 dropNumber);
    /// @notice The work belongs to somebody else, or to another drop.
    error NotYours(uint256 tokenId);
    /// @notice Funds cannot go to this address.
    error InvalidTreasury(address treasury);

    constructor(address treasury_) {
        _setTreasury(treasury_);
    }

    /// @notice Open a drop's sale, once: from here on neither the drop nor its phases can be changed.
    /// @dev After its reveal block the owner, who has the secret, could know the works before the terms. A drop that is
    /// late can only be passed over, without phases: it sells nothing, and the next one can open.
    /// @param dropNumber the drop; sales open in their order
    /// @param drop its body
    /// @param phases whom it is sold to, when and for how much; they may overlap
    /// @param finalBy seconds since 1970: if the works are not final then, buyers get their money back
    function openSale(uint256 dropNumber, Drop calldata drop, Phase[] calldata phases, uint40 finalBy)
        external
        onlyOwner
    {
        Phases.open(_drops(), _shop, dropNumber, drop, phases, finalBy);
    }

    /// @notice Hold a sale, or let it go on. Nothing else waits: no refund, no withdrawal, no transfer.
    /// @param dropNumber the drop
    /// @param isPaused whether it is held
    function pauseSale(uint256 dropNumber, bool isPaused) external onlyOwner {
        _lot(dropNumber).isPaused = isPaused;
        emit SalePaused(dropNumber, isPaused);
    }

    /// @notice Buy the next works of a drop in a public phase for exactly their price, or in an auction for the price
    /// of the moment or more; what is above the last price of an auction comes back by `claimRefund`.
    /// @dev `_mint`, not `_safeMint`: the receiver is the caller, who asked for the works, and without the callback
    /// no foreign code runs here. A contract that calls this must be able to move ERC-721 tokens itself.
    /// @param dropNumber the drop
    /// @param phase one of its phases, from 0
    /// @param quantity how many works, from 1 to the phase's cap
    function mint(uint256 dropNumber, uint256 phase, uint256 quantity) external payable {
        (Lot storage lot, Phase storage terms) = _running(dropNumber, phase, quantity);
        (uint256 priceWei, uint256 walletCap, PhaseKind kind) = (terms.priceWei, terms.maxPerWallet, terms.kind);
        bool isAuction = kind == PhaseKind.Auction;
        if (isAuction) priceWei = Phases.priceAt(terms, block.timestamp);
        else if (kind != PhaseKind.Public) revert WrongPhase(phase);
        _sell(lot, dropNumber, phase, quantity, priceWei, walletCap, phase, isAuction);
    }

    /// @notice Buy with a place on an allow list.
    /// @param dropNumber the drop
    /// @param phase one of its phases, from 0
    /// @param quantity how many works
    /// @param maxQuantity how many the list lets the caller have in this phase
    /// @param priceWei what the list asks of the caller for one work
    /// @param proof from the leaf (wallet, maxQuantity, priceWei) to the root, as OpenZeppelin's standard tree has it
    function mintListed(
        uint256 dropNumber,
        uint256 phase,
        uint256 quantity,
        uint256 maxQuantity,
        uint256 priceWei,
        bytes32[] calldata proof
    ) external payable {
        (Lot storage lot, Phase storage terms) = _running(dropNumber, phase, quantity);
        (uint256 listWei, PhaseKind kind) = (terms.priceWei, terms.kind);
        if (kind != PhaseKind.Listed) revert WrongPhase(phase);
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(msg.sender, maxQuantity, priceWei))));
        if (maxQuantity == 0 || !MerkleProof.verifyCalldata(proof, terms.terms, leaf)) revert NotListed(msg.sender);
        uint256 priced = priceWei == listWei ? phase : OWN_PRICE;
        _sell(lot, dropNumber, phase, quantity, priceWei, maxQuantity, priced, false);
    }

    /// @notice Buy with a signed ticket, which is used once and as a whole.
    /// @param ticket what was signed
    /// @param signature of the phase's signer, an account or a contract (ERC-1271)
    function mintSigned(Ticket calldata ticket, bytes calldata signature) external payable {
        (Lot storage lot, Phase storage terms) = _running(ticket.dropNumber, ticket.phase, ticket.quantity);
        if (terms.kind != PhaseKind.Signed) revert WrongPhase(ticket.phase);
        if (ticket.buyer != msg.sender || block.timestamp > ticket.deadline || ticket.priceWei < terms.priceWei) {
            revert BadTicket(ticket.id);
        }
        if (_shop.usedTickets[ticket.id]) revert TicketUsed(ticket.id);
        _shop.usedTickets[ticket.id] = true;
        address signer = address(uint160(uint256(terms.terms)));
        if (!SignatureChecker.isValidSignatureNow(signer, ticketDigest(ticket), signature)) {
            revert WrongSignature(ticket.id);
        }
        uint256 priced = ticket.priceWei == terms.priceWei ? ticket.phase : OWN_PRICE;
        _sell(lot, ticket.dropNumber, ticket.phase, ticket.quantity, ticket.priceWei, terms.maxPerWallet, priced, false);
    }

    /// @notice Close an auction that is over; anybody may. All its works then cost the last price.
    /// @param dropNumber the drop
    /// @param phase the auction
    function settle(uint256 dropNumber, uint256 phase) external {
        if (phase >= _lot(dropNumber).phases) revert WrongPhase(phase);
        Payouts.settle(_shop, dropNumber, phase);
    }

    /// @notice Get back what was paid above an auction's last price.
    /// @param dropNumber the drop
    /// @param phase the auction
    function claimRefund(uint256 dropNumber, uint256 phase) external {
        Address.sendValue(payable(msg.sender), Payouts.claim(_shop, dropNumber, phase));
    }

    /// @notice Give works of a failed drop back for what they cost. They are burnt.
    /// @param dropNumber the drop
    /// @param tokenIds works of the caller
    function refund(uint256 dropNumber, uint256[] calldata tokenIds) external {
        if (!_fate(dropNumber).hasFailed) revert NotFailed(dropNumber);
        uint256 total = Payouts.refund(_shop, dropNumber, tokenIds);
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            if (_ownerOf(tokenIds[i]) != msg.sender) revert NotYours(tokenIds[i]);
            _burn(tokenIds[i]);
        }
        Address.sendValue(payable(msg.sender), total);
    }

    /// @notice Send what a final drop has earned to the treasury.
    /// @param dropNumber the drop
    function withdraw(uint256 dropNumber) external onlyOwner {
        if (!_fate(dropNumber).isFinal) revert NotFinal(dropNumber);
        Lot storage lot = _lot(dropNumber);
        uint256 amount = lot.proceedsWei;
        lot.proceedsWei = 0;
        address receiver = _treasury;
        emit Withdrawn(dropNumber, receiver, amount);
        Address.sendValue(payable(receiver), amount);
    }

    /// @notice Name where later withdrawals go.
    /// @param treasury_ any address but zero and this contract
    function setTreasury(address treasury_) external onlyOwner {
        _setTreasury(treasury_);
    }

    /// @notice Where withdrawals go.
    function treasury() external view returns (address) {
        return _treasury;
    }

    /// @notice How many works exist: minted, and not given back.
    function totalSupply() external view returns (uint256 supply) {
        for (uint256 n = 1; n <= _shop.opened; ++n) {
            supply += _shop.lots[n].minted;
        }
        supply -= _shop.burnt;
    }

    /// @notice What a drop sells, and how far it got.
    /// @param dropNumber the drop
    function lotOf(uint256 dropNumber) external view returns (Lot memory) {
        return _lot(dropNumber);
    }

    /// @notice All phases of a drop's sale.
    /// @param dropNumber the drop
    function phasesOf(uint256 dropNumber) external view returns (Phase[] memory phases) {
        phases = new Phase[](_lot(dropNumber).phases);
        for (uint256 i = 0; i < phases.length; ++i) {
            phases[i] = _shop.phases[dropNumber][i];
        }
    }

    /// @notice How an auction stands.
    /// @param dropNumber the drop
    /// @param phase the auction
    function auctionOf(uint256 dropNumber, uint256 phase) external view returns (Auction memory) {
        return _shop.auctions[dropNumber][phase];
    }

    /// @notice What a wallet has bought in a phase that counts it.
    /// @param dropNumber the drop
    /// @param phase the phase
    /// @param wallet the buyer
    function boughtBy(uint256 dropNumber, uint256 phase, address wallet) external view returns (Bought memory) {
        return _shop.bought[dropNumber][phase][wallet];
    }

    /// @notice What a signer signs (EIP-712).
    /// @param ticket the ticket
    function ticketDigest(Ticket calldata ticket) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(TICKET_TYPE, ticket)));
    }

    /// @dev The last drop whose first id is not above the id; ranges touch, so it is the one.
    function _dropOf(uint256 tokenId) internal view returns (uint256) {
        uint256 low = 1;
        uint256 high = _shop.opened;
        while (low < high) {
            uint256 middle = (low + high + 1) / 2;
            if (_shop.lots[middle].firstTokenId <= tokenId) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    /// @dev A drop whose sale was opened.
    function _lot(uint256 dropNumber) internal view returns (Lot storage lot) {
        lot = _shop.lots[dropNumber];
        if (lot.count == 0) revert SaleNotOpen(dropNumber);
    }

    /// @inheritdoc DropChain
    function _isLeft(uint256 dropNumber) internal view override returns (bool) {
        Lot storage lot = _shop.lots[dropNumber];
        return lot.minted < lot.count;
    }

    /// @dev A drop and one of its phases that sells now. Here and below, what is needed of a slot is read at once: a
    /// slot that is read again costs 100 gas, a copy of it in memory several hundred.
    function _running(uint256 dropNumber, uint256 phase, uint256 quantity)
        private
        view
        returns (Lot storage lot, Phase storage terms)
    {
        lot = _shop.lots[dropNumber];
        (uint256 phases, bool isPaused) = (lot.phases, lot.isPaused);
        if (phases == 0) revert SaleNotOpen(dropNumber);
        if (phase >= phases) revert WrongPhase(phase);
        if (isPaused) revert SaleIsPaused(dropNumber);
        terms = _shop.phases[dropNumber][phase];
        (uint256 start, uint256 end, uint256 most) = (terms.start, terms.end, terms.maxPerTransaction);
        if (block.timestamp < start || block.timestamp >= end) revert PhaseNotRunning(phase, start, end);
        if (quantity == 0 || quantity > most) revert QuantityOutOfRange(quantity, most);
    }

    function _sell(
        Lot storage lot,
        uint256 dropNumber,
        uint256 phase,
        uint256 quantity,
        uint256 priceWei,
        uint256 walletCap,
        uint256 priced,
        bool isAuction
    ) private {
        uint256 tokenId = _take(lot, quantity, quantity * priceWei, isAuction);
        if (walletCap != 0 || isAuction) _count(dropNumber, phase, quantity, walletCap);
        if (isAuction) _bid(dropNumber, phase, quantity, priceWei);
        (Kind kind, uint256 before) = (lot.kind, lot.priced);
        if (kind != Kind.Fixed && (priced != before || priced == OWN_PRICE)) {
            // Casts lose nothing: an id has 64 bits, a price that was paid 96, and a sale has 16 phases at most.
            _shop.runs[dropNumber].push(Run(uint64(tokenId), uint96(priceWei), uint8(phase), isAuction));
            lot.priced = uint8(priced);
        }
        for (uint256 end = tokenId + quantity; tokenId < end; ++tokenId) {
            _mint(msg.sender, tokenId);
        }
        emit Sold(dropNumber, phase, msg.value);
    }

    /// @dev The next works of a drop, paid for; answers the first one's id.
    function _take(Lot storage lot, uint256 quantity, uint256 due, bool isAuction) private returns (uint256) {
        (uint256 first, uint256 count, uint256 minted, uint256 proceedsWei) =
            (lot.firstTokenId, lot.count, lot.minted, lot.proceedsWei);
        // No overflow and no loss: a quantity has 16 bits, count 32, an id 64, and all ether there is fewer than 96.
        unchecked {
            if (minted + quantity > count) revert NotEnoughLeft(quantity, count - minted);
            if (isAuction ? msg.value < due : msg.value != due) revert WrongPayment(msg.value, due);
            if (!isAuction) proceedsWei += due;
            (lot.minted, lot.proceedsWei) = (uint32(minted + quantity), uint96(proceedsWei));
            return first + minted;
        }
    }

    /// @dev What a wallet has of a phase with a cap, or of an auction.
    function _count(uint256 dropNumber, uint256 phase, uint256 quantity, uint256 walletCap) private {
        Bought storage bought = _shop.bought[dropNumber][phase][msg.sender];
        uint256 has = bought.quantity;
        if (walletCap != 0 && has + quantity > walletCap) revert WalletCapReached(has, quantity, walletCap);
        bought.quantity = uint32(has + quantity); // loses nothing: it has no more than a drop's count
    }

    /// @dev What an auction has taken, and from whom.
    function _bid(uint256 dropNumber, uint256 phase, uint256 quantity, uint256 priceWei) private {
        Auction storage auction = _shop.auctions[dropNumber][phase];
        // No overflow and no loss: all ether there is has fewer than 96 bits, and a drop's count 32.
        unchecked {
            _shop.bought[dropNumber][phase][msg.sender].paidWei += uint96(msg.value);
            auction.lastPriceWei = uint96(priceWei);
            auction.sold += uint32(quantity);
            auction.paidWei += uint96(msg.value);
        }
    }

    function _setTreasury(address treasury_) private {
        if (treasury_ == address(0) || treasury_ == address(this)) revert InvalidTreasury(treasury_);
        _treasury = treasury_;
        emit TreasuryChanged(treasury_);
    }
}
