// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {TokenAccount} from "../../src/accounts/TokenAccount.sol";
import {vm} from "../Cheats.sol";
import {LivingTest} from "../living/LivingTest.sol";

/// @title Works 1 to 3 and the account of each; wallets 0 to 2 have one each and sign with a key
/// @dev The clones are laid out as ERC-6551's registry does it: code, salt, chain, contract, id.
abstract contract AccountTest is LivingTest {
    uint256 internal constant WORKS = 3;

    address private _implementation;

    /// @inheritdoc LivingTest
    function setUp() public virtual override {
        super.setUp();
        _implementation = address(new TokenAccount());
        _open(_fixedBody(1, WORKS), _public(0));
        for (uint256 i = 0; i < WORKS; ++i) {
            _buy(_wallet(i), 1, 0, 1, PRICE_WEI);
            _create(block.chainid, 1 + i);
        }
    }

    function _create(uint256 chainId, uint256 tokenId) internal returns (TokenAccount) {
        bytes memory arguments = _arguments(chainId, tokenId);
        return TokenAccount(payable(Clones.cloneDeterministicWithImmutableArgs(_implementation, arguments, 0)));
    }

    /// @dev The account of a work on this chain.
    function _account(uint256 tokenId) internal view returns (TokenAccount) {
        bytes memory arguments = _arguments(block.chainid, tokenId);
        return TokenAccount(payable(Clones.predictDeterministicAddressWithImmutableArgs(_implementation, arguments, 0)));
    }

    function _arguments(uint256 chainId, uint256 tokenId) private view returns (bytes memory) {
        return abi.encode(bytes32(0), chainId, address(collection), tokenId);
    }

    function _wallet(uint256 i) internal pure returns (address) {
        return vm.addr(_key(i));
    }

    function _key(uint256 i) internal pure returns (uint256) {
        return 1 + i % WORKS;
    }

    function _signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
