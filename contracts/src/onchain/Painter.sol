// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Canvas} from "./Canvas.sol";

/// @title Paints works inside the chain: picture and metadata in full, without a server
/// @notice A work follows from one word. The same word gives the same picture for ever, as nothing here can change.
/// @dev Two contracts hold bytes: the network that draws, and the label that says what works are called and which
/// values their attributes have. Both are described in `minting/evolution/packing.py`. Every function is meant for
/// `eth_call`. Not guaranteed: that the network draws what the label says, or that texts of the label fit into JSON.
contract Painter {
    /// @notice Where the network is.
    address public immutable network;
    /// @notice Where the label is.
    address public immutable label;

    /// @dev The head of a BMP of 32 x 32 pixels of 24 bits, the lowest row first.
    bytes private constant BMP_HEAD = hex"424d360c0000000000003600000028000000" hex"2000000020000000010018000000000000"
        hex"0c000000000000000000000000000000000000";

    /// @dev A label that is being read: its bytes, and how many were.
    struct Reader {
        bytes text;
        uint256 place;
    }

    /// @notice There is no network of the right length, or it could be run.
    error NotANetwork(address network, uint256 length);
    /// @notice There is no label, it ends too early or too late, its thresholds do not rise to 256, or its codes are
    /// longer than the latents.
    error NotALabel(address label);

    /// @param network_ where the network is
    /// @param label_ where the label is
    constructor(address network_, address label_) {
        bytes memory code = network_.code;
        if (code.length != Canvas.NETWORK_BYTES || code[0] != 0) revert NotANetwork(network_, code.length);
        _check(label_);
        (network, label) = (network_, label_);
    }

    /// @notice Everything about a work, as a data URI of JSON.
    /// @param tokenId what it is called by
    /// @param word what it follows from
    function tokenURI(uint256 tokenId, bytes32 word) external view returns (string memory) {
        return _uri(describe(tokenId, word));
    }

    /// @notice Everything about a work that has moved on from its word, as a data URI of JSON.
    /// @param tokenId what it is called by
    /// @param word what its attributes follow from
    /// @param latents what it is drawn from now
    /// @param more attributes that are named after those, as JSON with commas between them
    function movedURI(uint256 tokenId, bytes32 word, bytes32 latents, string calldata more)
        external
        view
        returns (string memory)
    {
        (string memory head,, string memory attributes) = _about(tokenId, word);
        string memory comma = bytes(attributes).length == 0 || bytes(more).length == 0 ? "" : ",";
        return _uri(_join(head, string.concat(attributes, comma, more), latents));
    }

    /// @notice Everything about a work, as JSON: name, description, attributes, and the picture as a data URI.
    /// @param tokenId what it is called by
    /// @param word what it follows from
    function describe(uint256 tokenId, bytes32 word) public view returns (string memory) {
        (string memory head, bytes32 latents, string memory attributes) = _about(tokenId, word);
        return _join(head, attributes, latents);
    }

    /// @notice The 32 bytes that a work is drawn from.
    /// @param word what it follows from: byte j chooses the value of attribute j, whose code goes to the latents; what
    /// no code fills stays as it is in the word
    function latentsOf(bytes32 word) external view returns (bytes32 latents) {
        Reader memory reader = Reader(label.code, 1);
        _skipTitle(reader);
        (latents,) = _read(reader, word);
    }

    /// @notice A picture as a data URI of a BMP.
    /// @param latents what it is drawn from
    function picture(bytes32 latents) public view returns (string memory) {
        bytes memory bmp = bytes.concat(BMP_HEAD, Canvas.draw(network, latents));
        return string.concat("data:image/bmp;base64,", Base64.encode(bmp));
    }

    /// @notice A picture as red, green, blue of each pixel, the uppermost row first.
    /// @param latents what it is drawn from
    function draw(bytes32 latents) external view returns (bytes memory pixels) {
        bytes memory bmp = Canvas.draw(network, latents);
        pixels = new bytes(bmp.length);
        for (uint256 row = 0; row < bmp.length; row += 96) {
            for (uint256 i = row; i < row + 96; i += 3) {
                uint256 from = bmp.length - 96 - row + i - row;
                (pixels[i], pixels[i + 1], pixels[i + 2]) = (bmp[from + 2], bmp[from + 1], bmp[from]);
            }
        }
    }

    /// @dev The beginning of a work's JSON, its latents and the list of its attributes.
    function _about(uint256 tokenId, bytes32 word)
        private
        view
        returns (string memory head, bytes32 latents, string memory attributes)
    {
        Reader memory reader = Reader(label.code, 1);
        head = string.concat(
            '{"name":"',
            string(_take(reader, _number(reader, 1))),
            " #",
            Strings.toString(tokenId),
            '","description":"',
            string(_take(reader, _number(reader, 2)))
        );
        (latents, attributes) = _read(reader, word);
    }

    /// @dev A work's JSON.
    function _join(string memory head, string memory attributes, bytes32 latents) private view returns (string memory) {
        return string.concat(head, '","attributes":[', attributes, '],"image":"', picture(latents), '"}');
    }

    /// @dev JSON as a data URI.
    function _uri(string memory json) private pure returns (string memory) {
        return string.concat("data:application/json;base64,", Base64.encode(bytes(json)));
    }

    /// @dev Latents and the list of attributes of a word. A value without a name is an absent trait and left out.
    function _read(Reader memory reader, bytes32 word)
        private
        pure
        returns (bytes32 latents, string memory attributes)
    {
        uint256 count = _number(reader, 1);
        uint256 filled = 0;
        for (uint256 i = 0; i < count; ++i) {
            string memory name = string(_take(reader, _number(reader, 1)));
            uint256 values = _number(reader, 1);
            uint256 length = _number(reader, 1);
            (uint256 code, string memory value) = _choose(reader, values, length, uint8(word[i]));
            filled += length;
            latents |= bytes32(code << (256 - 8 * filled));
            if (bytes(value).length == 0) continue;
            string memory comma = bytes(attributes).length == 0 ? "" : ",";
            attributes = string.concat(attributes, comma, '{"trait_type":"', name, '","value":"', value, '"}');
        }
        if (filled < 32) latents |= word & bytes32(type(uint256).max >> (8 * filled));
    }

    /// @dev Code and name of the first value whose threshold is above the byte.
    function _choose(Reader memory reader, uint256 values, uint256 length, uint256 chosen)
        private
        pure
        returns (uint256 code, string memory value)
    {
        bool isFound = false;
        for (uint256 i = 0; i < values; ++i) {
            bool isIt = !isFound && chosen < _number(reader, 2);
            if (isFound) reader.place += 2;
            if (isIt) code = _number(reader, length);
            else reader.place += length;
            uint256 letters = _number(reader, 1);
            if (isIt) value = string(_take(reader, letters));
            else reader.place += letters;
            isFound = isFound || isIt;
        }
    }

    /// @dev Go on to the attributes.
    function _skipTitle(Reader memory reader) private pure {
        uint256 letters = _number(reader, 1);
        reader.place += letters;
        letters = _number(reader, 2);
        reader.place += letters;
    }

    /// @dev Refuse what is no label.
    function _check(address label_) private view {
        Reader memory reader = Reader(label_.code, 0);
        bool isGood = reader.text.length > 4 && _number(reader, 1) == 0;
        if (!isGood) revert NotALabel(label_);
        _skipTitle(reader);
        uint256 count = _number(reader, 1);
        uint256 filled = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 letters = _number(reader, 1);
            reader.place += letters;
            uint256 values = _number(reader, 1);
            uint256 length = _number(reader, 1);
            uint256 threshold = 0;
            for (uint256 k = 0; k < values; ++k) {
                uint256 next = _number(reader, 2);
                isGood = isGood && next >= threshold;
                threshold = next;
                reader.place += length;
                letters = _number(reader, 1);
                reader.place += letters;
            }
            isGood = isGood && threshold == 256 && length > 0;
            filled += length;
        }
        if (!isGood || filled > 32 || reader.place != reader.text.length) revert NotALabel(label_);
    }

    /// @dev The next bytes as a number; bytes after the end are zeros.
    function _number(Reader memory reader, uint256 length) private pure returns (uint256 number) {
        bytes memory text = reader.text;
        for (uint256 i = 0; i < length; ++i) {
            uint256 from = reader.place + i;
            number = number << 8 | (from < text.length ? uint8(text[from]) : 0);
        }
        reader.place += length;
    }

    /// @dev The next bytes.
    function _take(Reader memory reader, uint256 length) private pure returns (bytes memory taken) {
        taken = new bytes(length);
        bytes memory text = reader.text;
        uint256 from = reader.place;
        for (uint256 i = 0; i < length; ++i) {
            taken[i] = text[from + i];
        }
        reader.place = from + length;
    }
}
