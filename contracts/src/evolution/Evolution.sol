// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Painter} from "../onchain/Painter.sol";
import {IERC7496} from "./IERC7496.sol";
import {Levels} from "./Levels.sol";
import {Peers} from "./Peers.sol";
import {Rule, Rules, Source} from "./Rules.sol";

/// @title What the evolution needs of a collection
interface IEvolving is IERC721 {
    /// @notice Who publishes epochs.
    function owner() external view returns (address);

    /// @notice What paints the works.
    function painter() external view returns (Painter);

    /// @notice Say that traits of a work have these values now.
    /// @param tokenId the work
    /// @param traitKeys which
    /// @param traitValues what they are
    function moved(uint256 tokenId, bytes32[] calldata traitKeys, bytes32[] calldata traitValues) external;

    /// @notice Say that all works may have changed.
    function movedAll() external;
}

/// @title How works change by what happens to them
/// @notice A work is drawn from 32 bytes. Each rule says how a quantity becomes a level, and what one level adds to each of
/// these bytes: z = clamp(z0 + sum of level * direction, 0, 255). What the chain knows is read when somebody asks;
/// volume and votes come as Merkle roots, one each epoch, of which anybody proves a work's part.
/// @dev The rules are the law of the collection: they are given at construction and nobody can change them, nor is there
/// an owner here. The collection's owner publishes epochs, and nothing else. No peer can keep a work from being drawn:
/// see `Peers`. Not guaranteed: that an epoch tells the truth (anybody can compute it again from its snapshot); that a
/// price is fair at the moment of asking, as whoever moves a pool for one call moves the picture for that call; that
/// markets hear of levels that change by time or in a pool (`refresh` tells them).
contract Evolution is EIP712 {
    /// @dev One slot.
    struct State {
        uint32 epoch; // of the proven levels; zero before the first
        uint64 proven; // a byte for each rule, the first one lowest
        uint32 interactions; // ever
        uint64 interactedAt; // seconds since 1970
    }

    /// @dev Two slots.
    struct Epoch {
        bytes32 root;
        bytes32 snapshotHash;
    }

    bytes32 private constant INTERACTION =
        keccak256("Interaction(address holder,uint256 tokenId,uint256 count,uint256 deadline)");

    /// @notice The works.
    IEvolving public immutable collection;
    /// @notice What paints them.
    Painter public immutable painter;
    /// @notice Seconds from one interaction with a work to the next.
    uint64 public immutable periodS;

    Rule[] private _rules;
    Epoch[] private _epochs;
    mapping(uint256 rule => bytes32) private _pools; // keys, see Peers.keyOf
    mapping(uint256 tokenId => State) private _states;
    mapping(uint256 rule => mapping(uint256 tokenId => uint256)) private _positions;
    mapping(uint256 rule => mapping(uint256 positionId => uint256)) private _works;

    /// @notice Levels of an epoch can be proven. Its leaves are (epoch, token id, snapshot's hash, a level for each
    /// proven rule in the order of the rules).
    event EpochPublished(uint256 indexed epoch, bytes32 root, bytes32 snapshotHash);
    /// @notice A work has these levels, one for each proven rule.
    event Proven(uint256 indexed tokenId, uint256 indexed epoch, uint8[] levels);
    /// @notice A holder did something with their work, for the `count`-th time of all its holders.
    event Interacted(uint256 indexed tokenId, address indexed holder, uint256 count);
    /// @notice A position counts for a work under a rule; none does if it is zero.
    event PositionNamed(uint256 indexed rule, uint256 indexed tokenId, uint256 positionId);

    /// @notice Works can be interacted with at times, so there is time between.
    error NoPeriod();
    /// @notice Only the collection's owner publishes.
    error NotTheOwner(address caller);
    /// @notice An epoch has a root.
    error NoRoot();
    /// @notice No epoch has this number.
    error UnknownEpoch(uint256 epoch);
    /// @notice A work's levels are of this epoch or a later one already.
    error NotNewer(uint256 tokenId, uint256 epoch);
    /// @notice An epoch has a level for each proven rule.
    error NotSoManyLevels(uint256 given, uint256 expected);
    /// @notice A level is above the highest of its rule.
    error LevelTooHigh(uint256 rule, uint256 level);
    /// @notice The epoch does not say this of the work.
    error NotInTheEpoch(uint256 tokenId, uint256 epoch);
    /// @notice Only who has the work may do this.
    error NotTheHolder(uint256 tokenId, address caller);
    /// @notice It is too early for the next interaction.
    error TooEarly(uint256 tokenId, uint256 nextAt);
    /// @notice The signature was for a time that is over.
    error DeadlinePassed(uint256 deadline);
    /// @notice The work's holder did not sign this.
    error BadSignature(uint256 tokenId, address holder);
    /// @notice The rule knows no positions.
    error NoPositions(uint256 rule);
    /// @notice Only its owner has a position count.
    error NotYourPosition(uint256 positionId, address caller);

    /// @param collection_ the works
    /// @param rules_ how they change, for good; 1 to 8
    /// @param periodS_ seconds from one interaction with a work to the next
    constructor(IEvolving collection_, Rule[] memory rules_, uint64 periodS_) EIP712("Morphora", "1") {
        if (periodS_ == 0) revert NoPeriod();
        Rules.check(rules_, address(collection_));
        (collection, painter, periodS) = (collection_, collection_.painter(), periodS_);
        for (uint256 k = 0; k < rules_.length; ++k) {
            _rules.push(rules_[k]);
            if (rules_[k].source == Source.Position) _pools[k] = Peers.keyOf(rules_[k].pool);
        }
    }

    /// @notice Publish the levels of an epoch, for good; the first is 1.
    /// @param root of the OpenZeppelin standard Merkle tree of its leaves
    /// @param snapshotHash keccak256 of what the levels were computed from
    /// @return epoch its number
    function publish(bytes32 root, bytes32 snapshotHash) external returns (uint256 epoch) {
        if (msg.sender != collection.owner()) revert NotTheOwner(msg.sender);
        if (root == 0) revert NoRoot();
        _epochs.push(Epoch(root, snapshotHash));
        epoch = _epochs.length;
        emit EpochPublished(epoch, root, snapshotHash);
        collection.movedAll();
    }

    /// @notice Give a work the levels that an epoch has for it; anybody may. It need not be there, or be there yet.
    /// @param epoch newer than that of the levels it has
    /// @param tokenId the work
    /// @param levels one for each proven rule
    /// @param proof that they are in the epoch's tree
    function prove(uint256 epoch, uint256 tokenId, uint8[] calldata levels, bytes32[] calldata proof) external {
        Epoch memory published = epochOf(epoch);
        State storage state = _states[tokenId];
        if (epoch <= state.epoch) revert NotNewer(tokenId, epoch);
        bytes memory leaf = abi.encodePacked(epoch, tokenId, published.snapshotHash, levels);
        bytes32 leafHash = keccak256(bytes.concat(keccak256(leaf)));
        if (!MerkleProof.verifyCalldata(proof, published.root, leafHash)) revert NotInTheEpoch(tokenId, epoch);
        (uint64 before, uint64 kept) = (state.proven, _packed(levels));
        (state.epoch, state.proven) = (SafeCast.toUint32(epoch), kept);
        emit Proven(tokenId, epoch, levels);
        for (uint256 k = 0; k < _rules.length; ++k) {
            uint8 level = uint8(kept >> (8 * k));
            if (level != uint8(before >> (8 * k))) _tell(k, tokenId, level);
        }
    }

    /// @notice Have a position count for a work of the caller, who has both. It counts for one work at a time, and for
    /// as long as both have one holder; one that counted for another work is taken from it.
    /// @param rule that asks for positions
    /// @param tokenId the work
    /// @param positionId the position; zero for none
    function namePosition(uint256 rule, uint256 tokenId, uint256 positionId) external {
        _requireHolder(tokenId);
        if (rule >= _rules.length || _rules[rule].source != Source.Position) revert NoPositions(rule);
        address manager = _rules[rule].peer;
        if (positionId != 0 && !Peers.isOwner(manager, positionId, msg.sender)) {
            revert NotYourPosition(positionId, msg.sender);
        }
        uint256 other = _works[rule][positionId];
        bool isTaken = other != 0 && other != tokenId;
        if (isTaken) _setPosition(rule, other, 0);
        _setPosition(rule, tokenId, positionId);
        if (isTaken) _tell(rule, other, 0);
        _tell(rule, tokenId, _level(rule, tokenId, msg.sender));
    }

    /// @notice Do something with a work of the caller, once a period.
    /// @param tokenId the work
    function interact(uint256 tokenId) external {
        _requireHolder(tokenId);
        _interact(tokenId, msg.sender);
    }

    /// @notice The same for a work's holder, who signed it (EIP-712; a contract answers by EIP-1271).
    /// @param tokenId the work
    /// @param deadline seconds since 1970, included
    /// @param signature of `digestOf`; good for one interaction, the next of this work
    function interactFor(uint256 tokenId, uint256 deadline, bytes calldata signature) external {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline);
        address holder = collection.ownerOf(tokenId);
        if (!SignatureChecker.isValidSignatureNowCalldata(holder, digestOf(tokenId, deadline), signature)) {
            revert BadSignature(tokenId, holder);
        }
        _interact(tokenId, holder);
    }

    /// @notice Tell markets all levels of a work as they are now; anybody may.
    /// @param tokenId the work
    function refresh(uint256 tokenId) external {
        uint256[] memory levels = levelsOf(tokenId);
        bytes32[] memory keys = new bytes32[](levels.length);
        bytes32[] memory values = new bytes32[](levels.length);
        for (uint256 k = 0; k < levels.length; ++k) {
            (keys[k], values[k]) = (Rules.keyOf(_rules[k]), bytes32(levels[k]));
        }
        collection.moved(tokenId, keys, values);
    }

    /// @notice Everything about a work as it is now, as a data URI of JSON.
    /// @param tokenId the work
    /// @param word what it follows from
    function tokenURI(uint256 tokenId, bytes32 word) external view returns (string memory) {
        uint256[] memory levels = levelsOf(tokenId);
        string memory more = "";
        for (uint256 k = 0; k < levels.length; ++k) {
            more = string.concat(more, k == 0 ? "" : ",", Rules.attribute(_rules[k], levels[k]));
        }
        return painter.movedURI(tokenId, word, _moved(word, levels), more);
    }

    /// @notice What a work is drawn from now.
    /// @param tokenId the work
    /// @param word what it follows from
    function latentsOf(uint256 tokenId, bytes32 word) external view returns (bytes32) {
        return _moved(word, levelsOf(tokenId));
    }

    /// @notice Levels of a work by keys of traits.
    /// @param tokenId the work
    /// @param traitKeys keccak256 of each rule's name
    function traitsOf(uint256 tokenId, bytes32[] calldata traitKeys) external view returns (bytes32[] memory values) {
        address holder = collection.ownerOf(tokenId);
        values = new bytes32[](traitKeys.length);
        for (uint256 i = 0; i < traitKeys.length; ++i) {
            values[i] = bytes32(_level(_ruleOf(traitKeys[i]), tokenId, holder));
        }
    }

    /// @notice What traits there are, as ERC-7496 wants it: a data URI of JSON.
    function traitMetadataURI() external view returns (string memory) {
        string memory traits = "";
        for (uint256 k = 0; k < _rules.length; ++k) {
            traits = string.concat(traits, k == 0 ? "" : ",", Rules.trait(_rules[k]));
        }
        bytes memory json = bytes(string.concat('{"traits":{', traits, "}}"));
        return string.concat("data:application/json;base64,", Base64.encode(json));
    }

    /// @notice The rules, in their order.
    function rules() external view returns (Rule[] memory) {
        return _rules;
    }

    /// @notice How many epochs were published.
    function epochCount() external view returns (uint256) {
        return _epochs.length;
    }

    /// @notice What is kept of a work. The proven levels are bytes of a number, that of the first rule the lowest.
    /// @param tokenId the work
    function stateOf(uint256 tokenId) external view returns (State memory) {
        return _states[tokenId];
    }

    /// @notice The position that counts for a work, or zero.
    /// @param rule that asks for positions
    /// @param tokenId the work
    function positionOf(uint256 rule, uint256 tokenId) external view returns (uint256) {
        return _positions[rule][tokenId];
    }

    /// @notice An epoch.
    /// @param epoch from 1
    function epochOf(uint256 epoch) public view returns (Epoch memory) {
        if (epoch == 0 || epoch > _epochs.length) revert UnknownEpoch(epoch);
        return _epochs[epoch - 1];
    }

    /// @notice The levels of a work now, in the order of the rules.
    /// @param tokenId the work
    function levelsOf(uint256 tokenId) public view returns (uint256[] memory levels) {
        address holder = collection.ownerOf(tokenId);
        levels = new uint256[](_rules.length);
        for (uint256 k = 0; k < levels.length; ++k) {
            levels[k] = _level(k, tokenId, holder);
        }
    }

    /// @notice What a work's holder signs for its next interaction.
    /// @param tokenId the work
    /// @param deadline seconds since 1970, included
    function digestOf(uint256 tokenId, uint256 deadline) public view returns (bytes32) {
        uint256 count = uint256(_states[tokenId].interactions) + 1;
        address holder = collection.ownerOf(tokenId);
        return _hashTypedDataV4(keccak256(abi.encode(INTERACTION, holder, tokenId, count, deadline)));
    }

    function _interact(uint256 tokenId, address holder) private {
        State storage state = _states[tokenId];
        uint256 nextAt = uint256(state.interactedAt) + periodS;
        if (state.interactions > 0 && block.timestamp < nextAt) revert TooEarly(tokenId, nextAt);
        uint32 before = state.interactions;
        (state.interactions, state.interactedAt) = (before + 1, SafeCast.toUint64(block.timestamp));
        emit Interacted(tokenId, holder, uint256(before) + 1);
        for (uint256 k = 0; k < _rules.length; ++k) {
            Rule storage rule = _rules[k];
            if (rule.source != Source.Interactions) continue;
            uint256 level = Levels.level(uint256(before) + 1, rule.offset, rule.highest);
            if (level != Levels.level(before, rule.offset, rule.highest)) _tell(k, tokenId, level);
        }
    }

    /// @dev Proven levels as they are kept.
    function _packed(uint8[] calldata levels) private view returns (uint64) {
        uint256 kept = 0;
        uint256 read = 0;
        for (uint256 k = 0; k < _rules.length; ++k) {
            if (!Rules.isProven(_rules[k].source)) continue;
            if (read == levels.length) revert NotSoManyLevels(levels.length, read + 1);
            uint256 level = levels[read++];
            if (level > _rules[k].highest) revert LevelTooHigh(k, level);
            kept |= level << (8 * k);
        }
        if (read != levels.length) revert NotSoManyLevels(levels.length, read);
        return uint64(kept);
    }

    /// @dev A work's position under a rule, without a look at who has it.
    function _setPosition(uint256 rule, uint256 tokenId, uint256 positionId) private {
        delete _works[rule][_positions[rule][tokenId]];
        _positions[rule][tokenId] = positionId;
        if (positionId != 0) _works[rule][positionId] = tokenId;
        emit PositionNamed(rule, tokenId, positionId);
    }

    /// @dev Have the collection tell markets a level.
    function _tell(uint256 rule, uint256 tokenId, uint256 level) private {
        bytes32[] memory keys = new bytes32[](1);
        bytes32[] memory values = new bytes32[](1);
        (keys[0], values[0]) = (Rules.keyOf(_rules[rule]), bytes32(level));
        collection.moved(tokenId, keys, values);
    }

    /// @dev The level of a work now under a rule.
    function _level(uint256 k, uint256 tokenId, address holder) private view returns (uint256) {
        Rule storage rule = _rules[k];
        if (Rules.isProven(rule.source)) return uint8(_states[tokenId].proven >> (8 * k));
        return Levels.level(_quantity(k, tokenId, holder), rule.offset, rule.highest);
    }

    /// @dev The quantity of a work now under a rule that is not proven.
    function _quantity(uint256 k, uint256 tokenId, address holder) private view returns (uint256) {
        Rule storage rule = _rules[k];
        if (rule.source == Source.Interactions) return _states[tokenId].interactions;
        if (rule.source == Source.Stake) return Peers.stakeAge(rule.peer, tokenId, holder);
        if (rule.source == Source.Share) return Peers.share(rule.peer, holder, collection.balanceOf(holder));
        uint256 positionId = _positions[k][tokenId];
        return positionId == 0 ? 0 : Peers.liquidity(rule.peer, rule.pool, _pools[k], positionId, holder);
    }

    /// @dev The latents of a word, moved.
    function _moved(bytes32 word, uint256[] memory levels) private view returns (bytes32) {
        bytes32[] memory directions = new bytes32[](levels.length);
        for (uint256 k = 0; k < levels.length; ++k) {
            directions[k] = _rules[k].direction;
        }
        return Levels.move(painter.latentsOf(word), levels, directions);
    }

    /// @dev The rule of a trait.
    function _ruleOf(bytes32 traitKey) private view returns (uint256) {
        for (uint256 k = 0; k < _rules.length; ++k) {
            if (Rules.keyOf(_rules[k]) == traitKey) return k;
        }
        revert IERC7496.TraitKeyUnknown(traitKey);
    }

    function _requireHolder(uint256 tokenId) private view {
        if (collection.ownerOf(tokenId) != msg.sender) revert NotTheHolder(tokenId, msg.sender);
    }
}
