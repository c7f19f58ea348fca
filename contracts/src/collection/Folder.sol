// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Addresses of folders on IPFS
/// @notice A folder is stored as 32 bytes, the sha2-256 digest in its CID, and spelled out when somebody asks.
library Folder {
    bytes32 private constant ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

    /// @notice `ipfs://` and the CID, version 1, dag-pb, sha2-256, in base32, of a folder with this digest.
    /// @dev 36 bytes are 57.6 symbols of 5 bits, so the last symbol ends in two zero bits.
    /// @param digest the sha2-256 digest of the folder's block
    function uri(bytes32 digest) external pure returns (string memory) {
        bytes memory cid = abi.encodePacked(hex"01701220", digest);
        bytes memory text = new bytes(58);
        uint256 bits = 0;
        uint256 held = 0;
        uint256 place = 0;
        for (uint256 i = 0; i < cid.length; ++i) {
            bits = (bits << 8) | uint8(cid[i]);
            held += 8;
            while (held >= 5) {
                held -= 5;
                text[place++] = ALPHABET[(bits >> held) & 31];
            }
            bits &= (1 << held) - 1;
        }
        text[place] = ALPHABET[(bits << (5 - held)) & 31];
        return string.concat("ipfs://b", string(text));
    }
}
