// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

/// @title Where works are described
/// @notice Deployed once and linked. A folder on IPFS is stored as 32 bytes, the sha2-256 digest in its CID, and spelled
/// out when somebody asks.
library Folder {
    bytes32 private constant ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

    /// @dev Addresses that the owner may move.
    struct Addresses {
        string contractURI;
        string liveURI;
    }

    /// @notice The address of a work's metadata.
    /// @param folder the digest of the folder of its drop, zero until the works are final
    /// @param number of the work in the folder
    /// @param addresses among them that under which works are described that are not final
    /// @param tokenId the work
    function metadata(bytes32 folder, uint256 number, Addresses storage addresses, uint256 tokenId)
        external
        view
        returns (string memory)
    {
        if (folder != 0) return string.concat(_uri(folder), "/metadata/", Strings.toString(number), ".json");
        return string.concat(addresses.liveURI, Strings.toString(tokenId), ".json");
    }

    /// @dev `ipfs://` and the CID, version 1, dag-pb, sha2-256, in base32, of a folder with this digest. 36 bytes are
    /// 57.6 symbols of 5 bits, so the last symbol ends in two zero bits.
    function _uri(bytes32 digest) private pure returns (string memory) {
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
