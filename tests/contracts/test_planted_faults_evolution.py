"""Faults in what paints and moves works, one in each copy, which forge has to notice."""

from pathlib import Path

import pytest

from tests.contracts.test_planted_faults import Fault, failures

CANVAS, LANES = "onchain/Canvas.sol", "onchain/Lanes.sol"
PEERS, LEVELS = "evolution/Peers.sol", "evolution/Levels.sol"
EVOLUTION, EVOLVING = "evolution/Evolution.sol", "evolution/EvolvingCollection.sol"


def painted(source: str, old: str, new: str, noticed_by: str) -> Fault:
    return Fault(source, old, new, noticed_by, "Painter", "onchain")


def evolving(source: str, old: str, new: str, noticed_by: str, suite: str = "Evolution") -> Fault:
    return Fault(source, old, new, noticed_by, suite, "evolution")


BY_FORGE = {
    "a pool that breaks off": evolving(
        PEERS,
        "or(iszero(isDone), lt(returndatasize(), size))",
        "iszero(isDone)",
        "test_nothing_that_a_pool_does_breaks_a_work",
        "Pools",
    ),
    "latents that wrap": evolving(
        LEVELS,
        "(z < 0 ? 0 : z > 255 ? 255 : uint256(z))",
        "uint8(uint256(z))",
        "test_latents_move_and_stop_at_their_ends",
        "Levels",
    ),
}
BY_FORGE_DEEP = {
    "biases of every second output": painted(
        CANVAS,
        "<< ((i & 1) * 4)",
        "<< ((i & 0) * 4)",
        "test_a_network_of_noise_draws_what_numpy_draws",
    ),
    "rows in another order": painted(
        LANES,
        "let three := shr(right, mload(from))",
        "let three := shr(right, mload(add(from, 1)))",
        "test_a_network_of_noise_draws_what_numpy_draws",
    ),
    "a multiplier of another layer": painted(
        CANVAS,
        "uint256 m = _multiplier(room, 4);",
        "uint256 m = _multiplier(room, 3);",
        "test_a_network_of_noise_draws_what_numpy_draws",
    ),
    "a pool that has all the gas": evolving(
        PEERS,
        "uint256 stipend = STIPEND;",
        "uint256 stipend = gasleft();",
        "test_a_stipend_is_all_that_a_pool_can_burn",
        "Pools",
    ),
    "a level for too little gas": evolving(
        PEERS,
        "if (left < NEEDED)",
        "if (left == 0)",
        "test_too_little_gas_gives_no_level",
        "Pools",
    ),
    "a position of anybody's": evolving(
        PEERS,
        "if (!isOwner(manager, positionId, holder))",
        "if (!isOwner(manager, positionId, holder) && holder == pool)",
        "test_a_position_counts_for_its_owner",
        "Pools",
    ),
    "a position in another pool": evolving(
        PEERS,
        "keccak256(abi.encode(position[2], position[3], position[4])) != key",
        "key == 0",
        "test_a_position_of_another_pool_does_not_count",
        "Pools",
    ),
    "a position for two works": evolving(
        EVOLUTION,
        "if (isTaken) _setPosition(rule, other, 0);",
        "",
        "test_a_position_counts_for_one_work",
        "Pools",
    ),
    "an upper tick that is in": evolving(
        LEVELS,
        "int256(tick) < int256(upper)",
        "int256(tick) <= int256(upper)",
        "test_liquidity_counts_in_range",
        "Levels",
    ),
    "an epoch that goes back": evolving(
        EVOLUTION,
        "if (epoch <= state.epoch)",
        "if (epoch == state.epoch)",
        "test_an_epoch_is_proven_once_and_in_order",
    ),
    "an operator above the law": evolving(
        EVOLUTION,
        "if (level > _rules[k].highest)",
        "if (level > 255)",
        "test_a_level_above_its_rule_is_refused",
    ),
    "anybody who publishes": evolving(
        EVOLUTION,
        "if (msg.sender != collection.owner())",
        "if (msg.sender == address(0))",
        "test_others_do_not_publish",
    ),
    "interactions without a pause": evolving(
        EVOLUTION,
        "block.timestamp < nextAt)",
        "block.timestamp < nextAt - periodS)",
        "test_interactions_are_limited",
    ),
    "a signature that is good again": evolving(
        EVOLUTION,
        "uint256 count = uint256(_states[tokenId].interactions) + 1;",
        "uint256 count = 1;",
        "test_a_holder_can_sign",
    ),
    "a law after the promise": evolving(
        EVOLVING,
        "if (dropCount() > 0)",
        "if (dropCount() > 1)",
        "test_without_an_evolution_nothing_moves",
    ),
    "anybody who moves works": evolving(
        EVOLVING,
        "if (msg.sender != address(_evolution))",
        "if (msg.sender == address(_evolution))",
        "test_strangers_do_not_move_works",
    ),
}


def test_forge_notices_faults(tmp_path: Path) -> None:
    assert failures(tmp_path, BY_FORGE) == set(BY_FORGE)


@pytest.mark.deep
def test_forge_notices_more_faults(tmp_path: Path) -> None:
    assert failures(tmp_path, BY_FORGE_DEEP) == set(BY_FORGE_DEEP)
