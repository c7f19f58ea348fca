"""Whatever is changed in what a stranger is given, the check does not pass."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from minting.chain.client import Client
from minting.provenance import cid
from minting.provenance.canonical import canonicalize
from minting.provenance.car import Car
from minting.verification import folder as folders
from minting.verification import ledger
from minting.verification.findings import State
from minting.verification.node import Node
from tests.fixtures.liar import Liar, lying_node
from tests.fixtures.published import Published, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(published: Published, django_db_blocker: Any) -> Iterator[Callable[..., Any]]:
    """Exit status and failed checks, in this process, in which the database is out of reach."""

    def run(rpc: str = published.chain.url, **changed: Any) -> tuple[int, set[str]]:
        out, words = StringIO(), {"car": list(published.cars), "checkpoint": published.checkpoint}
        words |= {"parser": published.parser, "contract": published.contract, "sample": 2}
        try:
            call_command(
                "verify", rpc=rpc, json=True, stdout=out, stderr=StringIO(), **words | changed
            )
            code = 0
        except CommandError as error:
            code = error.returncode
        rows = json.loads(out.getvalue() or "[]")
        return code, {row["check"] for row in rows if row["state"] == "fail"}

    with django_db_blocker.block():
        yield run


def flipped(path: Path, chance: random.Random, out: Path) -> tuple[Path, int]:
    """A copy of a file with one bit of one byte turned."""
    raw = bytearray(path.read_bytes())
    at = chance.randrange(len(raw))
    raw[at] ^= 1 << chance.randrange(8)
    copy = out / path.name
    copy.write_bytes(raw)
    return copy, at


def test_nothing_is_wrong_before_anything_is_changed(ask: Callable[..., Any]) -> None:
    assert ask() == (0, set())


@pytest.mark.parametrize("which", ["car", "checkpoint", "parser"])
def test_every_changed_byte_of_a_file_is_found(
    which: str, published: Published, ask: Callable[..., Any], tmp_path: Path
) -> None:
    chance = random.Random(which)
    missed = []
    for _ in range({"car": 40, "checkpoint": 10, "parser": 10}[which]):
        if which == "car":
            place = chance.randrange(2)
            copy, at = flipped(published.cars[place], chance, tmp_path)
            cars = [*published.cars[:place], copy, *published.cars[place + 1 :]]
            code, _ = ask(car=cars)
        else:
            copy, at = flipped(getattr(published, which), chance, tmp_path)
            code, _ = ask(**{which: copy})
        if code not in (1, 2):
            missed.append((copy.name, at))

    assert missed == []


def test_every_changed_byte_of_an_answer_is_found(
    published: Published, ask: Callable[..., Any]
) -> None:
    chance = random.Random(9)
    missed = []
    # All tokens, because what is told of others is not read; drawing adds nothing here.
    words = {"sample": 32, "checkpoint": None, "parser": None}
    with lying_node(published.chain.url) as liar:
        assert ask(rpc=liar.url, **words)[0] == 0
        for _ in range(40):
            told = liar.choose(chance)
            if ask(rpc=liar.url, **words)[0] not in (1, 2):
                missed.append(told)

    assert missed == []


def unpack(car: Path, out: Path) -> Path:
    """The files of a CAR."""
    found = Car(car)
    for name, entry in found.folder(found.root).items():
        if name == folders.PROVENANCE:
            (out / name).write_bytes(found.read(entry))
            continue
        (out / name).mkdir()
        for text, file in found.folder(entry).items():
            (out / name / text).write_bytes(found.read(file))
    return out


def swap_pictures(made: Path) -> None:
    first, second = made / "images" / "1.png", made / "images" / "2.png"
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


def edit_metadata(made: Path) -> None:
    path = made / "metadata" / "3.json"
    about = json.loads(path.read_bytes())
    about["attributes"] = [{"trait_type": "background", "value": "gold"}]
    path.write_bytes(canonicalize(about))


def edit_told(made: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = made / folders.PROVENANCE
    told = json.loads(path.read_bytes())
    change(told)
    path.write_bytes(canonicalize(told))


def change_log(told: dict[str, Any]) -> None:
    told["curation"][0]["reason"] = "torn edge"


def change_parent(told: dict[str, Any]) -> None:
    told["parent_parameters"] = told["parameters"] | {"truncation_psi": 0.5}
    told["ancestors"] = [told["parent_parameters"]]


def change_seed(told: dict[str, Any]) -> None:
    told["works"][0]["item_seed"] = "00" * 32


def change_rank(told: dict[str, Any]) -> None:
    told["works"][0]["rarity"]["rank"] += 1


def change_wish(told: dict[str, Any]) -> None:
    told["works"][0]["requested"] = told["works"][0]["requested"] | {"background": "gold"}


def change_worths(told: dict[str, Any]) -> None:
    """As if another candidate had been worth more."""
    body = next(row["body"] for row in told["curation"] if row["kind"] == "selected")
    body["worths"] = [[float(i) for i in range(len(row))] for row in body["worths"]]


PLANTED: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "a swapped picture": (swap_pictures, {"folder", "pictures and metadata"}),
    "edited metadata": (edit_metadata, {"folder", "pictures and metadata", "rarity"}),
    "a changed log": (lambda made: edit_told(made, change_log), {"folder", "curation log"}),
    "another parent": (
        lambda made: edit_told(made, change_parent),
        {"folder", "parameters", "descent of parameters"},
    ),
    "another seed": (lambda made: edit_told(made, change_seed), {"folder", "seeds", "drawn again"}),
    "a better rank": (lambda made: edit_told(made, change_rank), {"folder", "rarity"}),
    "another taste": (
        lambda made: edit_told(made, change_worths),
        {"folder", "curation log", "chosen candidates"},
    ),
    "another wish": (lambda made: edit_told(made, change_wish), {"folder", "requests"}),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_was_planted_is_named(
    name: str, published: Published, ask: Callable[..., Any], tmp_path: Path
) -> None:
    change, wanted = PLANTED[name]
    made = tmp_path / "made"
    made.mkdir()
    change(unpack(published.cars[0], made))
    cid.write_car(made, tmp_path / "drop-1.car")

    code, failed = ask(car=[tmp_path / "drop-1.car", published.cars[1]], sample=32)

    assert code == 1
    assert wanted <= failed


def test_a_parent_that_was_made_up_on_chain_is_found(published: Published) -> None:
    """The files are what was committed, but for the hash of what the parameters came from."""
    with Client(published.chain.url) as client:
        second = ledger.read(Node(client, published.contract.lower()), 0).drops[1]
    forged = replace(second, body=replace(second.body, parent_params_hash=b"\7" * 32))

    found = folders.check(folders.load(published.cars[1]), forged)

    assert [one.check for one in found if one.state == State.FAIL] == ["parameters"]


def test_a_secret_that_is_withheld_is_told_on_once_it_was_due(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    def ask(site: Published) -> tuple[int, dict[str, str]]:
        out, code = StringIO(), 0
        try:
            call_command(
                "verify",
                rpc=site.chain.url,
                contract=site.contract,
                car=list(site.cars),
                json=True,
                stdout=out,
                stderr=StringIO(),
            )
        except CommandError as error:
            code = error.returncode
        rows = json.loads(out.getvalue())
        return code, {row["state"]: row["why"] for row in rows if row["check"] == "reveal"}

    with publish(tmp_path, seal=False) as site:
        before = ask(site)
        site.chain.call("evm_increaseTime", 10 * 86_400)
        site.chain.mine()
        after = ask(site)

    assert before[0] == 0
    assert before[1]["not checkable"].startswith("the secret is not told yet; it is due by")
    assert after[0] == 1
    assert "its secret is withheld" in after[1]["fail"]


def test_a_node_that_refuses_long_ranges_is_asked_for_short_ones(
    published: Published, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Liar.reply

    def refuse(self: Liar, body: Any) -> Any:
        if isinstance(body, dict) and body["method"] == "eth_getLogs":
            first, last = (int(body["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
            if last - first >= 40:
                error = {"code": -32005, "message": "too many blocks"}
                return {"jsonrpc": "2.0", "id": body["id"], "error": error}
        return honest(self, body)

    monkeypatch.setattr(Liar, "reply", refuse)
    with lying_node(published.chain.url) as liar:
        assert ask(rpc=liar.url) == (0, set())


def test_a_car_of_another_collection_is_refused(
    published: Published, ask: Callable[..., Any], tmp_path: Path
) -> None:
    made = tmp_path / "made"
    made.mkdir()
    unpack(published.cars[0], made)
    edit_told(made, lambda told: told["drop"].update(chain_number=5))
    shutil.rmtree(made / "images")
    (made / "images").mkdir()
    cid.write_car(made, tmp_path / "other.car")

    code, failed = ask(car=[tmp_path / "other.car"])

    assert (code, failed) == (1, {"CAR"})
