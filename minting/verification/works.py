"""How the works came about, from what is told of them: seeds, requests, ranks, repeats."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from generation.gan import latent
from generation.gan.twins import Twin, follow
from generation.traits import rarity, selection
from generation.traits.parameters import Parameters
from generation.traits.planner import attempt_seed
from minting.provenance import lineage
from minting.verification.findings import Finding, NotCheckableError, Said, judge, named, require
from minting.verification.folder import Folder, rarity_rows, told
from minting.verification.ledger import KINDS, ChainDrop, Ledger

# Another platform's logarithm may end in another bit.
SCORE_TOLERANCE = 1e-9


def check(
    folder: Folder,
    drop: ChainDrop,
    ledger: Ledger,
    contract: str,
    twins: Callable[[int], Twin] | None = None,
) -> list[Finding]:
    """``twins``: what the contract draws of a work, where it does."""
    subject = f"drop {drop.number}"
    return [
        judge("seeds", subject, lambda: _seeds(folder, drop, ledger, contract)),
        judge("requests", subject, lambda: _requests(folder, drop, ledger, contract, twins)),
        judge("chosen candidates", subject, lambda: _chosen(folder, drop)),
        judge("rarity", subject, lambda: _rarity(folder)),
        judge("no picture twice", subject, lambda: _repeats(folder)),
    ]


def token_seed(drop: ChainDrop, ledger: Ledger, contract: str, token_id: int) -> bytes:
    """The seed of a work that is drawn on the fly; NotCheckableError before the reveal."""
    if not drop.secret:
        raise NotCheckableError("the drop's secret is not told yet")
    return lineage.token_seed(
        chain_id=ledger.chain_id,
        contract=contract,
        drop_number=drop.number,
        drop_seed=drop.drop_seed,
        token_id=token_id,
    )


def _seeds(folder: Folder, drop: ChainDrop, ledger: Ledger, contract: str) -> Said:
    told(folder, "works")
    wrong = []
    for number, row in folder.rows.items():
        if drop.kind == KINDS[2]:
            seed = token_seed(drop, ledger, contract, number)
            wanted = latent.attempt_seed(seed, row["attempt"])
        else:
            seed = bytes.fromhex(told(folder, "seed"))
            wanted = attempt_seed(seed, row["source"], row["attempt"])
        if row["item_seed"] != wanted.hex():
            wrong.append(number)
    require(not wrong, f"seeds that do not follow: {named(wrong)}")
    if drop.kind == KINDS[2]:
        return "each follows from the drop's seed and the token's id"
    return "each follows from the drop's seed, its place and its try"


def _requests(
    folder: Folder,
    drop: ChainDrop,
    ledger: Ledger,
    contract: str,
    twins: Callable[[int], Twin] | None,
) -> Said:
    """What each work was asked to show follows from seed and parameters, or from the plan."""
    parameters = Parameters.from_json(told(folder, "parameters"))
    told(folder, "works")
    places = _plan(folder) if drop.kind != KINDS[2] else None
    exploring: frozenset[int] = frozenset()
    controls: frozenset[int] = frozenset()
    seed = b""
    if drop.kind != KINDS[2]:
        seed = bytes.fromhex(told(folder, "seed"))
        size = told(folder, "drop")["size"]
        exploring = latent.explorers(seed, size, parameters.exploration)
        controls = frozenset() if places else latent.controls(seed, size, parameters)
    wrong = []
    for number, row in folder.rows.items():
        if drop.kind == KINDS[2]:
            own = token_seed(drop, ledger, contract, number)
            spec = latent.seeded_spec(row["index"], own, row["attempt"], parameters)
            if twins is not None:
                spec = follow(spec, twins(number), row["attempt"], parameters)
        else:
            place = row["source"]
            spec = latent.item_spec(
                seed,
                place,
                parameters,
                explores=place in exploring,
                is_control=place in controls,
            )
        wanted = places[row["source"]] if places else spec.requested
        kinds = spec.psi is not None, spec.is_control
        if row["requested"] != wanted or (row["explores"], row.get("control", False)) != kinds:
            wrong.append(number)
    require(not wrong, f"asked for something else: {named(wrong)}")
    if places:
        return "each was asked to show what the plan in the signed log says"
    if twins is not None:
        return "each was asked to show what the contract draws"
    return "each was asked to show what seed and parameters say"


def _chosen(folder: Folder, drop: ChainDrop) -> Said:
    """Of several candidates the one that is worth most, or the first where the lot was to decide.

    What curators had drawn again comes after all candidates.
    """
    if drop.kind == KINDS[2]:
        return "a work that is drawn after its mint has one candidate"
    bodies = [row["body"] for row in told(folder, "curation") if row["kind"] == "selected"]
    if not bodies:
        return "each place had one candidate"
    body, rows = bodies[0], [row for _, row in sorted(folder.rows.items())]
    seed, size = bytes.fromhex(told(folder, "seed")), told(folder, "drop")["size"]
    worths = body["worths"]
    require(len(worths) == size, f"{len(worths)} places are told of, not {size}")
    picks, exposures = selection.settle(
        worths, latent.lots(seed, size, body["chance"]), body["chance"]
    )
    wrong = [
        row["token_id"]
        for row in rows
        if row["attempt"] < body["candidates"]
        and (row["attempt"], row["exposure"])
        != (picks[row["source"]], float(exposures[row["source"]]))
    ]
    require(not wrong, f"another candidate than the told taste chooses: {named(wrong)}")
    return f"each is the best liked of {body['candidates']} candidates, or was taken by lot"


def _plan(folder: Folder) -> Any:
    plans = [row["body"] for row in told(folder, "curation") if row["kind"] == "planned"]
    return plans[0]["places"] if plans else None


def _rarity(folder: Folder) -> Said:
    found = rarity.score(rarity_rows(folder))
    rows = folder.rows if told(folder, "works") else {}
    wrong = [
        number
        for number, one in zip(folder.numbers, found, strict=True)
        if rows[number]["rarity"]["rank"] != one.rank
        or abs(rows[number]["rarity"]["score"] - one.score) > SCORE_TOLERANCE * max(one.score, 1)
    ]
    require(not wrong, f"other ranks or scores than the metadata give: {named(wrong)}")
    return "ranks and scores follow from the metadata of the drop"


def _repeats(folder: Folder) -> Said:
    counts = Counter(folder.image_hashes.values())
    twice = [number for number in folder.numbers if counts[folder.image_hashes[number]] > 1]
    require(not twice, f"works that show the same picture: {named(twice)}")
    return f"{len(counts)} works, as many pictures"
