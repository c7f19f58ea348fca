// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {Staking} from "../staking/Staking.sol";
import {Levels} from "./Levels.sol";

/// @title What is asked of Uniswap's position manager, v3
interface IPositions is IERC721 {
    /// @notice A position's twelve words.
    /// @param tokenId the position
    function positions(uint256 tokenId)
        external
        view
        returns (
            uint96 nonce,
            address operator,
            address token0,
            address token1,
            uint24 fee,
            int24 tickLower,
            int24 tickUpper,
            uint128 liquidity,
            uint256 feeGrowthInside0LastX128,
            uint256 feeGrowthInside1LastX128,
            uint128 tokensOwed0,
            uint128 tokensOwed1
        );
}

/// @title What is asked of a pool of Uniswap v3
interface IPool {
    /// @notice The first token.
    function token0() external view returns (address);

    /// @notice The second token.
    function token1() external view returns (address);

    /// @notice What it keeps of a trade, in millionths.
    function fee() external view returns (uint24);

    /// @notice Its price and tick, and what else is in that slot.
    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );
}

/// @title Reading contracts that may be broken or hostile
/// @notice Whatever a peer does, it costs its stipend at most and gives a quantity: 0 where its answer is none, is short,
/// or is out of its range. It cannot revert, and it cannot fill the caller's memory.
/// @dev A peer that is asked with less than its stipend may fail for want of gas and thus seem to be broken. Whoever picks
/// the gas would pick the answer, so that a call with too little of it reverts instead.
library Peers {
    /// @notice Gas that a question may use; the three about a position in the real Uniswap take 33,000 together.
    uint256 internal constant STIPEND = 100_000;
    /// @notice Gas that has to be left for it: a call passes on 63 of 64 parts; the rest pays for making it.
    uint256 internal constant NEEDED = STIPEND + STIPEND / 63 + 5_000;

    /// @notice A peer could not be given its stipend.
    error NotEnoughGas(uint256 left, uint256 needed);

    /// @notice The first words of what a peer answers; none if it fails or answers less.
    /// @param peer whom to ask
    /// @param question the call's input
    /// @param words how many
    function ask(address peer, bytes memory question, uint256 words) internal view returns (uint256[] memory answer) {
        answer = new uint256[](words);
        uint256 left = gasleft();
        if (left < NEEDED) revert NotEnoughGas(left, NEEDED);
        uint256 stipend = STIPEND;
        // Assembly: Solidity would copy all that is returned. Here at most `words` words come back, into the array
        // taken above; an account without code returns none. The array's length is written, nothing else.
        assembly ("memory-safe") {
            let size := mul(words, 0x20)
            let isDone := staticcall(stipend, peer, add(question, 0x20), mload(question), add(answer, 0x20), size)
            if or(iszero(isDone), lt(returndatasize(), size)) { mstore(answer, 0) }
        }
    }

    /// @notice How long a work has been staked by its holder, seconds.
    /// @param staking the staking contract
    /// @param tokenId the work
    /// @param holder who has it
    function stakeAge(address staking, uint256 tokenId, address holder) internal view returns (uint256) {
        uint256[] memory stake = ask(staking, abi.encodeCall(Staking.stakeOf, (tokenId)), 2);
        if (stake.length == 0 || stake[0] != uint160(holder)) return 0;
        return Levels.age(stake[1], block.timestamp);
    }

    /// @notice The liquidity of a holder's position in a pool of Uniswap v3, if it is in range.
    /// @param manager the position manager
    /// @param pool the pool
    /// @param key the pool's, as `keyOf` gives it
    /// @param positionId the position
    /// @param holder whose it has to be
    function liquidity(address manager, address pool, bytes32 key, uint256 positionId, address holder)
        internal
        view
        returns (uint256)
    {
        if (!isOwner(manager, positionId, holder)) return 0;
        uint256[] memory position = ask(manager, abi.encodeCall(IPositions.positions, (positionId)), 12);
        if (position.length == 0 || keccak256(abi.encode(position[2], position[3], position[4])) != key) return 0;
        uint256[] memory slot = ask(pool, abi.encodeCall(IPool.slot0, ()), 7);
        if (slot.length == 0 || slot[0] == 0 || slot[0] > type(uint160).max) return 0;
        return Levels.inRange(position[7], position[5], position[6], slot[1]);
    }

    /// @notice The part of a pool of Uniswap v2 that counts for one work of a holder.
    /// @param pair the pool
    /// @param holder who has the work
    /// @param works how many they have
    function share(address pair, address holder, uint256 works) internal view returns (uint256) {
        uint256[] memory balance = ask(pair, abi.encodeCall(IERC20.balanceOf, (holder)), 1);
        if (balance.length == 0) return 0;
        uint256[] memory supply = ask(pair, abi.encodeCall(IERC20.totalSupply, ()), 1);
        if (supply.length == 0) return 0;
        return Levels.share(balance[0], supply[0], works);
    }

    /// @notice Whether a position is somebody's.
    /// @param manager the position manager
    /// @param positionId the position
    /// @param owner whose it has to be
    function isOwner(address manager, uint256 positionId, address owner) internal view returns (bool) {
        uint256[] memory found = ask(manager, abi.encodeCall(IERC721.ownerOf, (positionId)), 1);
        return found.length > 0 && found[0] == uint160(owner);
    }

    /// @notice A pool's tokens and fee, hashed; zero if it does not tell them.
    /// @param pool the pool
    function keyOf(address pool) internal view returns (bytes32) {
        uint256[] memory first = ask(pool, abi.encodeCall(IPool.token0, ()), 1);
        uint256[] memory second = ask(pool, abi.encodeCall(IPool.token1, ()), 1);
        uint256[] memory fee = ask(pool, abi.encodeCall(IPool.fee, ()), 1);
        if (first.length == 0 || second.length == 0 || fee.length == 0) return 0;
        return keccak256(abi.encode(first[0], second[0], fee[0]));
    }
}
