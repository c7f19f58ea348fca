// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {ERC2981} from "@openzeppelin/contracts/token/common/ERC2981.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

/// @title A living collection: drops are committed as a hash chain, then sold in the order of their ids
/// @notice Whoever holds the events can rebuild every head, and with the files every root in it.
/// @dev Not guaranteed: that the owner hosts the files, opens a sale, or prices it fairly; that marketplaces pay
/// royalties; that the roots were made by the named checkpoint. The last is checked off chain, by rendering again.
contract MorphoraCollection is ERC721, ERC2981, Ownable2Step, IERC4906 {
    /// @notice What one drop is, published before any of it can be sold.
    struct Drop {
        bytes32 metadataRoot; // OpenZeppelin standard Merkle tree over (id, keccak256 metadata, sha256 image)
        bytes32 imageRoot; // sha2-256 digest in the CID of the image directory
        bytes32 provenance; // sha256 of the image hashes in the order of the ids
        bytes32 checkpointHash; // sha256 of the generator's file
        bytes32 codeHash; // keccak256 of the canonical list of source hashes
        bytes32 paramsHash; // keccak256 of the canonical parameters
        bytes32 parentParamsHash; // that of the parameters they were derived from, or zero
        bytes32 voteTallyRoot; // root of the votes that led here, or zero
        bytes32 curationLogRoot; // head of the hash chain of curation decisions
        bytes32 seedCommit; // keccak256 of the drop's seed
        uint256 firstTokenId;
        uint256 count;
    }

    /// @dev One slot. 2^32 works and 2^96 wei are far above anything a drop reaches.
    struct Sale {
        uint64 firstTokenId;
        uint32 count;
        uint32 minted;
        uint16 maxPerTransaction;
        uint96 priceWei;
        bool isOpen;
    }

    /// @notice The highest royalty that can be asked for, in basis points.
    uint96 public constant MAX_ROYALTY_BPS = 1_000;

    bytes4 private constant ERC4906_INTERFACE_ID = 0x49064906;

    bytes32 private _head;
    uint256 private _totalSupply;
    address private _treasury;
    string private _contractURI;
    Sale[] private _sales;
    mapping(uint256 dropNumber => string) private _baseURIs;

    /// @notice A drop's body, and the head of the chain that now ends with it.
    event DropCommitted(uint256 indexed dropNumber, bytes32 indexed head, Drop drop, string baseURI);

    /// @notice From here on nothing of the drop changes.
    event SaleOpened(uint256 indexed dropNumber, uint256 priceWei, uint256 maxPerTransaction);

    /// @notice A drop's files moved, before its sale opened.
    event BaseURIChanged(uint256 indexed dropNumber, string baseURI);

    /// @notice Later withdrawals go to `treasury`.
    event TreasuryChanged(address indexed treasury);

    /// @notice `amount` wei went to `treasury`.
    event Withdrawn(address indexed treasury, uint256 amount);

    /// @notice ERC-7572: the answer of `contractURI` changed.
    event ContractURIUpdated();

    /// @notice A drop has no works.
    error EmptyDrop(uint256 dropNumber);
    /// @notice Ids of drops follow one another without a gap.
    error FirstTokenIdOutOfOrder(uint256 given, uint256 expected);
    /// @notice No drop has this number.
    error UnknownDrop(uint256 dropNumber);
    /// @notice The drop's sale is open already, so nothing of it can change.
    error SaleAlreadyOpen(uint256 dropNumber);
    /// @notice The drop's sale is not open yet.
    error SaleNotOpen(uint256 dropNumber);
    /// @notice A quantity is zero or above the cap of one transaction.
    error QuantityOutOfRange(uint256 quantity, uint256 maxPerTransaction);
    /// @notice Fewer works are left than were asked for.
    error NotEnoughLeft(uint256 quantity, uint256 remaining);
    /// @notice The payment is not exactly the price.
    error WrongPayment(uint256 sent, uint256 due);
    /// @notice A royalty is above the cap.
    error RoyaltyTooHigh(uint256 bps, uint256 maxBps);
    /// @notice Funds cannot go to this address.
    error InvalidTreasury(address treasury);
    /// @notice Without an owner the balance would be locked for ever.
    error OwnershipCannotBeRenounced(address owner);

    /// @param name_ the collection's name
    /// @param symbol_ its symbol
    /// @param contractURI_ ERC-7572 metadata of the collection
    /// @param treasury_ where withdrawals and royalties go
    /// @param royaltyBps the royalty in basis points, at most MAX_ROYALTY_BPS
    constructor(
        string memory name_,
        string memory symbol_,
        string memory contractURI_,
        address treasury_,
        uint96 royaltyBps
    ) ERC721(name_, symbol_) Ownable(msg.sender) {
        _contractURI = contractURI_;
        _setTreasury(treasury_);
        _setRoyalty(treasury_, royaltyBps);
    }

    /// @notice Publish the next drop. Its ids start where the last drop's end; the first id of all is 1.
    /// @param drop the drop's body
    /// @param baseURI_ the address of its metadata folder, with a slash at the end
    /// @return dropNumber 1 for the first drop
    function commitDrop(Drop calldata drop, string calldata baseURI_) external onlyOwner returns (uint256 dropNumber) {
        dropNumber = _sales.length + 1;
        uint256 expected = _nextFirstTokenId();
        if (drop.count == 0) revert EmptyDrop(dropNumber);
        if (drop.firstTokenId != expected) revert FirstTokenIdOutOfOrder(drop.firstTokenId, expected);
        bytes32 newHead = keccak256(abi.encode(_head, drop));
        _head = newHead;
        _baseURIs[dropNumber] = baseURI_;
        _sales.push(Sale(SafeCast.toUint64(drop.firstTokenId), SafeCast.toUint32(drop.count), 0, 0, 0, false));
        emit DropCommitted(dropNumber, newHead, drop, baseURI_);
    }

    /// @notice Start selling a drop, once. Price and cap can never be changed.
    /// @param dropNumber the drop
    /// @param priceWei the price of one work
    /// @param maxPerTransaction how many works one transaction may mint, at least 1
    function openSale(uint256 dropNumber, uint256 priceWei, uint256 maxPerTransaction) external onlyOwner {
        Sale storage sale = _unopened(dropNumber);
        if (maxPerTransaction == 0) revert QuantityOutOfRange(0, type(uint16).max);
        sale.priceWei = SafeCast.toUint96(priceWei);
        sale.maxPerTransaction = SafeCast.toUint16(maxPerTransaction);
        sale.isOpen = true;
        emit SaleOpened(dropNumber, priceWei, maxPerTransaction);
    }

    /// @notice Move a drop's files, only before its sale opens.
    /// @param dropNumber the drop
    /// @param baseURI_ the new address of its metadata folder, with a slash at the end
    function setBaseURI(uint256 dropNumber, string calldata baseURI_) external onlyOwner {
        Sale storage sale = _unopened(dropNumber);
        _baseURIs[dropNumber] = baseURI_;
        emit BaseURIChanged(dropNumber, baseURI_);
        emit BatchMetadataUpdate(sale.firstTokenId, uint256(sale.firstTokenId) + sale.count - 1);
    }

    /// @notice Buy the next works of a drop for exactly their price.
    /// @dev `_mint`, not `_safeMint`: the receiver is the caller, who asked for the works, and without the callback
    /// no foreign code runs here. A contract that calls this must be able to move ERC-721 tokens itself.
    /// @param dropNumber the drop
    /// @param quantity how many works, from 1 to the drop's cap
    function mint(uint256 dropNumber, uint256 quantity) external payable {
        Sale storage sale = _sale(dropNumber);
        if (!sale.isOpen) revert SaleNotOpen(dropNumber);
        if (quantity == 0 || quantity > sale.maxPerTransaction) {
            revert QuantityOutOfRange(quantity, sale.maxPerTransaction);
        }
        uint256 minted = sale.minted;
        if (quantity > sale.count - minted) revert NotEnoughLeft(quantity, sale.count - minted);
        uint256 due = quantity * sale.priceWei;
        if (msg.value != due) revert WrongPayment(msg.value, due);
        uint256 tokenId = sale.firstTokenId + minted;
        sale.minted = SafeCast.toUint32(minted + quantity);
        _totalSupply += quantity;
        for (uint256 i = 0; i < quantity; ++i) {
            _mint(msg.sender, tokenId + i);
        }
    }

    /// @notice Send everything that was paid in to the treasury.
    function withdraw() external onlyOwner {
        uint256 amount = address(this).balance;
        address receiver = _treasury;
        emit Withdrawn(receiver, amount);
        Address.sendValue(payable(receiver), amount);
    }

    /// @notice Name where later withdrawals go.
    /// @param treasury_ any address but zero
    function setTreasury(address treasury_) external onlyOwner {
        _setTreasury(treasury_);
    }

    /// @notice Ask for a royalty on later sales elsewhere, at most MAX_ROYALTY_BPS.
    /// @param receiver who is to be paid
    /// @param bps the share of the price, in basis points
    function setRoyalty(address receiver, uint96 bps) external onlyOwner {
        _setRoyalty(receiver, bps);
    }

    /// @notice Replace the ERC-7572 metadata of the collection.
    /// @param contractURI_ the new address
    function setContractURI(string calldata contractURI_) external onlyOwner {
        _contractURI = contractURI_;
        emit ContractURIUpdated();
    }

    /// @notice Always refused: the balance would be locked.
    function renounceOwnership() public view override onlyOwner {
        revert OwnershipCannotBeRenounced(owner());
    }

    /// @notice The last link of the chain of drops; zero before the first.
    function head() external view returns (bytes32) {
        return _head;
    }

    /// @notice How many drops have been committed.
    function dropCount() external view returns (uint256) {
        return _sales.length;
    }

    /// @notice How many works have been minted; none is ever burnt.
    function totalSupply() external view returns (uint256) {
        return _totalSupply;
    }

    /// @notice What a drop sells, and how far it got.
    /// @param dropNumber the drop
    function saleOf(uint256 dropNumber) external view returns (Sale memory) {
        return _sale(dropNumber);
    }

    /// @notice The address of a drop's metadata folder.
    /// @param dropNumber the drop
    function baseURIOf(uint256 dropNumber) external view returns (string memory) {
        _sale(dropNumber);
        return _baseURIs[dropNumber];
    }

    /// @notice The drop that a minted work belongs to.
    /// @param tokenId the work
    function dropOf(uint256 tokenId) public view returns (uint256) {
        _requireOwned(tokenId);
        uint256 low = 1;
        uint256 high = _sales.length;
        // The last drop whose first id is not above tokenId; ranges touch, so it is the one.
        while (low < high) {
            uint256 middle = (low + high + 1) / 2;
            if (_sales[middle - 1].firstTokenId <= tokenId) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    /// @notice Where withdrawals go.
    function treasury() external view returns (address) {
        return _treasury;
    }

    /// @notice ERC-7572 metadata of the collection.
    function contractURI() external view returns (string memory) {
        return _contractURI;
    }

    /// @inheritdoc ERC721
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        return string.concat(_baseURIs[dropOf(tokenId)], Strings.toString(tokenId), ".json");
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view override(ERC721, ERC2981, IERC165) returns (bool) {
        return interfaceId == ERC4906_INTERFACE_ID || super.supportsInterface(interfaceId);
    }

    function _sale(uint256 dropNumber) private view returns (Sale storage) {
        if (dropNumber == 0 || dropNumber > _sales.length) revert UnknownDrop(dropNumber);
        return _sales[dropNumber - 1];
    }

    function _unopened(uint256 dropNumber) private view returns (Sale storage sale) {
        sale = _sale(dropNumber);
        if (sale.isOpen) revert SaleAlreadyOpen(dropNumber);
    }

    function _nextFirstTokenId() private view returns (uint256) {
        uint256 n = _sales.length;
        if (n == 0) return 1;
        Sale storage last = _sales[n - 1];
        return uint256(last.firstTokenId) + last.count;
    }

    function _setTreasury(address treasury_) private {
        if (treasury_ == address(0) || treasury_ == address(this)) revert InvalidTreasury(treasury_);
        _treasury = treasury_;
        emit TreasuryChanged(treasury_);
    }

    function _setRoyalty(address receiver, uint96 bps) private {
        if (bps > MAX_ROYALTY_BPS) revert RoyaltyTooHigh(bps, MAX_ROYALTY_BPS);
        _setDefaultRoyalty(receiver, bps);
    }
}
