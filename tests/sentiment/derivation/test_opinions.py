"""Opinions on single works: what they teach, what a document may say of them."""

import copy
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_expit

from sentiment.derivation.derive import ballots, derive
from sentiment.derivation.document import read
from sentiment.derivation.opinions import COLUMNS, average
from sentiment.derivation.reading import DocumentError
from tests.sentiment.derivation.documents import SCHEMA, address, make_document


def with_opinions(n: int = 200, source: str = "opinions", weight: float = 1.0) -> dict[str, Any]:
    """No votes; voters like red hats, and one thing is said of each work of drop 2 by each."""
    told = make_document(n_votes=0)
    names = [name for name in told["works"] if name.startswith("2/")]
    rows = []
    for i in range(n):
        name, voter = names[i % len(names)], address(1 + i // len(names))
        liked = told["works"][name]["hat"] == "red"
        rows.append([name, voter, source, liked, 0, weight, 2])
    shown = average([told["works"][name] for name in names], [{} for _ in names], list(SCHEMA), [])
    averages = {"2": shown.to_json()}
    told["opinions"] = {"columns": COLUMNS, "rows": sorted(rows), "averages": averages}
    return told


def effect(derived: Any, option: list[str]) -> float:
    return float(derived.posterior["mean"][derived.posterior["names"].index(option)])


def test_what_is_liked_is_proposed_more_often() -> None:
    derived = derive(with_opinions())

    assert effect(derived, ["hat", "red"]) > 1
    assert derived.proposed["distributions"]["hat"]["red"] > 0.3
    row = next(row for row in derived.rows if row["value"] == "red")
    assert row["n_votes"] == 0
    assert row["n_opinions"] > 20
    assert row["why"].startswith(f"0 votes and {row['n_opinions']} opinions tell")


def test_an_opinion_is_a_vote_against_the_average_work_without_a_side() -> None:
    """The maximum, found by another way from the likelihood as it is written down."""
    told = with_opinions(60)
    inputs = read(told)
    shown = inputs.opinions.averages[2].features(inputs.names)
    said = ballots(inputs).votes
    apart = said.features[said.left] - shown
    sign = np.where(said.left_won, 1.0, -1.0)

    def loss(theta: Any) -> float:
        chosen = 0.025 + 0.95 * np.exp(log_expit(sign * (apart @ theta)))
        return float(theta @ theta / 2 - said.weights @ np.log(chosen))

    best = minimize(loss, np.zeros(len(shown)), method="BFGS", options={"gtol": 1e-8}).x
    found = derive(told).posterior["mean"]

    assert found[:-1] == pytest.approx(best, abs=1e-4)
    assert found[-1] == 0  # nothing was on the left


def test_half_the_weight_counts_half() -> None:
    whole, half = (ballots(read(with_opinions(60, weight=w))).votes.weights for w in (1.0, 0.5))

    assert half == pytest.approx(whole / 2)


def test_a_comment_of_no_weight_says_nothing() -> None:
    nothing = derive(with_opinions(source="comments", weight=0.0))

    assert nothing.proposed == make_document(n_votes=0)["parameters"]


def test_every_source_is_left_out_once_and_the_parts_add_up() -> None:
    told = make_document(n_votes=120, n_sales=60)
    said = with_opinions(90)
    comments = with_opinions(60, "comments", 0.2)
    rows = [*said["opinions"]["rows"], *comments["opinions"]["rows"]]
    told["opinions"] = said["opinions"] | {"rows": sorted(rows)}

    derived = derive(told)

    for row in derived.rows:
        assert set(row["without"]) == {"comments", "market", "opinions", "votes", "interaction"}
        total = sum(row["without"].values())
        assert total == pytest.approx(row["proposed"] - row["old"], abs=1e-12)


def test_friends_of_everything_move_nothing_much() -> None:
    told = with_opinions(300)
    for row in told["opinions"]["rows"]:
        row[3] = True

    derived = derive(told)

    assert abs(effect(derived, ["hat", "red"]) - effect(derived, ["hat", "none"])) < 0.3


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("opinions.rows[0].work", lambda part: part["rows"][0].__setitem__(0, "2/999")),
        ("opinions.rows[0].source", lambda part: part["rows"][0].__setitem__(2, "rumour")),
        ("opinions.rows[0].liked", lambda part: part["rows"][0].__setitem__(3, 1)),
        ("opinions.rows[0].age", lambda part: part["rows"][0].__setitem__(4, 3)),
        ("opinions.rows[0].weight", lambda part: part["rows"][0].__setitem__(5, 1.5)),
        ("opinions.rows[1]", lambda part: part["rows"].insert(1, list(part["rows"][0]))),
        pytest.param("opinions.rows[1]", lambda part: part["rows"].reverse(), id="out of order"),
        ("opinions.averages", lambda part: part["averages"].clear()),
        ("opinions.averages.2.works", lambda part: part["averages"]["2"].update(works=0)),
        (
            "opinions.averages.2.traits.hat",
            lambda part: part["averages"]["2"]["traits"]["hat"].update(red=400),
        ),
        (
            "opinions.averages.2.latents.age",
            lambda part: part["averages"]["2"]["latents"].update(age=[2.0, 1.0]),
        ),
        ("opinions", lambda part: part.update(more=1)),
    ],
)
def test_what_is_no_opinion_is_refused_by_its_place(path: str, change: Any) -> None:
    told = copy.deepcopy(with_opinions(40))
    change(told["opinions"])

    with pytest.raises(DocumentError) as caught:
        read(told)

    assert caught.value.path == path


def test_the_average_of_latents_has_a_mean_and_a_mean_square() -> None:
    found = average([{}, {}, {}], [{"age": 1.0}, {"age": 3.0}, {}], [], ["age"])

    assert found.n_works == 3
    assert found.features([("~age", "linear"), ("~age", "curve")]) == pytest.approx(
        [4 / 3, 10 / 3], abs=1e-9
    )
