"""Pictures drawn again, and read again. Loads torch when it is called, not before."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generation.gan import latent
from generation.gan.latent import ItemSpec
from generation.gan.twins import Twin, follow
from generation.imaging import codec
from generation.imaging.difference import Difference, difference
from generation.traits import diversity
from generation.traits.parameters import Parameters
from minting.provenance import metadata
from minting.verification.findings import (
    FailedError,
    NotCheckableError,
    Said,
    named,
    require,
)
from minting.verification.folder import Folder, told
from minting.verification.ledger import KINDS, ChainDrop

if TYPE_CHECKING:
    from generation.gan.generator import Generator

# Another processor or library rounds float32 otherwise: so far a picture may be off.
MAX_LEVELS = 1
MAX_SHARE = 0.001

Tell = Callable[[str], None]
Twins = Callable[[int], Twin]


def rerender(
    folder: Folder,
    numbers: Sequence[int],
    checkpoint: Path,
    is_same_code: bool,
    tell: Tell,
    twins: Twins | None = None,
) -> Said:
    """Draw works again from seed, parameters and checkpoint, and compare samples."""
    from generation.gan.render import BATCH, canonical_environment

    painter = Painter(folder, checkpoint, twins)
    exact, near, outside, unknown = 0, 0, [], []
    for start in range(0, len(numbers), BATCH):
        part = numbers[start : start + BATCH]
        drawn_again = painter.draw([painter.spec(number) for number in part])
        for number, picture in zip(part, drawn_again, strict=True):
            row = folder.rows[number]
            if row["drawn_sha256"] != row["image_sha256"]:
                drawn = hashlib.sha256(codec.encode_png(picture)).hexdigest()
                exact += drawn == row["drawn_sha256"]
                unknown += [number] if drawn != row["drawn_sha256"] else []
                continue
            found = difference(codec.decode(folder.image(number), f"{number}.png"), picture)
            exact += found.largest == 0
            if is_near(found):
                near += found.largest > 0
            else:
                outside.append(number)
        tell(f"{start + len(part)} of {len(numbers)} works drawn again")
    if outside and not is_same_code:
        raise NotCheckableError(f"the code here is another one, and draws others: {named(outside)}")
    require(not outside, f"other pictures come out: {named(outside)}")
    if len(unknown) == len(numbers):
        raise NotCheckableError("retouched by hand, and the drawn picture is not in the folder")
    said = f"{len(numbers)} of {len(folder.images)} works drawn again: {exact} exactly, {near} "
    said += f"within {MAX_LEVELS} level in at most {MAX_SHARE:.1%} of the samples"
    if unknown:
        said += f"; not comparable, because retouched by hand: {named(unknown)}"
    seen = told(folder, "environments")
    if canonical_environment() not in seen:
        said += "; drawn in another environment than the drop was"
    return said, {"exact": exact, "within": near, "drawn": len(numbers), "retouched": len(unknown)}


def is_near(found: Difference) -> bool:
    """Whether two pictures may be one that was drawn on two machines."""
    return found.largest <= MAX_LEVELS and found.share <= MAX_SHARE


def check_attempts(
    folder: Folder,
    drop: ChainDrop,
    numbers: Sequence[int],
    checkpoint: Path,
    seed_of: Callable[[int], bytes],
    twins: Twins | None = None,
) -> Said:
    """A later try needs a reason: what earlier ones draw repeats a work of the drop."""
    later = [n for n in numbers if folder.rows[n]["attempt"]]
    if drop.kind != KINDS[2]:
        return "tries of works that were drawn before the sale are the curators' to choose among"
    if not later:
        return f"{len(numbers)} works are all the first try"
    painter, kept = Painter(folder, checkpoint, twins), diversity.Repeats()
    for row in _looks(folder):
        kept.keep_row(row)
    digests = {raw.hex() for raw in folder.image_hashes.values()}
    free = []
    for number in later:
        for attempt in range(folder.rows[number]["attempt"]):
            [picture] = painter.draw([painter.earlier(number, seed_of(number), attempt)])
            row = diversity.thumbnails(picture[None]).astype("<f2").astype(np.float32)[0]
            is_known = hashlib.sha256(codec.encode_png(picture)).hexdigest() in digests
            if not is_known and kept.find_row(row) is None:
                free.append(number)
    require(not free, f"an earlier try would have been a new picture: {named(free)}")
    return f"{len(later)} later tries, each because the earlier ones repeat a work"


def check_alike(folder: Folder, drop: ChainDrop) -> Said:
    """Whether works look the same at a glance."""
    kept, alike = diversity.Repeats(), []
    for number, row in zip(folder.numbers, _looks(folder), strict=True):
        if kept.find_row(row) is not None:
            alike.append(number)
        kept.keep_row(row)
    limit = diversity.NEAR_DUPLICATE_RMS
    if drop.kind == KINDS[2]:
        require(not alike, f"nearer than {limit} levels to an earlier work: {named(alike)}")
    return f"{len(alike)} works nearer than {limit} levels of 255 to an earlier one", {
        "alike": len(alike)
    }


def read_again(folder: Folder, numbers: Sequence[int], parser: Path, is_same_code: bool) -> Said:
    """Whether the parser reads in the pictures what metadata say."""
    from generation.traits.parser import load_parser, parse

    network = load_parser(parser, told(folder, "checkpoint")["parser_sha256"])
    pictures = np.stack([codec.decode(folder.image(n), f"{n}.png") for n in numbers])
    wrong = [
        number
        for number, found in zip(numbers, parse(network, pictures), strict=True)
        if {k: v for k, v in found.values.items() if v != metadata.NONE}
        != metadata.traits(folder.about[number])
    ]
    if wrong and not is_same_code:
        raise NotCheckableError(f"the code here is another one, and reads others: {named(wrong)}")
    require(not wrong, f"reads other traits than the metadata have: {named(wrong)}")
    return f"reads in {len(numbers)} of {len(folder.images)} pictures what their metadata say"


class Painter:
    """A drop's generator with its parameters. ``twins``: what the contract draws of a work."""

    def __init__(self, folder: Folder, checkpoint: Path, twins: Twins | None = None) -> None:
        from generation.gan.checkpoint import load_generator
        from generation.gan.header import CheckpointError

        try:
            self._generator: Generator = load_generator(
                checkpoint, told(folder, "checkpoint")["sha256"]
            )
        except CheckpointError as error:
            raise FailedError(str(error)) from error
        self._rows = folder.rows
        self._twins = twins
        self._parameters = Parameters.from_json(told(folder, "parameters"))
        self._steps = {
            name: np.array(step, np.float32) for name, step in told(folder, "directions").items()
        }

    @property
    def z_dim(self) -> int:
        return self._generator.z_dim

    def spec(self, number: int) -> ItemSpec:
        row = self._rows[number]
        psi = latent.EXPLORE_PSI if row["explores"] else None
        seed, is_control = bytes.fromhex(row["item_seed"]), row.get("control", False)
        spec = ItemSpec(row["index"], seed, row["requested"], psi, is_control)
        return self._follow(spec, number, row["attempt"])

    def earlier(self, number: int, seed: bytes, attempt: int) -> ItemSpec:
        """What an earlier try of a work drew; it asked for the same in another latent."""
        spec = latent.seeded_spec(self._rows[number]["index"], seed, attempt, self._parameters)
        return self._follow(spec, number, attempt)

    def _follow(self, spec: ItemSpec, number: int, attempt: int) -> ItemSpec:
        if self._twins is None:
            return spec
        twin = self._twins(number)
        require(len(twin.basis) == self.z_dim, "the basis that is told fits another generator")
        return follow(spec, twin, attempt, self._parameters)

    def draw(self, specs: Sequence[ItemSpec]) -> NDArray[np.uint8]:
        from generation.gan.render import render

        return render(self._generator, specs, self._parameters, self._steps)


def _looks(folder: Folder) -> NDArray[np.float32]:
    """Thumbnails [N, D] of all works, rounded as they are when works are drawn."""
    rows = [
        diversity.thumbnails(codec.decode(folder.image(n), f"{n}.png")[None])[0]
        for n in folder.numbers
    ]
    return np.stack(rows).astype("<f2").astype(np.float32)
