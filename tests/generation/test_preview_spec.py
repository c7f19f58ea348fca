"""The look in an address: read, bounded, refused in words."""

import pytest

from generation.traits.preview_spec import PreviewSpec, SpecError


def test_an_address_says_the_whole_look() -> None:
    query = {
        "seed": "12",
        "psi": "0.7",
        "cutoff": "3",
        "a.head": "bob",
        "a.skin": "",
        "d.smile": "-1.5",
        "d.7:pca-1": "2",
        "d.idle": "0",
        "mix": "99",
        "from": "4",
        "strip": "smile",
        "view": "one",
    }

    spec = PreviewSpec.from_query(query)

    assert spec == PreviewSpec(
        seed=12,
        values={"head": "bob"},
        truncation_psi=0.7,
        truncation_cutoff=3,
        strengths={"smile": -1.5, "7:pca-1": 2.0},
        mix_seed=99,
        mix_from=4,
        strip="smile",
    )
    assert spec.directions == ["7:pca-1", "smile"]
    assert PreviewSpec.from_json(spec.to_json()) == spec


def test_an_empty_address_is_the_first_work_as_it_is() -> None:
    assert PreviewSpec.from_query({}) == PreviewSpec(seed=1)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"seed": "-1"}, "seed -1 is not in 0 to 2.14748e"),
        ({"seed": "9" * 5000}, "not a whole number"),
        ({"seed": "1.5"}, "not a whole number"),
        ({"seed": "²"}, "not a whole number"),
        ({"mix": "2147483648"}, "second seed 2147483648"),
        ({"psi": "1.6"}, "truncation psi 1.6 is not in 0 to 1.5"),
        ({"psi": "nan"}, "truncation psi nan"),
        ({"psi": "much"}, "truncation psi: 'much' is not a number"),
        ({"d.smile": "4.1"}, "strength of smile 4.1 is not in -4 to 4"),
        ({"d.smile": "inf"}, "strength of smile inf"),
        ({"d.two words": "1"}, "is no name of a direction"),
        ({"d.": "1"}, "is no name of a direction"),
        ({"strip": "x" * 161}, "is no name of a direction"),
        ({f"d.x{k}": "1" for k in range(65)}, "65 directions; 64 at most"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_words(query: dict[str, str], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        PreviewSpec.from_query(query)


@pytest.mark.parametrize("n_works", [0, 13])
def test_a_preview_has_one_to_twelve_pictures(n_works: int) -> None:
    with pytest.raises(SpecError, match="number of pictures"):
        PreviewSpec(seed=1, n_works=n_works)
