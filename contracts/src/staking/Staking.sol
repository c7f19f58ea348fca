// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title What the staking contract needs of a collection
interface ILockable is IERC721 {
    /// @notice Keep a work from being transferred, or let it go.
    /// @param tokenId the work
    /// @param isLocked which of both
    function setLocked(uint256 tokenId, bool isLocked) external;
}

/// @title Staking without custody
/// @notice An owner locks works where they are, and earns an equal share of a pool for each as long as they are
/// locked. Nobody can keep them locked: taking them back needs no permission, no pool and no pause.
/// @dev A pool is paid in by the owner of this contract and spread evenly over a time. What falls due while nothing is
/// staked is not lost: it joins the next pool. The rewards promised never exceed what was paid in: the rate is rounded
/// down, and so is each share. What rounding leaves, a few wei, stays here.
contract Staking is Ownable2Step {
    /// @dev Two slots.
    struct Stake {
        address owner; // zero: not staked
        uint64 since; // seconds since 1970
    }

    /// @dev Shares are counted in wei times this, so that rounding does not eat small rewards.
    uint256 private constant PRECISION = 1e18;

    ILockable private immutable _collection;

    uint256 private _total;
    uint256 private _perWork; // earned by one work that was always staked, times PRECISION
    uint256 private _rate; // wei a second, times PRECISION, to all works together
    uint64 private _updatedAt;
    uint64 private _endsAt;
    uint256 private _idleWei; // fell due while nothing was staked, times PRECISION
    mapping(uint256 tokenId => Stake) private _stakes;
    mapping(address wallet => uint256) private _counts;
    mapping(address wallet => uint256) private _seen; // _perWork when the wallet was last settled
    mapping(address wallet => uint256) private _earned; // ever, times PRECISION
    mapping(address wallet => uint256) private _claimed; // ever, wei

    /// @notice A work is locked, and earns.
    event Staked(address indexed owner, uint256 indexed tokenId);
    /// @notice A work is free again.
    event Unstaked(address indexed owner, uint256 indexed tokenId);
    /// @notice `amount` wei were paid to a wallet.
    event Claimed(address indexed wallet, uint256 amount);
    /// @notice `amount` wei joined the pool, which is spread until `endsAt`.
    event Funded(uint256 amount, uint256 endsAt);

    /// @notice Only its owner stakes a work.
    error NotTheOwner(uint256 tokenId, address caller);
    /// @notice The work is staked already.
    error AlreadyStaked(uint256 tokenId);
    /// @notice The work is not staked by the caller.
    error NotStaked(uint256 tokenId, address caller);
    /// @notice Nothing is owed.
    error NothingEarned(address wallet);
    /// @notice A pool needs wei, and a time that does not end before the running one.
    error BadPool(uint256 amount, uint256 endsAt);
    /// @notice Without an owner nobody could fund it.
    error OwnershipCannotBeRenounced(address owner);

    /// @param collection_ the works; it has to name this contract as its locker
    constructor(ILockable collection_) Ownable(msg.sender) {
        _collection = collection_;
    }

    /// @notice Lock works of the caller.
    /// @param tokenIds the works
    function stake(uint256[] calldata tokenIds) external {
        _settle(msg.sender);
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            uint256 tokenId = tokenIds[i];
            if (_collection.ownerOf(tokenId) != msg.sender) revert NotTheOwner(tokenId, msg.sender);
            if (_stakes[tokenId].owner != address(0)) revert AlreadyStaked(tokenId);
            _stakes[tokenId] = Stake(msg.sender, SafeCast.toUint64(block.timestamp));
            emit Staked(msg.sender, tokenId);
        }
        _counts[msg.sender] += tokenIds.length;
        _total += tokenIds.length;
        _lock(tokenIds, true);
    }

    /// @notice Take works back.
    /// @param tokenIds works that the caller has staked
    function unstake(uint256[] calldata tokenIds) external {
        _settle(msg.sender);
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            uint256 tokenId = tokenIds[i];
            if (_stakes[tokenId].owner != msg.sender) revert NotStaked(tokenId, msg.sender);
            delete _stakes[tokenId];
            emit Unstaked(msg.sender, tokenId);
        }
        _counts[msg.sender] -= tokenIds.length;
        _total -= tokenIds.length;
        _lock(tokenIds, false);
    }

    /// @notice Be paid what the caller's works have earned.
    function claim() external {
        _settle(msg.sender);
        (uint256 all, uint256 before) = (_earned[msg.sender] / PRECISION, _claimed[msg.sender]);
        if (all <= before) revert NothingEarned(msg.sender);
        _claimed[msg.sender] = all;
        uint256 amount = all - before;
        emit Claimed(msg.sender, amount);
        Address.sendValue(payable(msg.sender), amount);
    }

    /// @notice Pay into the pool, and spread all that is left of it until a time.
    /// @param endsAt seconds since 1970, not before the end of the running pool
    function fund(uint64 endsAt) external payable onlyOwner {
        _settle(address(0));
        if (msg.value == 0 || endsAt <= block.timestamp || endsAt < _endsAt) revert BadPool(msg.value, endsAt);
        uint256 all = msg.value * PRECISION + _left() + _idleWei;
        _rate = all / (endsAt - block.timestamp);
        _idleWei = 0;
        _endsAt = endsAt;
        emit Funded(msg.value, endsAt);
    }

    /// @notice Always refused: nobody could fund the pool.
    function renounceOwnership() public view override onlyOwner {
        revert OwnershipCannotBeRenounced(owner());
    }

    /// @notice What a wallet can claim now, wei.
    /// @param wallet the wallet
    function earned(address wallet) external view returns (uint256) {
        (uint256 perWork,) = _now();
        return (_earned[wallet] + _counts[wallet] * (perWork - _seen[wallet])) / PRECISION - _claimed[wallet];
    }

    /// @notice Who staked a work and since when; zero if it is not staked.
    /// @param tokenId the work
    function stakeOf(uint256 tokenId) external view returns (Stake memory) {
        return _stakes[tokenId];
    }

    /// @notice How many works a wallet has staked.
    /// @param wallet the wallet
    function countOf(address wallet) external view returns (uint256) {
        return _counts[wallet];
    }

    /// @notice How many works are staked.
    function total() external view returns (uint256) {
        return _total;
    }

    /// @notice The running pool: wei a second to all works together, and its end in seconds since 1970.
    function pool() external view returns (uint256 weiPerSecond, uint256 endsAt) {
        return (_rate / PRECISION, _endsAt);
    }

    /// @notice The collection whose works are staked.
    function collection() external view returns (address) {
        return address(_collection);
    }

    function _lock(uint256[] calldata tokenIds, bool isLocked) private {
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            _collection.setLocked(tokenIds[i], isLocked);
        }
    }

    /// @dev Brings the pool up to this moment, and then a wallet.
    function _settle(address wallet) private {
        (_perWork, _idleWei) = _now();
        _updatedAt = SafeCast.toUint64(block.timestamp);
        if (wallet == address(0)) return;
        _earned[wallet] += _counts[wallet] * (_perWork - _seen[wallet]);
        _seen[wallet] = _perWork;
    }

    /// @dev What one work has earned until now, and what fell due to none; both times PRECISION.
    function _now() private view returns (uint256 perWork, uint256 idleWei) {
        (perWork, idleWei) = (_perWork, _idleWei);
        uint256 until = block.timestamp < _endsAt ? block.timestamp : _endsAt;
        if (until <= _updatedAt) return (perWork, idleWei);
        uint256 due = _rate * (until - _updatedAt);
        if (_total == 0) return (perWork, idleWei + due);
        return (perWork + due / _total, idleWei);
    }

    /// @dev What of the running pool has not fallen due, times PRECISION.
    function _left() private view returns (uint256) {
        return _endsAt > block.timestamp ? _rate * (_endsAt - block.timestamp) : 0;
    }
}
