// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Evolution, IEvolving} from "../../src/evolution/Evolution.sol";
import {EvolvingCollection} from "../../src/evolution/EvolvingCollection.sol";
import {IERC7496} from "../../src/evolution/IERC7496.sol";
import {Rule, Rules, Source} from "../../src/evolution/Rules.sol";
import {vm} from "../Cheats.sol";
import {EvolutionTest} from "./EvolutionTest.sol";

/// @title A wallet that is a contract and agrees to one digest
contract Wallet is IERC1271 {
    bytes32 private immutable _digest;

    constructor(bytes32 digest) {
        _digest = digest;
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata) external view returns (bytes4) {
        return hash == _digest ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @title How works change, and by whom
contract EvolutionUnitTest is EvolutionTest {
    uint256 private constant KEY = 0x5EED;

    /// @notice A new work is what its word says, and its attributes say that nothing has happened.
    function test_a_new_work_is_where_it_began() public {
        vm.assertEq(_sum(2), 0);
        bytes32 word = evolving.wordOf(2);
        vm.assertEq(evolution.latentsOf(2, word), painter.latentsOf(word));
        vm.assertEq(evolving.tokenURI(2), evolution.tokenURI(2, word));
        vm.assertEq(evolving.tokenURI(2), painter.movedURI(2, word, painter.latentsOf(word), _attributes("000000")));
    }

    /// @notice What happened is in the picture and in the attributes.
    function test_a_work_is_drawn_as_it_has_moved() public {
        string memory attributes = _attributes("321000");
        _prove(1, 3, 2);
        vm.prank(ALICE);
        evolution.interact(1);
        bytes32 z = painter.latentsOf(evolving.wordOf(1));
        bytes32 moved = evolution.latentsOf(1, evolving.wordOf(1));
        vm.assertEq(uint8(moved[0]), _clamp(int256(uint256(uint8(z[0]))) + 3));
        vm.assertEq(uint8(moved[4]), _clamp(int256(uint256(uint8(z[4]))) + 4));
        vm.assertEq(uint8(moved[5]), _clamp(int256(uint256(uint8(z[5]))) - 4));
        vm.assertEq(uint8(moved[10]), _clamp(int256(uint256(uint8(z[10]))) + 127));
        vm.assertEq(uint8(moved[11]), _clamp(int256(uint256(uint8(z[11]))) - 128));
        vm.assertEq(moved << 96, z << 96);
        string memory expected = painter.movedURI(1, evolving.wordOf(1), moved, attributes);
        vm.assertEq(evolving.tokenURI(1), expected);
        vm.assertTrue(keccak256(painter.draw(moved)) != keccak256(painter.draw(z)));
    }

    /// @notice Before its reveal a work is where its server is, with levels or without.
    function test_a_work_that_is_not_revealed_is_not_painted() public {
        vm.warp(START);
        vm.roll(1_000);
        _open(_fixedBody(5, 1), _public(0));
        _buy(ALICE, 2, 0, 1, PRICE_WEI);
        vm.assertTrue(bytes(evolving.tokenURI(5)).length < 200);
        vm.assertEq(evolution.levelsOf(5).length, 6);
    }

    /// @notice A work without a holder has no levels.
    function test_a_work_that_is_not_there_has_no_levels() public {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 5));
        evolution.levelsOf(5);
    }

    // epochs

    /// @notice The owner publishes, markets hear of it, and anybody proves.
    function test_an_epoch_is_published_and_proven() public {
        bytes32 snapshotHash = keccak256("snapshot");
        bytes32 root = keccak256(abi.encode(keccak256(abi.encode(1, 2, snapshotHash, 4, 5))));
        vm.expectEmit(address(evolution));
        emit Evolution.EpochPublished(1, root, snapshotHash);
        vm.expectEmit(address(evolving));
        emit IERC4906.BatchMetadataUpdate(1, 4);
        vm.assertEq(evolution.publish(root, snapshotHash), 1);
        vm.expectEmit(address(evolution));
        emit Evolution.Proven(2, 1, _levels(4, 5));
        vm.expectEmit(address(evolving));
        emit IERC7496.TraitUpdated(_key(VOLUME), 2, bytes32(uint256(4)));
        vm.expectEmit(address(evolving));
        emit IERC4906.MetadataUpdate(2);
        vm.expectEmit(address(evolving));
        emit IERC7496.TraitUpdated(_key(VOTES), 2, bytes32(uint256(5)));
        vm.prank(BOB);
        evolution.prove(1, 2, _levels(4, 5), new bytes32[](0));
        vm.assertEq(_level(VOLUME, 2), 4);
        vm.assertEq(_level(VOTES, 2), 5);
        vm.assertEq(evolution.stateOf(2).epoch, 1);
    }

    /// @notice Of two leaves each has a proof.
    function test_a_proof_leads_to_the_root() public {
        bytes32 a = keccak256(abi.encode(keccak256(abi.encode(1, 1, bytes32(0), 1, 2))));
        bytes32 b = keccak256(abi.encode(keccak256(abi.encode(1, 2, bytes32(0), 3, 4))));
        evolution.publish(keccak256(a < b ? abi.encode(a, b) : abi.encode(b, a)), 0);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = b;
        evolution.prove(1, 1, _levels(1, 2), proof);
        vm.expectRevert(abi.encodeWithSelector(Evolution.NotInTheEpoch.selector, 2, 1));
        evolution.prove(1, 2, _levels(3, 4), proof);
        proof[0] = a;
        evolution.prove(1, 2, _levels(3, 4), proof);
        vm.assertEq(_level(VOTES, 2), 4);
    }

    /// @notice Strangers do not publish, and an epoch is something.
    function test_others_do_not_publish() public {
        vm.expectRevert(abi.encodeWithSelector(Evolution.NotTheOwner.selector, ALICE));
        vm.prank(ALICE);
        evolution.publish(keccak256("root"), 0);
        vm.expectRevert(abi.encodeWithSelector(Evolution.NoRoot.selector));
        evolution.publish(0, keccak256("snapshot"));
    }

    /// @notice What an epoch does not say is refused: other levels, another work, another epoch.
    function test_what_an_epoch_does_not_say_is_refused() public {
        _publish(1, 3, 2);
        _publish(2, 3, 2);
        bytes32[] memory none = new bytes32[](0);
        vm.expectRevert(abi.encodeWithSelector(Evolution.NotInTheEpoch.selector, 1, 1));
        evolution.prove(1, 1, _levels(3, 3), none);
        vm.expectRevert(abi.encodeWithSelector(Evolution.NotInTheEpoch.selector, 2, 1));
        evolution.prove(1, 2, _levels(3, 2), none);
        vm.expectRevert(abi.encodeWithSelector(Evolution.NotInTheEpoch.selector, 1, 2));
        evolution.prove(2, 1, _levels(3, 2), none);
        for (uint256 epoch = 0; epoch < 4; epoch += 3) {
            vm.expectRevert(abi.encodeWithSelector(Evolution.UnknownEpoch.selector, epoch));
            evolution.prove(epoch, 1, _levels(3, 2), none);
        }
    }

    /// @notice Levels of an epoch replace those of earlier ones, never those of a later one.
    function test_an_epoch_is_proven_once_and_in_order() public {
        _publish(1, 3, 2);
        _prove(1, 0, 9);
        vm.assertEq(_level(VOLUME, 1), 0);
        for (uint256 epoch = 1; epoch < 3; ++epoch) {
            vm.expectRevert(abi.encodeWithSelector(Evolution.NotNewer.selector, 1, epoch));
            evolution.prove(epoch, 1, epoch == 1 ? _levels(3, 2) : _levels(0, 9), new bytes32[](0));
        }
        _prove(1, 1, 9);
        vm.assertEq(_level(VOLUME, 1), 1);
    }

    /// @notice The operator cannot go beyond the rules either.
    function test_a_level_above_its_rule_is_refused() public {
        _publish(1, 3, 11);
        vm.expectRevert(abi.encodeWithSelector(Evolution.LevelTooHigh.selector, VOTES, 11));
        evolution.prove(1, 1, _levels(3, 11), new bytes32[](0));
    }

    /// @notice As many levels as proven rules.
    function test_another_number_of_levels_is_refused() public {
        for (uint256 n = 1; n < 4; n += 2) {
            bytes memory leaf = abi.encode(evolution.epochCount() + 1, 1, bytes32(0), 3);
            if (n == 3) leaf = bytes.concat(leaf, abi.encode(3, 3));
            evolution.publish(keccak256(abi.encode(keccak256(leaf))), 0);
            uint8[] memory levels = new uint8[](n);
            for (uint256 i = 0; i < n; ++i) {
                levels[i] = 3;
            }
            uint256 epoch = evolution.epochCount();
            vm.expectRevert(abi.encodeWithSelector(Evolution.NotSoManyLevels.selector, n, 2));
            evolution.prove(epoch, 1, levels, new bytes32[](0));
        }
    }

    // interactions

    /// @notice Each one counts, a level takes twice as many as the one before.
    function test_interactions_count() public {
        for (uint256 n = 1; n < 9; ++n) {
            vm.warp(END + n * PERIOD_S);
            vm.expectEmit(address(evolution));
            emit Evolution.Interacted(1, ALICE, n);
            if (n == 1 || n == 2 || n == 4 || n == 8) {
                vm.expectEmit(address(evolving));
                emit IERC4906.MetadataUpdate(1);
            }
            vm.prank(ALICE);
            evolution.interact(1);
        }
        vm.assertEq(_level(INTERACTIONS, 1), 4);
    }

    /// @notice Once a period, each work for itself.
    function test_interactions_are_limited() public {
        vm.prank(ALICE);
        evolution.interact(1);
        vm.prank(ALICE);
        evolution.interact(2);
        vm.warp(END + PERIOD_S - 1);
        vm.expectRevert(abi.encodeWithSelector(Evolution.TooEarly.selector, 1, END + PERIOD_S));
        vm.prank(ALICE);
        evolution.interact(1);
        vm.warp(END + PERIOD_S);
        vm.prank(ALICE);
        evolution.interact(1);
        vm.assertEq(evolution.stateOf(1).interactions, 2);
    }

    /// @notice Only its holder interacts with a work.
    function test_strangers_do_not_interact() public {
        vm.expectRevert(abi.encodeWithSelector(Evolution.NotTheHolder.selector, 1, BOB));
        vm.prank(BOB);
        evolution.interact(1);
    }

    /// @notice A signature does it too: of this holder, for this time, once.
    function test_a_holder_can_sign() public {
        _give(1, vm.addr(KEY));
        bytes memory signature = _sign(KEY, 1, END);
        vm.expectEmit(address(evolution));
        emit Evolution.Interacted(1, vm.addr(KEY), 1);
        evolution.interactFor(1, END, signature);
        vm.warp(END + PERIOD_S);
        vm.expectRevert(abi.encodeWithSelector(Evolution.DeadlinePassed.selector, END));
        evolution.interactFor(1, END, signature);
        signature = _sign(KEY, 1, END + 9 * PERIOD_S);
        evolution.interactFor(1, END + 9 * PERIOD_S, signature);
        vm.warp(END + 2 * PERIOD_S);
        vm.expectRevert(abi.encodeWithSelector(Evolution.BadSignature.selector, 1, vm.addr(KEY)));
        evolution.interactFor(1, END + 9 * PERIOD_S, signature);
    }

    /// @notice Nobody else signs, nor for another work or time, nor after a transfer.
    function test_another_signature_is_refused() public {
        _give(1, vm.addr(KEY));
        _give(2, vm.addr(KEY));
        bytes memory signature = _sign(KEY, 1, END);
        vm.expectRevert(abi.encodeWithSelector(Evolution.BadSignature.selector, 2, vm.addr(KEY)));
        evolution.interactFor(2, END, signature);
        vm.expectRevert(abi.encodeWithSelector(Evolution.BadSignature.selector, 1, vm.addr(KEY)));
        evolution.interactFor(1, END + 1, signature);
        bytes memory other = _sign(KEY + 1, 1, END);
        vm.expectRevert(abi.encodeWithSelector(Evolution.BadSignature.selector, 1, vm.addr(KEY)));
        evolution.interactFor(1, END, other);
        vm.prank(vm.addr(KEY));
        collection.transferFrom(vm.addr(KEY), BOB, 1);
        vm.expectRevert(abi.encodeWithSelector(Evolution.BadSignature.selector, 1, BOB));
        evolution.interactFor(1, END, signature);
    }

    /// @notice A wallet that is a contract answers for itself.
    function test_a_contract_can_sign() public {
        address wallet = address(0xC0DE);
        _give(1, wallet);
        vm.etch(wallet, address(new Wallet(evolution.digestOf(1, END))).code);
        vm.expectRevert(abi.encodeWithSelector(Evolution.BadSignature.selector, 1, wallet));
        evolution.interactFor(1, END + 1, "");
        evolution.interactFor(1, END, "");
        vm.assertEq(evolution.stateOf(1).interactions, 1);
    }

    // stakes

    /// @notice A stake ages, and is nothing once it is taken back.
    function test_a_stake_ages() public {
        vm.prank(ALICE);
        staking.stake(_only(1));
        vm.assertEq(_level(STAKE, 1), 0);
        vm.warp(END + 65_536);
        vm.assertEq(_level(STAKE, 1), 1);
        vm.warp(END + 4 * 65_536);
        vm.assertEq(_level(STAKE, 1), 3);
        vm.assertEq(_level(STAKE, 2), 0);
        vm.warp(END + 65_536 * 1_000_000);
        vm.assertEq(_level(STAKE, 1), 9);
        vm.prank(ALICE);
        staking.unstake(_only(1));
        vm.assertEq(_level(STAKE, 1), 0);
    }

    // rules

    /// @notice What was given is what is answered.
    function test_rules_are_as_they_were_given() public view {
        vm.assertEq(keccak256(abi.encode(evolution.rules())), keccak256(abi.encode(_rules())));
        vm.assertEq(evolution.periodS(), PERIOD_S);
    }

    /// @notice 1 to 8, with a time between interactions.
    function test_too_few_or_many_rules_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(Rules.NotSoManyRules.selector, 0));
        new Evolution(IEvolving(address(evolving)), new Rule[](0), PERIOD_S);
        vm.expectRevert(abi.encodeWithSelector(Rules.NotSoManyRules.selector, 9));
        new Evolution(IEvolving(address(evolving)), new Rule[](9), PERIOD_S);
        Rule[] memory rules = _rules();
        vm.expectRevert(abi.encodeWithSelector(Evolution.NoPeriod.selector));
        new Evolution(IEvolving(address(evolving)), rules, 0);
    }

    /// @notice A rule has levels and a name of its own that JSON takes as it is.
    function test_rules_without_levels_or_names_are_refused() public {
        Rule[] memory rules = _rules();
        rules[1].highest = 0;
        _refuses(rules, abi.encodeWithSelector(Rules.NoLevels.selector, 1));
        string[6] memory names = ["", "a\"b", "a\\b", "a\nb", unicode"é", "a name of thirty-two letters, one too many"];
        for (uint256 i = 0; i < 6; ++i) {
            rules = _rules();
            rules[2].name = names[i];
            _refuses(rules, abi.encodeWithSelector(Rules.BadName.selector, 2));
        }
        rules[2].name = "volume";
        _refuses(rules, abi.encodeWithSelector(Rules.BadName.selector, 2));
    }

    /// @notice Peers are what their source needs, and no peer is named in vain.
    function test_rules_with_other_peers_are_refused() public {
        for (uint256 k = 0; k < 6; ++k) {
            Rule[] memory rules = _rules();
            rules[k].peer = rules[k].peer == address(0) ? ALICE : address(0);
            _refuses(rules, abi.encodeWithSelector(Rules.BadPeer.selector, k, rules[k].peer));
            rules = _rules();
            rules[k].pool = rules[k].pool == address(0) ? address(pool) : address(pair);
            _refuses(rules, abi.encodeWithSelector(Rules.BadPeer.selector, k, rules[k].peer));
        }
        Rule[] memory others = _rules();
        others[STAKE].peer = address(pair);
        _refuses(others, abi.encodeWithSelector(Rules.BadPeer.selector, STAKE, address(pair)));
    }

    // traits

    /// @notice Levels are ERC-7496's traits.
    function test_levels_are_traits() public {
        _prove(1, 3, 2);
        bytes32[] memory keys = new bytes32[](2);
        (keys[0], keys[1]) = (_key(VOTES), _key(VOLUME));
        bytes32[] memory values = evolving.getTraitValues(1, keys);
        vm.assertEq(values.length, 2);
        vm.assertEq(values[0], bytes32(uint256(2)));
        vm.assertEq(values[1], bytes32(uint256(3)));
        vm.assertEq(evolving.getTraitValue(1, keys[1]), bytes32(uint256(3)));
        vm.assertTrue(evolving.supportsInterface(0xaf332f3e));
        vm.assertTrue(type(IERC7496).interfaceId == bytes4(0xaf332f3e));
        vm.assertTrue(evolving.supportsInterface(0x80ac58cd));
        vm.assertFalse(evolving.supportsInterface(0xffffffff));
    }

    /// @notice Unknown traits and works are refused, and nobody sets a trait.
    function test_traits_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IERC7496.TraitKeyUnknown.selector, keccak256("luck")));
        evolving.getTraitValue(1, keccak256("luck"));
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 5));
        evolving.getTraitValue(5, keccak256("volume"));
        vm.expectRevert(abi.encodeWithSelector(EvolvingCollection.TraitsCannotBeSet.selector, 1, keccak256("volume")));
        evolving.setTrait(1, keccak256("volume"), bytes32(uint256(1)));
    }

    /// @notice JSON says which traits there are.
    function test_traits_are_described() public {
        Rule[] memory rules = new Rule[](2);
        (rules[0], rules[1]) = (_rules()[0], _rules()[2]);
        evolution = new Evolution(IEvolving(address(evolving)), rules, 1);
        string memory volume =
            '"volume":{"displayName":"volume","dataType":{"type":"decimal","minValue":0,"maxValue":10}}';
        string memory second =
            '"interactions":{"displayName":"interactions","dataType":{"type":"decimal","minValue":0,"maxValue":6}}';
        string memory json = string.concat('{"traits":{', volume, ",", second, "}}");
        string memory uri = string.concat("data:application/json;base64,", Base64.encode(bytes(json)));
        vm.assertEq(evolution.traitMetadataURI(), uri);
        vm.assertEq(evolving.getTraitMetadataURI(), Evolution(evolving.evolution()).traitMetadataURI());
    }

    /// @notice Anybody has markets told what time and pools did.
    function test_levels_are_told_to_markets() public {
        vm.prank(ALICE);
        staking.stake(_only(1));
        vm.warp(END + 65_536);
        uint256[6] memory expected = [uint256(0), 0, 0, 1, 0, 8];
        for (uint256 k = 0; k < 6; ++k) {
            vm.expectEmit(address(evolving));
            emit IERC7496.TraitUpdated(_key(k), 1, bytes32(expected[k]));
        }
        vm.expectEmit(address(evolving));
        emit IERC4906.MetadataUpdate(1);
        evolution.refresh(1);
    }

    // the collection

    /// @notice Without an evolution a work is painted as its word says, and has no traits.
    function test_without_an_evolution_nothing_moves() public {
        _again();
        vm.assertEq(evolving.tokenURI(1), painter.tokenURI(1, evolving.wordOf(1)));
        vm.assertEq(evolving.getTraitMetadataURI(), "");
        vm.assertEq(evolving.getTraitValues(1, new bytes32[](0)).length, 0);
        vm.expectRevert(abi.encodeWithSelector(IERC7496.TraitKeyUnknown.selector, keccak256("volume")));
        evolving.getTraitValue(1, keccak256("volume"));
        vm.expectRevert(abi.encodeWithSelector(EvolvingCollection.EvolutionTooLate.selector, 1));
        evolving.setEvolution(evolution);
    }

    /// @notice The law is given once, by the owner, and is this collection's.
    function test_an_evolution_is_set_once() public {
        vm.expectRevert(abi.encodeWithSelector(EvolvingCollection.EvolutionAlreadySet.selector, evolution));
        evolving.setEvolution(evolution);
        _deploy();
        vm.expectRevert(abi.encodeWithSelector(EvolvingCollection.NotOfThisCollection.selector, evolution));
        evolving.setEvolution(evolution);
        Rule[] memory rules = new Rule[](1);
        rules[0] = _rules()[0];
        evolution = new Evolution(IEvolving(address(evolving)), rules, 1);
        vm.expectEmit(address(evolving));
        emit EvolvingCollection.EvolutionSet(address(evolution));
        evolving.setEvolution(evolution);
        vm.assertEq(evolving.evolution(), address(evolution));
        evolution.publish(keccak256("root"), 0);
    }

    /// @notice Only the evolution says that works moved.
    function test_strangers_do_not_move_works() public {
        vm.expectRevert(abi.encodeWithSelector(EvolvingCollection.NotTheEvolution.selector, address(this)));
        evolving.moved(1, new bytes32[](0), new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(EvolvingCollection.NotTheEvolution.selector, address(this)));
        evolving.movedAll();
    }

    /// @dev A new collection without an evolution.
    function _again() private {
        vm.warp(START);
        vm.roll(1_000);
        collection = _deploy();
        _sellAndReveal();
    }

    function _refuses(Rule[] memory rules, bytes memory reason) private {
        vm.expectRevert(reason);
        new Evolution(IEvolving(address(evolving)), rules, PERIOD_S);
    }

    function _give(uint256 tokenId, address wallet) private {
        vm.prank(ALICE);
        collection.transferFrom(ALICE, wallet, tokenId);
    }

    function _sign(uint256 key, uint256 tokenId, uint256 deadline) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, evolution.digestOf(tokenId, deadline));
        return abi.encodePacked(r, s, v);
    }

    function _sum(uint256 tokenId) private returns (uint256 sum) {
        pair.say(bytes4(keccak256("balanceOf(address)")), abi.encode(0));
        for (uint256 k = 0; k < 6; ++k) {
            sum += _level(k, tokenId);
        }
    }

    /// @dev What the JSON has of these levels, a digit each; without a pair.
    function _attributes(bytes memory digits) private returns (string memory all) {
        pair.say(bytes4(keccak256("balanceOf(address)")), abi.encode(0));
        Rule[] memory rules = _rules();
        for (uint256 k = 0; k < 6; ++k) {
            string memory level = string(bytes.concat(digits[k]));
            all = string.concat(all, k == 0 ? "" : ",", '{"trait_type":"', rules[k].name, '","value":', level);
            string[6] memory highest = ["10", "10", "6", "9", "30", "12"];
            all = string.concat(all, ',"display_type":"number","max_value":', highest[k], "}");
        }
    }

    function _clamp(int256 z) private pure returns (uint256) {
        return z < 0 ? 0 : z > 255 ? 255 : uint256(z);
    }
}
