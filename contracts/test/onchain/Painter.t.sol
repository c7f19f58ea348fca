// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Painter} from "../../src/onchain/Painter.sol";
import {Canvas} from "../../src/onchain/Canvas.sol";
import {vm} from "../Cheats.sol";
import {PainterParts} from "./PainterParts.sol";
import {PainterTest} from "./PainterTest.sol";

/// @title What a painter draws and says, and what it refuses to be made of
contract PainterUnitTest is PainterTest {
    Painter internal painter;

    /// @inheritdoc PainterTest
    function setUp() public override {
        super.setUp();
        painter = new Painter(NETWORK, LABEL);
    }

    /// @notice Every pixel is red, green, blue.
    function test_without_weights_the_biases_are_the_colour() public view {
        bytes memory pixels = painter.draw(0);
        vm.assertEq(pixels.length, 3_072);
        for (uint256 i = 0; i < pixels.length; i += 3) {
            vm.assertEq(uint24(bytes3(bytes.concat(pixels[i], pixels[i + 1], pixels[i + 2]))), 0xc86432);
        }
    }

    /// @notice Weights in every place; `minting/evolution/network.py` draws a picture with this hash.
    function test_a_network_of_noise_draws_what_numpy_draws() public {
        vm.etch(NETWORK, _noise());
        bytes32 expected = 0x39f7ea5e3f4626c60914ea69745ceab46df472cdb7079e5c14266ec950e3014e;
        vm.assertEq(keccak256(painter.draw(keccak256("latents"))), expected);
    }

    /// @notice Below 0 is 0, above 255 is 255, up to the largest bias.
    function test_colours_are_clipped() public {
        vm.etch(NETWORK, _network(-1, -524_288, 524_287));
        vm.assertEq(uint24(bytes3(_first(painter.draw(bytes32(type(uint256).max))))), 0x0000ff);
        vm.etch(NETWORK, _network(0, 256, 257));
        vm.assertEq(uint24(bytes3(_first(painter.draw(bytes32(type(uint256).max))))), 0x00ffff);
    }

    /// @notice A byte chooses each value, the rest stays.
    function test_latents_are_codes_and_the_rest_of_the_word() public view {
        bytes32 rest = bytes32(uint256(type(uint232).max));
        vm.assertEq(painter.latentsOf(0), bytes32(hex"0a0b0e"));
        vm.assertEq(painter.latentsOf(bytes32(hex"3f7f")), bytes32(hex"0a0b0e"));
        vm.assertEq(painter.latentsOf(bytes32(hex"4080")), bytes32(hex"0c0d0f"));
        vm.assertEq(painter.latentsOf(bytes32(type(uint256).max)), bytes32(hex"0c0d0f") | rest);
    }

    /// @notice For any word.
    function test_fuzz_latents(bytes32 word) public view {
        bytes32 expected = word & bytes32(uint256(type(uint232).max));
        expected |= uint8(word[0]) < 64 ? bytes32(hex"0a0b") : bytes32(hex"0c0d");
        expected |= uint8(word[1]) < 128 ? bytes32(hex"00000e") : bytes32(hex"00000f");
        vm.assertEq(painter.latentsOf(word), expected);
    }

    /// @notice Name, story, attributes and image; an absent trait is not named.
    function test_a_work_is_described() public view {
        string memory head = '{"name":"Work #12","description":"A story","attributes":[';
        string memory sky = '{"trait_type":"ground","value":"sky"}';
        string memory capped = '{"trait_type":"ground","value":"sea"},{"trait_type":"hat","value":"cap"}';
        string memory image = painter.picture(0);
        string memory tail = string.concat('],"image":"', image, '"}');
        vm.assertEq(painter.describe(12, 0), string.concat(head, sky, tail));
        vm.assertEq(painter.describe(12, bytes32(type(uint256).max)), string.concat(head, capped, tail));
    }

    /// @notice The same in base64.
    function test_a_token_uri_is_the_description() public view {
        string memory text = Base64.encode(bytes(painter.describe(3, 0)));
        vm.assertEq(painter.tokenURI(3, 0), string.concat("data:application/json;base64,", text));
    }

    /// @notice Whatever is drawn, it costs the same, as nothing is skipped.
    function test_every_picture_costs_the_same() public {
        PainterParts parts = new PainterParts();
        uint256[7] memory first = parts.parts(NETWORK, 0);
        uint256[7] memory other = parts.parts(NETWORK, keccak256("other"));
        for (uint256 i = 1; i < 7; ++i) {
            vm.assertEq(first[i], other[i]);
        }
    }

    /// @notice Too short, too long, not there.
    function test_a_network_of_another_length_is_refused() public {
        bytes memory code = _network(0, 0, 0);
        _refusesNetwork(bytes.concat(code, hex"00"));
        _refusesNetwork(_without(code));
        _refusesNetwork("");
    }

    /// @notice It must not be possible to run it.
    function test_a_network_that_runs_is_refused() public {
        bytes memory code = _network(0, 0, 0);
        code[0] = 0xff;
        _refusesNetwork(code);
    }

    /// @notice Too short, too long, not there, or it could be run.
    function test_a_label_of_another_length_is_refused() public {
        _refusesLabel(bytes.concat(_label(), hex"00"));
        _refusesLabel(_without(_label()));
        _refusesLabel("");
        bytes memory code = _label();
        code[0] = 0xff;
        _refusesLabel(code);
    }

    /// @notice A byte that chooses no value, or thresholds that fall.
    function test_thresholds_that_leave_bytes_out_are_refused() public {
        _refusesLabel(bytes.concat(hex"00", hex"00", hex"0000", hex"01", _hat(255)));
        _refusesLabel(bytes.concat(hex"00", hex"00", hex"0000", hex"01", _hat(257)));
        bytes memory falling = hex"000201" hex"01010000" hex"01000000";
        _refusesLabel(bytes.concat(hex"00", hex"00", hex"0000", hex"01", falling));
    }

    /// @notice 16 codes of two bytes fill the latents, one byte more is too many.
    function test_codes_longer_than_the_latents_are_refused() public {
        bytes memory code = hex"0000000010";
        for (uint256 i = 0; i < 16; ++i) {
            code = bytes.concat(code, _ground());
        }
        vm.etch(LABEL, code);
        vm.assertEq(new Painter(NETWORK, LABEL).latentsOf(0) >> 240, bytes32(uint256(0x0a0b)));
        code[4] = 0x11;
        _refusesLabel(bytes.concat(code, _hat(256)));
    }

    /// @notice An attribute whose values have no code would leave a byte to choose and to be kept.
    function test_codes_without_bytes_are_refused() public {
        _refusesLabel(hex"00000000" hex"0101610100" hex"010000");
    }

    function _refusesNetwork(bytes memory code) private {
        vm.etch(NETWORK, code);
        vm.expectRevert(abi.encodeWithSelector(Painter.NotANetwork.selector, NETWORK, code.length));
        new Painter(NETWORK, LABEL);
    }

    function _refusesLabel(bytes memory code) private {
        vm.etch(LABEL, code);
        vm.expectRevert(abi.encodeWithSelector(Painter.NotALabel.selector, LABEL));
        new Painter(NETWORK, LABEL);
    }

    function _without(bytes memory code) private pure returns (bytes memory shorter) {
        shorter = new bytes(code.length - 1);
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = code[i];
        }
    }

    function _first(bytes memory pixels) private pure returns (bytes memory) {
        return bytes.concat(pixels[0], pixels[1], pixels[2]);
    }
}
