// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Canvas} from "../../src/onchain/Canvas.sol";
import {Painter} from "../../src/onchain/Painter.sol";

/// @title What the parts of a picture cost, for `benchmarks/onchain.py`
contract PainterParts {
    /// @notice Gas of: reading the network, the linear layer, three 3 x 3 layers, colours, and the picture in base64.
    /// @param network where the network is
    /// @param latents what is drawn
    function parts(address network, bytes32 latents) external view returns (uint256[7] memory spent) {
        uint256 before = gasleft();
        uint256 room = Canvas.open(network);
        spent[0] = before - gasleft();
        before = gasleft();
        Canvas.start(room, latents);
        spent[1] = before - gasleft();
        for (uint256 i = 1; i < 4; ++i) {
            before = gasleft();
            Canvas.double(room, i);
            spent[1 + i] = before - gasleft();
        }
        before = gasleft();
        bytes memory picture = Canvas.colours(room);
        spent[5] = before - gasleft();
        before = gasleft();
        Base64.encode(picture);
        spent[6] = before - gasleft();
    }

    /// @notice Gas of: latents, the picture, the description, the token URI, each from outside.
    /// @param painter who draws
    /// @param word what is drawn
    function wholes(Painter painter, bytes32 word) external view returns (uint256[4] memory spent) {
        uint256 before = gasleft();
        bytes32 latents = painter.latentsOf(word);
        spent[0] = before - gasleft();
        before = gasleft();
        painter.picture(latents);
        spent[1] = before - gasleft();
        before = gasleft();
        painter.describe(1, word);
        spent[2] = before - gasleft();
        before = gasleft();
        painter.tokenURI(1, word);
        spent[3] = before - gasleft();
    }
}
