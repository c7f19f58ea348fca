// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {DropChain} from "./DropChain.sol";
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

    uint8 private constant OWN_PRICE = type(uint8).max;
    bytes32 private constant TICKET_TYPE = keccak256(
        "Ticket(address buyer,uint256 dropNumber,uint256 phase,uint256 quantity,uint256 priceWei,uint256 deadline,bytes32 id)"
    );

    address private _treasury;
    uint256 private _burnt;
    uint256 private _opened;
    mapping(uint256 dropNumber => Lot) private _lots;
    mapping(uint256 dropNumber => mapping(uint256 phase => Phase)) private _phases;
    mapping(uint256 dropNumber => Run[]) private _runs;
    mapping(uint256 dropNumber => mapping(uint256 phase => Auction)) private _auctions;
    mapping(uint256 dropNumber => mapping(uint256 phase => mapping(address wallet => Bought))) private _bought;
    mapping(bytes32 ticketId => bool) private _usedTickets;

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
    /// @param dropNumber the drop; sales open in their order
    /// @param drop its body
    /// @param phases whom it is sold to, when and for how much; they may overlap
    /// @param finalBy seconds since 1970: if the works are not final then, buyers get their money back
    function openSale(uint256 dropNumber, Drop calldata drop, Phase[] calldata phases, uint40 finalBy)
        external
        onlyOwner
    {
        uint256 expected = _opened + 1;
        if (dropNumber != expected) revert SaleOutOfOrder(dropNumber, expected);
        _prove(dropNumber, drop);
        uint40 salesEnd = Phases.open(_phases[dropNumber], phases, finalBy);
        Kind kind = _beginFate(dropNumber, drop, salesEnd, finalBy);
        uint64 firstTokenId = SafeCast.toUint64(drop.firstTokenId);
        _opened = dropNumber;
        _lots[dropNumber] =
            Lot(firstTokenId, SafeCast.toUint32(drop.count), 0, SafeCast.toUint8(phases.length), 0, kind, false, 0);
        if (kind != Kind.Fixed) {
            bool isAuction = phases[0].kind == PhaseKind.Auction;
            _runs[dropNumber].push(Run(firstTokenId, phases[0].priceWei, 0, isAuction));
        }
        emit SaleOpened(dropNumber, phases, finalBy);
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
        Phase memory terms = _running(dropNumber, phase);
        if (terms.kind == PhaseKind.Public) {
            _sell(dropNumber, phase, terms, quantity, terms.priceWei, terms.maxPerWallet);
        } else if (terms.kind == PhaseKind.Auction) {
            _sell(dropNumber, phase, terms, quantity, Phases.priceAt(terms, block.timestamp), terms.maxPerWallet);
        } else {
            revert WrongPhase(phase);
        }
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
        Phase memory terms = _running(dropNumber, phase);
        if (terms.kind != PhaseKind.Listed) revert WrongPhase(phase);
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(msg.sender, maxQuantity, priceWei))));
        if (maxQuantity == 0 || !MerkleProof.verifyCalldata(proof, terms.terms, leaf)) revert NotListed(msg.sender);
        _sell(dropNumber, phase, terms, quantity, priceWei, maxQuantity);
    }

    /// @notice Buy with a signed ticket, which is used once and as a whole.
    /// @param ticket what was signed
    /// @param signature of the phase's signer, an account or a contract (ERC-1271)
    function mintSigned(Ticket calldata ticket, bytes calldata signature) external payable {
        Phase memory terms = _running(ticket.dropNumber, ticket.phase);
        if (terms.kind != PhaseKind.Signed) revert WrongPhase(ticket.phase);
        if (ticket.buyer != msg.sender || block.timestamp > ticket.deadline || ticket.priceWei < terms.priceWei) {
            revert BadTicket(ticket.id);
        }
        if (_usedTickets[ticket.id]) revert TicketUsed(ticket.id);
        _usedTickets[ticket.id] = true;
        address signer = address(uint160(uint256(terms.terms)));
        if (!SignatureChecker.isValidSignatureNow(signer, ticketDigest(ticket), signature)) {
            revert WrongSignature(ticket.id);
        }
        _sell(ticket.dropNumber, ticket.phase, terms, ticket.quantity, ticket.priceWei, terms.maxPerWallet);
    }

    /// @notice Close an auction that is over; anybody may. All its works then cost the last price.
    /// @param dropNumber the drop
    /// @param phase the auction
    function settle(uint256 dropNumber, uint256 phase) external {
        Phase memory terms = _phase(dropNumber, phase);
        if (terms.kind != PhaseKind.Auction) revert WrongPhase(phase);
        Auction storage auction = _auctions[dropNumber][phase];
        if (auction.isSettled) revert AlreadySettled(dropNumber, phase);
        if (block.timestamp < terms.end && _isLeft(dropNumber)) revert AuctionGoesOn(dropNumber, phase);
        auction.isSettled = true;
        uint256 earned = uint256(auction.lastPriceWei) * auction.sold;
        _lot(dropNumber).proceedsWei += SafeCast.toUint96(earned);
        emit AuctionSettled(dropNumber, phase, auction.lastPriceWei, auction.sold);
    }

    /// @notice Get back what was paid above an auction's last price.
    /// @param dropNumber the drop
    /// @param phase the auction
    function claimRefund(uint256 dropNumber, uint256 phase) external {
        Auction memory auction = _auctions[dropNumber][phase];
        if (!auction.isSettled) revert Phases.NotSettled(dropNumber, phase);
        Bought storage bought = _bought[dropNumber][phase][msg.sender];
        uint256 cost = uint256(auction.lastPriceWei) * bought.quantity;
        uint256 owed = bought.paidWei - cost;
        if (owed == 0) revert NothingOwed(msg.sender);
        bought.paidWei = SafeCast.toUint96(cost);
        emit Refunded(dropNumber, msg.sender, owed);
        Address.sendValue(payable(msg.sender), owed);
    }

    /// @notice Give works of a failed drop back for what they cost. They are burnt.
    /// @param dropNumber the drop
    /// @param tokenIds works of the caller
    function refund(uint256 dropNumber, uint256[] calldata tokenIds) external {
        if (!_fate(dropNumber).hasFailed) revert NotFailed(dropNumber);
        Lot storage lot = _lot(dropNumber);
        uint256 total = 0;
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            uint256 tokenId = tokenIds[i];
            bool isOfDrop = tokenId >= lot.firstTokenId && tokenId < uint256(lot.firstTokenId) + lot.count;
            if (!isOfDrop || _ownerOf(tokenId) != msg.sender) revert NotYours(tokenId);
            total += Phases.cost(_runs[dropNumber], _auctions[dropNumber], dropNumber, tokenId);
            _burn(tokenId);
        }
        _burnt += tokenIds.length;
        lot.proceedsWei -= SafeCast.toUint96(total);
        emit Refunded(dropNumber, msg.sender, total);
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
        for (uint256 n = 1; n <= _opened; ++n) {
            supply += _lots[n].minted;
        }
        supply -= _burnt;
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
            phases[i] = _phases[dropNumber][i];
        }
    }

    /// @notice How an auction stands.
    /// @param dropNumber the drop
    /// @param phase the auction
    function auctionOf(uint256 dropNumber, uint256 phase) external view returns (Auction memory) {
        return _auctions[dropNumber][phase];
    }

    /// @notice What a wallet has bought in a phase that counts it.
    /// @param dropNumber the drop
    /// @param phase the phase
    /// @param wallet the buyer
    function boughtBy(uint256 dropNumber, uint256 phase, address wallet) external view returns (Bought memory) {
        return _bought[dropNumber][phase][wallet];
    }

    /// @notice What a signer signs (EIP-712).
    /// @param ticket the ticket
    function ticketDigest(Ticket calldata ticket) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(TICKET_TYPE, ticket)));
    }

    /// @dev The last drop whose first id is not above the id; ranges touch, so it is the one.
    function _dropOf(uint256 tokenId) internal view returns (uint256) {
        uint256 low = 1;
        uint256 high = _opened;
        while (low < high) {
            uint256 middle = (low + high + 1) / 2;
            if (_lots[middle].firstTokenId <= tokenId) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    /// @dev A drop whose sale was opened.
    function _lot(uint256 dropNumber) internal view returns (Lot storage lot) {
        lot = _lots[dropNumber];
        if (lot.count == 0) revert SaleNotOpen(dropNumber);
    }

    /// @inheritdoc DropChain
    function _isLeft(uint256 dropNumber) internal view override returns (bool) {
        Lot storage lot = _lot(dropNumber);
        return lot.minted < lot.count;
    }

    function _phase(uint256 dropNumber, uint256 phase) private view returns (Phase memory) {
        if (phase >= _lot(dropNumber).phases) revert WrongPhase(phase);
        return _phases[dropNumber][phase];
    }

    /// @dev A phase that sells now. Of a public one the second slot, which is empty, is not read.
    function _running(uint256 dropNumber, uint256 phase) private view returns (Phase memory terms) {
        Lot storage lot = _lot(dropNumber);
        if (phase >= lot.phases) revert WrongPhase(phase);
        if (lot.isPaused) revert SaleIsPaused(dropNumber);
        Phase storage held = _phases[dropNumber][phase];
        terms.priceWei = held.priceWei;
        terms.start = held.start;
        terms.end = held.end;
        terms.maxPerTransaction = held.maxPerTransaction;
        terms.maxPerWallet = held.maxPerWallet;
        terms.kind = held.kind;
        if (terms.kind != PhaseKind.Public) terms.terms = held.terms;
        if (block.timestamp < terms.start || block.timestamp >= terms.end) {
            revert PhaseNotRunning(phase, terms.start, terms.end);
        }
    }

    function _sell(
        uint256 dropNumber,
        uint256 phase,
        Phase memory terms,
        uint256 quantity,
        uint256 priceWei,
        uint256 walletCap
    ) private {
        if (quantity == 0 || quantity > terms.maxPerTransaction) {
            revert QuantityOutOfRange(quantity, terms.maxPerTransaction);
        }
        Lot memory lot = _lots[dropNumber];
        if (quantity > lot.count - lot.minted) revert NotEnoughLeft(quantity, lot.count - lot.minted);
        uint256 due = quantity * priceWei;
        bool isAuction = terms.kind == PhaseKind.Auction;
        if (isAuction ? msg.value < due : msg.value != due) revert WrongPayment(msg.value, due);
        if (walletCap != 0 || isAuction) _count(dropNumber, phase, quantity, walletCap, isAuction);
        uint256 tokenId = uint256(lot.firstTokenId) + lot.minted;
        if (lot.kind != Kind.Fixed) {
            uint8 priced = isAuction || priceWei == terms.priceWei ? SafeCast.toUint8(phase) : OWN_PRICE;
            if (priced == OWN_PRICE || priced != lot.priced) {
                _runs[dropNumber].push(
                    Run(SafeCast.toUint64(tokenId), SafeCast.toUint96(priceWei), SafeCast.toUint8(phase), isAuction)
                );
                lot.priced = priced;
            }
        }
        if (isAuction) {
            Auction storage auction = _auctions[dropNumber][phase];
            auction.lastPriceWei = SafeCast.toUint96(priceWei);
            auction.sold += SafeCast.toUint32(quantity);
            auction.paidWei += SafeCast.toUint96(msg.value);
        } else {
            lot.proceedsWei += SafeCast.toUint96(due);
        }
        lot.minted += SafeCast.toUint32(quantity);
        _lots[dropNumber] = lot;
        for (uint256 i = 0; i < quantity; ++i) {
            _mint(msg.sender, tokenId + i);
        }
        emit Sold(dropNumber, phase, msg.value);
    }

    function _count(uint256 dropNumber, uint256 phase, uint256 quantity, uint256 walletCap, bool isAuction) private {
        Bought storage bought = _bought[dropNumber][phase][msg.sender];
        uint256 has = bought.quantity;
        if (walletCap != 0 && has + quantity > walletCap) revert WalletCapReached(has, quantity, walletCap);
        bought.quantity = SafeCast.toUint32(has + quantity);
        if (isAuction) bought.paidWei += SafeCast.toUint96(msg.value);
    }

    function _setTreasury(address treasury_) private {
        if (treasury_ == address(0) || treasury_ == address(this)) revert InvalidTreasury(treasury_);
        _treasury = treasury_;
        emit TreasuryChanged(treasury_);
    }
}
