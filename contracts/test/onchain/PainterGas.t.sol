// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Painter} from "../../src/onchain/Painter.sol";
import {vm} from "../Cheats.sol";
import {PainterTest} from "./PainterTest.sol";

/// @title What a picture would cost as a transaction; `eth_call` costs nothing, but nodes bound it
contract PainterGasTest is PainterTest {
    /// @notice The same for every network and word, but for the letters of a label.
    function test_pictures() public {
        Painter painter = new Painter(NETWORK, LABEL);
        painter.picture(0);
        vm.snapshotGasLastCall("Painter", "picture");
        painter.tokenURI(1, 0);
        vm.snapshotGasLastCall("Painter", "tokenURI");
    }
}
