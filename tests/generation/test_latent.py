import hashlib
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from generation.gan import latent
from generation.traits.parameters import Parameters

SEED = bytes(range(32))
GOLDEN_Z = "5ba07abf3f857a3fb497e6be40613abf66b617bd83d247bf"
PARAMETERS = Parameters(
    {"hat": {"none": 0.2, "cap": 0.5, "crown": 0.3}, "skin": {"a": 0.5, "b": 0.5}}
)


def test_item_seed_is_the_digest_of_drop_seed_and_index() -> None:
    expected = hashlib.sha256(SEED + b"\0\0\0\0\0\0\0\x07").digest()

    assert latent.item_seed(SEED, 7) == expected


def test_item_seed_refuses_a_short_drop_seed() -> None:
    with pytest.raises(ValueError, match="5 bytes"):
        latent.item_seed(b"short", 0)


def test_latent_has_the_same_bytes_everywhere() -> None:
    found = latent.z(SEED, 6)

    assert found.tobytes().hex() == GOLDEN_Z


def test_latent_is_standard_normal() -> None:
    values = np.concatenate([latent.z(latent.item_seed(SEED, i), 64) for i in range(200)])

    assert stats.kstest(values, "norm").pvalue > 0.01


def test_a_longer_latent_begins_with_the_shorter_one() -> None:
    assert latent.z(SEED, 64)[:10].tobytes() == latent.z(SEED, 10).tobytes()


def test_values_follow_their_distribution() -> None:
    drawn = [latent.item_spec(SEED, i, PARAMETERS).requested["hat"] for i in range(4000)]

    shares = {value: drawn.count(value) / 4000 for value in ("none", "cap", "crown")}
    assert shares == pytest.approx(PARAMETERS.distributions["hat"], abs=0.025)


def test_a_change_in_one_distribution_moves_no_other_attribute() -> None:
    changed = Parameters(
        {"hat": {"none": 1.0, "cap": 0.0, "crown": 0.0}, "skin": {"a": 0.5, "b": 0.5}}
    )

    before = [latent.item_spec(SEED, i, PARAMETERS).requested["skin"] for i in range(50)]
    after = [latent.item_spec(SEED, i, changed).requested["skin"] for i in range(50)]

    assert before == after


def test_a_value_with_share_zero_is_never_drawn() -> None:
    never = Parameters({"hat": {"none": 0.0, "cap": 1.0, "crown": 0.0}})

    assert {latent.item_spec(SEED, i, never).requested["hat"] for i in range(300)} == {"cap"}


def test_a_share_of_the_places_explores_the_same_ones_each_time() -> None:
    found = latent.explorers(SEED, 200, 0.05)

    assert len(found) == 10
    assert found == latent.explorers(SEED, 200, 0.05)
    assert found < latent.explorers(SEED, 200, 0.1) < frozenset(range(200))
    assert latent.explorers(SEED, 200, 0) == frozenset()
    assert found != latent.explorers(bytes(32), 200, 0.05)


def test_a_work_that_explores_is_not_steered() -> None:
    skewed = {"head": {"bob": 0.98, "bun": 0.02, "bald": 0.0}}
    parameters = Parameters(skewed, 0.7, exploration=0.5)

    specs = [latent.item_spec(SEED, i, parameters, explores=True) for i in range(400)]

    heads = [spec.requested["head"] for spec in specs]
    assert 160 < heads.count("bun") < 240
    assert "bald" not in heads
    assert {spec.psi for spec in specs} == {latent.EXPLORE_PSI}
    plain = latent.item_spec(SEED, 3, parameters)
    assert (plain.psi, plain.seed) == (None, specs[3].seed)


def test_controls_are_chosen_by_seed_among_those_that_do_not_explore() -> None:
    shares = replace(PARAMETERS, exploration=0.1, control=0.05)

    found = latent.controls(SEED, 400, shares)

    assert len(found) == 20
    assert found.isdisjoint(latent.explorers(SEED, 400, 0.1))
    assert found == latent.controls(SEED, 400, shares)
    assert latent.controls(SEED, 400, replace(shares, control=0.1)) > found
    assert latent.controls(SEED, 400, PARAMETERS) == frozenset()


def test_a_control_shows_equal_shares_and_no_direction_moves_it() -> None:
    skewed = {"hat": {"cap": 0.9, "top": 0.1}}
    parameters = Parameters(skewed, 0.7, control=0.5)

    specs = [latent.item_spec(SEED, i, parameters, is_control=True) for i in range(400)]

    assert 150 < sum(spec.requested["hat"] == "cap" for spec in specs) < 250
    assert all(spec.is_control and spec.psi is None for spec in specs)


def test_a_minted_work_is_a_control_by_the_chance_of_its_seed() -> None:
    parameters = Parameters({"hat": {"cap": 0.9, "top": 0.1}}, 0.7, exploration=0.2, control=0.1)

    specs = [latent.seeded_spec(i, latent.item_seed(SEED, i), 0, parameters) for i in range(2000)]

    assert 0.06 < sum(spec.is_control for spec in specs) / 2000 < 0.10  # of the other four fifths
    assert not any(spec.is_control and spec.psi is not None for spec in specs)
