// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Fates} from "./Fates.sol";

/// @title Drops as a chain of hashes, with commit and reveal
/// @notice A drop's body is published once, in an event, and lives on as its place in the chain: whoever shows the
/// body again proves it by its hash. What a drop is therefore never changes, and costs one slot.
/// @dev Not guaranteed: that the files exist, that the roots were made by the named checkpoint, or that the secret is
/// ever told. The first two are checked off chain; the third has a deadline, after which buyers get their money back.
abstract contract DropChain is Ownable2Step {
    /// @notice How a drop's works come to their ids.
    /// Fixed: the work of an id is known from the start. Prepared: the works are fixed, and which id gets which is
    /// decided by the reveal. OnTheFly: a work is drawn after its id was minted; the roots follow by `seal`.
    enum Kind {
        Fixed,
        Prepared,
        OnTheFly
    }

    /// @notice What one drop is, published before any of it can be sold.
    struct Drop {
        bytes32 metadataRoot; // OpenZeppelin standard Merkle tree over (number, keccak256 metadata, sha256 image)
        bytes32 imageRoot; // sha2-256 digest in the CID of the image folder
        bytes32 folder; // sha2-256 digest in the CID of the folder that holds `metadata/`
        bytes32 provenance; // sha256 of the image hashes in the order of the numbers
        bytes32 checkpointHash; // sha256 of the generator's file
        bytes32 codeHash; // keccak256 of the canonical list of source hashes
        bytes32 paramsHash; // keccak256 of the canonical parameters
        bytes32 parentParamsHash; // that of the parameters they were derived from, or zero
        bytes32 voteTallyRoot; // root of the votes that led here, or zero
        bytes32 curationLogRoot; // head of the hash chain of curation decisions
        bytes32 seedCommit; // keccak256(abi.encode(secret, number of the drop)); zero for a fixed drop
        uint256 revealBlock; // whose hash joins the secret; zero for a fixed drop
        uint256 firstTokenId;
        uint256 count;
    }

    /// @notice What a drop that was drawn on the fly turned out to be.
    struct Roots {
        bytes32 metadataRoot;
        bytes32 imageRoot;
        bytes32 folder;
        bytes32 provenance;
    }

    /// @dev One slot.
    struct Fate {
        uint64 revealBlock;
        uint40 salesEnd; // seconds since 1970: no phase goes on after it
        uint40 finalBy; // seconds since 1970: a drop that is not final then may be declared failed
        Kind kind;
        bool isCaptured;
        bool isRevealed;
        bool isFinal;
        bool hasFailed;
    }

    /// @dev One slot.
    struct Next {
        uint64 tokenId;
        uint32 drops;
    }

    /// @dev What is kept of all drops.
    struct Book {
        Next next;
        mapping(uint256 dropNumber => bytes32) heads;
        mapping(uint256 dropNumber => Fate) fates;
        mapping(uint256 dropNumber => bytes32) seeds; // until the reveal: the block's hash
        mapping(uint256 dropNumber => bytes32) folders; // zero until the works are final
    }

    /// @notice How many blocks later a reveal block lies that takes the place of one whose hash is gone.
    uint256 public constant REARM_BLOCKS = Fates.REARM_BLOCKS;

    Book private _book;

    /// @notice A drop's body, and the head of the chain that now ends with it.
    event DropCommitted(uint256 indexed dropNumber, bytes32 indexed head, Drop drop);
    /// @notice The hash of a drop's reveal block is kept.
    event BlockCaptured(uint256 indexed dropNumber, uint256 blockNumber, bytes32 blockHash);
    /// @notice The hash of the reveal block was out of reach; that of a later block will do.
    event RevealRearmed(uint256 indexed dropNumber, uint256 revealBlock);
    /// @notice The secret was told; from here on everybody can derive which work an id has.
    event DropRevealed(uint256 indexed dropNumber, bytes32 dropSeed, bytes32 secret);
    /// @notice The works of a drop that was drawn on the fly are fixed.
    event DropSealed(uint256 indexed dropNumber, Roots roots);
    /// @notice A drop was not final in time; its works can be given back for what they cost.
    event DropFailed(uint256 indexed dropNumber);

    /// @notice A drop has no works.
    error EmptyDrop(uint256 dropNumber);
    /// @notice Ids of drops follow one another without a gap.
    error FirstTokenIdOutOfOrder(uint256 given, uint256 expected);
    /// @notice A drop without a seed has roots and no reveal block; one with a seed has a reveal block to come.
    error NoSuchKind(uint256 dropNumber);
    /// @notice A reveal block is not in the future.
    error RevealBlockPast(uint256 revealBlock, uint256 blockNumber);
    /// @notice No drop has this number.
    error UnknownDrop(uint256 dropNumber);
    /// @notice This body is not the one that was committed under this number.
    error NotTheCommittedDrop(uint256 dropNumber);
    /// @notice The drop's works are known from the start.
    error NothingToReveal(uint256 dropNumber);
    /// @notice The reveal block is not mined yet.
    error RevealTooEarly(uint256 dropNumber, uint256 revealBlock);
    /// @notice The hash of the reveal block is kept already.
    error AlreadyCaptured(uint256 dropNumber);
    /// @notice The hash of the reveal block is not kept yet.
    error NotCaptured(uint256 dropNumber);
    /// @notice The secret is not the committed one.
    error WrongSecret(uint256 dropNumber);
    /// @notice The drop was revealed already.
    error AlreadyRevealed(uint256 dropNumber);
    /// @notice The secret has not been told yet.
    error NotRevealed(uint256 dropNumber);
    /// @notice The drop is final or has failed.
    error FateDecided(uint256 dropNumber);
    /// @notice Only a drop that is drawn on the fly is sealed, once, with roots.
    error NothingToSeal(uint256 dropNumber);
    /// @notice Works can still be minted, by people who shall not know which ones.
    error SaleGoesOn(uint256 dropNumber);
    /// @notice The drop may still become final.
    error NotOverdue(uint256 dropNumber, uint256 finalBy);

    constructor() {
        _book.next = Next(1, 0);
    }

    /// @notice Publish the next drop. Its ids start where the last drop's end; the first id of all is 1.
    /// @param drop the drop's body
    /// @return dropNumber 1 for the first drop
    function commitDrop(Drop calldata drop) external onlyOwner returns (uint256 dropNumber) {
        return Fates.commit(_book, drop);
    }

    /// @notice Keep the hash of a drop's reveal block; anybody may, within 256 blocks after it. Where it is out of
    /// reach, a block to come takes its place.
    /// @dev The owner can spoil a block by waiting 256 of them, if nobody else captures it.
    /// @param dropNumber the drop
    function capture(uint256 dropNumber) external {
        Fates.capture(_book, dropNumber);
    }

    /// @notice Tell the secret, once nothing of the drop can be minted any more. A prepared drop is final with it.
    /// @dev Whoever has the secret knows the works from the reveal block on: let it lie after the sale.
    /// @param dropNumber the drop
    /// @param drop its body
    /// @param secret what was committed to
    function reveal(uint256 dropNumber, Drop calldata drop, bytes32 secret) external {
        Fates.reveal(_book, dropNumber, drop, secret, _isLeft(dropNumber));
        _worksChanged(dropNumber);
    }

    /// @notice Fix the works of a drop that was drawn on the fly, once, when nothing of it can be minted any more.
    /// @param dropNumber the drop
    /// @param roots what its works turned out to be
    function seal(uint256 dropNumber, Roots calldata roots) external onlyOwner {
        Fates.seal(_book, dropNumber, roots, _isLeft(dropNumber));
        _worksChanged(dropNumber);
    }

    /// @notice Declare that a drop was not final in time; anybody may.
    /// @param dropNumber the drop
    function fail(uint256 dropNumber) external {
        Fates.fail(_book, dropNumber);
    }

    /// @notice The last link of the chain of drops; zero before the first.
    function head() external view returns (bytes32) {
        return _book.heads[_book.next.drops];
    }

    /// @notice The link of the chain that ends with a drop.
    /// @param dropNumber the drop, or 0
    function headOf(uint256 dropNumber) external view returns (bytes32) {
        if (dropNumber > _book.next.drops) revert UnknownDrop(dropNumber);
        return _book.heads[dropNumber];
    }

    /// @notice How many drops have been committed.
    function dropCount() public view returns (uint256) {
        return _book.next.drops;
    }

    /// @notice How far a drop's reveal has got; only of drops whose sale was opened.
    /// @param dropNumber the drop
    function fateOf(uint256 dropNumber) external view returns (Fate memory) {
        return _fate(dropNumber);
    }

    /// @notice The seed of a revealed drop.
    /// @param dropNumber the drop
    function dropSeedOf(uint256 dropNumber) external view returns (bytes32) {
        if (!_fate(dropNumber).isRevealed) revert NotRevealed(dropNumber);
        return _book.seeds[dropNumber];
    }

    /// @dev Whether works of a drop can still be minted, but for the time.
    function _isLeft(uint256 dropNumber) internal view virtual returns (bool);

    /// @dev The metadata of all works of a drop changed.
    function _worksChanged(uint256 dropNumber) internal virtual;

    /// @dev What is kept of all drops, for the opening of a sale.
    function _drops() internal view returns (Book storage) {
        return _book;
    }

    /// @dev The fate of a drop whose sale was opened.
    function _fate(uint256 dropNumber) internal view returns (Fate storage) {
        return Fates.fateOf(_book, dropNumber);
    }

    /// @dev Zero until the works of a drop are final.
    function _folderOf(uint256 dropNumber) internal view returns (bytes32) {
        return _book.folders[dropNumber];
    }

    /// @dev The number of the work that an id of a drop has. Of a prepared drop the order is turned by its seed: with
    /// the seed unknown every work is as likely for every id, and one addition suffices.
    function _numberOf(uint256 dropNumber, uint256 tokenId, uint256 firstTokenId, uint256 count)
        internal
        view
        returns (uint256)
    {
        if (_book.fates[dropNumber].kind != Kind.Prepared) return tokenId;
        uint256 turn = uint256(_book.seeds[dropNumber]) % count;
        return firstTokenId + (tokenId - firstTokenId + turn) % count;
    }
}
