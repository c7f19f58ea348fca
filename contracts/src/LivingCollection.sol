// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {ERC2981} from "@openzeppelin/contracts/token/common/ERC2981.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {DropChain} from "./collection/DropChain.sol";
import {Folder} from "./collection/Folder.sol";
import {Sale} from "./collection/Sale.sol";
import {IERC5192} from "./staking/IERC5192.sol";

/// @title A living collection
/// @notice Drops are committed as a chain of hashes, sold in phases, revealed, and final; each work can be derived
/// again by anybody who has its drop's files or its seed.
/// @dev Royalties are asked for, not enforced. A work that its owner has staked cannot be transferred until the owner
/// takes it back; the owner keeps it, and its votes, meanwhile.
contract LivingCollection is Sale, ERC2981, IERC4906, IERC5192 {
    /// @notice The highest royalty that can be asked for, in basis points.
    uint96 public constant MAX_ROYALTY_BPS = 1_000;

    bytes4 private constant ERC4906_INTERFACE_ID = 0x49064906;
    bytes4 private constant ERC5192_INTERFACE_ID = 0xb45a3c0e;

    address private _locker;
    Folder.Addresses private _addresses;
    mapping(uint256 tokenId => bool) private _locked;

    /// @notice ERC-7572: the answer of `contractURI` changed.
    event ContractURIUpdated();
    /// @notice Works that are not final yet are described under this address.
    event LiveURIChanged(string liveURI);
    /// @notice From now on this contract stakes works, for good.
    event LockerSet(address indexed locker);

    /// @notice A royalty is above the cap.
    error RoyaltyTooHigh(uint256 bps, uint256 maxBps);
    /// @notice Without an owner the proceeds would be locked for ever.
    error OwnershipCannotBeRenounced(address owner);
    /// @notice The staking contract is named once.
    error LockerAlreadySet(address locker);
    /// @notice Only the staking contract locks and unlocks.
    error NotTheLocker(address caller);
    /// @notice The work is staked.
    error IsStaked(uint256 tokenId);

    /// @dev Tickets are signed under a fixed name: a collection's own may be longer than the word it would have to fit in,
    /// and the domain names this contract anyway.
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
    ) ERC721(name_, symbol_) EIP712("Morphora", "1") Ownable(msg.sender) Sale(treasury_) {
        _addresses.contractURI = contractURI_;
        _addresses.liveURI = liveURI_;
        _setRoyalty(treasury_, royaltyBps);
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
        _addresses.contractURI = contractURI_;
        emit ContractURIUpdated();
    }

    /// @notice Move the descriptions of works that are not final; those that are stay where they are.
    /// @param liveURI_ the new address, with a slash at the end
    function setLiveURI(string calldata liveURI_) external onlyOwner {
        _addresses.liveURI = liveURI_;
        emit LiveURIChanged(liveURI_);
    }

    /// @notice Say that the metadata of works changed, so that markets look again.
    /// @param fromTokenId the first
    /// @param toTokenId the last
    function announce(uint256 fromTokenId, uint256 toTokenId) external onlyOwner {
        emit BatchMetadataUpdate(fromTokenId, toTokenId);
    }

    /// @notice Name the contract that stakes works, once.
    /// @param locker_ it
    function setLocker(address locker_) external onlyOwner {
        if (_locker != address(0)) revert LockerAlreadySet(_locker);
        _locker = locker_;
        emit LockerSet(locker_);
    }

    /// @notice Keep a work from being transferred, or let it go; the staking contract's right.
    /// @param tokenId the work
    /// @param isLocked which of both
    function setLocked(uint256 tokenId, bool isLocked) external {
        if (msg.sender != _locker) revert NotTheLocker(msg.sender);
        _requireOwned(tokenId);
        _locked[tokenId] = isLocked;
        if (isLocked) emit Locked(tokenId);
        else emit Unlocked(tokenId);
    }

    /// @notice Always refused: the proceeds would be locked.
    function renounceOwnership() public view override onlyOwner {
        revert OwnershipCannotBeRenounced(owner());
    }

    /// @inheritdoc IERC5192
    function locked(uint256 tokenId) external view returns (bool) {
        _requireOwned(tokenId);
        return _locked[tokenId];
    }

    /// @notice The contract that stakes works, or zero.
    function locker() external view returns (address) {
        return _locker;
    }

    /// @notice ERC-7572 metadata of the collection.
    function contractURI() external view returns (string memory) {
        return _addresses.contractURI;
    }

    /// @notice The drop that a work belongs to.
    /// @param tokenId the work
    function dropOf(uint256 tokenId) public view returns (uint256) {
        _requireOwned(tokenId);
        return _dropOf(tokenId);
    }

    /// @notice The number that a work has in its drop's files; the id itself, unless a reveal turned the order.
    /// @param tokenId the work
    function numberOf(uint256 tokenId) public view returns (uint256) {
        uint256 dropNumber = dropOf(tokenId);
        Lot storage lot = _lot(dropNumber);
        return _numberOf(dropNumber, tokenId, lot.firstTokenId, lot.count);
    }

    /// @inheritdoc ERC721
    function tokenURI(uint256 tokenId) public view virtual override returns (string memory) {
        return Folder.metadata(_folderOf(dropOf(tokenId)), numberOf(tokenId), _addresses, tokenId);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId)
        public
        view
        virtual
        override(ERC721, ERC2981, IERC165)
        returns (bool)
    {
        return interfaceId == ERC4906_INTERFACE_ID || interfaceId == ERC5192_INTERFACE_ID
            || super.supportsInterface(interfaceId);
    }

    /// @dev A staked work stays where it is; a mint need not ask.
    function _update(address to, uint256 tokenId, address auth) internal virtual override returns (address from) {
        from = super._update(to, tokenId, auth);
        if (from != address(0) && _locked[tokenId]) revert IsStaked(tokenId);
    }

    /// @inheritdoc DropChain
    function _worksChanged(uint256 dropNumber) internal override {
        Lot storage lot = _lot(dropNumber);
        emit BatchMetadataUpdate(lot.firstTokenId, uint256(lot.firstTokenId) + lot.count - 1);
    }

    function _setRoyalty(address receiver, uint96 bps) private {
        if (bps > MAX_ROYALTY_BPS) revert RoyaltyTooHigh(bps, MAX_ROYALTY_BPS);
        _setDefaultRoyalty(receiver, bps);
    }
}
