"""Teaching a student: lessons kept in a file, then steps on them; both go on after a stop.

The loss is the mean absolute difference from the teacher's pictures, in units of 255, plus what a
trait parser makes of it: the differences of its features (Johnson et al. 2016, *Perceptual Losses*)
and the divergence of its opinions (Hinton et al. 2015, *Distilling the Knowledge*).
"""

import json
import math
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from generation.gan.checkpoint import save_tensors
from generation.gan.generator import Generator as Teacher
from generation.gan.lessons import Lessons, prepare, teach
from generation.gan.student import LATENTS, RESOLUTION, Student
from generation.traits.parser import ParserNetwork

ARCHITECTURE = "morphora-student-1"
ROW = LATENTS + 3 * RESOLUTION**2  # bytes of a lesson: the latent, then the picture
DRAWN_AT_ONCE = 256
SAVE_EVERY = 500
WARM_STEPS = 200
LAST_RATE = 0.002  # of the first, at the end of the cosine


@dataclass(frozen=True)
class TeachingConfig:
    """What a run is made of; the defaults are the shipped student's.

    ``jitter`` of the lessons are between codes, up to ``amplitude`` bytes away from them.
    ``pictures`` are drawn for each value and direction to find codes and basis.
    """

    colours: tuple[str, ...] = ("background", "skin", "clothing")
    lessons: int = 600_000
    steps: int = 15_000
    batch: int = 512
    rate: float = 3e-3
    feature_weight: float = 0.1
    parser_weight: float = 0.01
    jitter: float = 0.3
    amplitude: int = 60
    psi: float = 0.8
    pictures: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.lessons, self.steps, self.batch, self.pictures) < 1 or self.rate <= 0:
            raise ValueError("lessons, steps, batch, pictures and rate are above zero")
        if not 0 <= self.jitter <= 1 or not 0 <= self.amplitude <= 255:
            raise ValueError("jitter is a share, amplitude a byte")


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` lessons that were drawn, or of steps; with steps, the loss."""

    what: str
    done: int
    total: int
    loss: float | None = None


class OtherRunError(ValueError):
    """The folder has the lessons of another run."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} has another run: name an empty folder, or that run's settings")
        self.folder = folder


def teach_student(
    teacher: Teacher, reader: ParserNetwork, config: TeachingConfig, folder: Path
) -> Generator[Progress]:
    """Take a run in ``folder`` on to its end; ``load_student`` has what came of it.

    Raises
    ------
    OtherRunError
        The folder was begun with other settings.
    """
    _claim(folder, config)
    lessons = _lessons(teacher, config, folder)
    yield from _draw_lessons(teacher, lessons, config, folder)
    yield from _train(reader, lessons, config, folder)


def save_student(folder: Path, out: Path, recipe: dict[str, Any]) -> None:
    """Write what a contract stores, with codes, basis and recipe, in one move."""
    found = torch.load(folder / "lessons.pt", weights_only=True)
    student = Student()
    student.load_state_dict(torch.load(folder / "state.pt", weights_only=True)["student"])
    tensors = student.integers()
    tensors |= {f"codes.{name}": code.to(torch.uint8) for name, code in found["codes"].items()}
    tensors["basis"] = found["basis"]
    settings = json.loads((folder / "config.json").read_text())
    schema = dict(found["schema"])
    metadata = {
        "architecture": ARCHITECTURE,
        "schema": json.dumps(schema),
        "recipe": json.dumps(settings | recipe, sort_keys=True),
    }
    save_tensors(out, {name: one.contiguous() for name, one in tensors.items()}, metadata)


def _claim(folder: Path, config: TeachingConfig) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path, wanted = folder / "config.json", json.dumps(asdict(config), sort_keys=True)
    if not path.exists():
        path.write_text(wanted)
    if path.read_text() != wanted:
        raise OtherRunError(folder)


def _lessons(teacher: Teacher, config: TeachingConfig, folder: Path) -> Lessons:
    """Codes and basis, found once."""
    path, schema = folder / "lessons.pt", teacher.config.schema
    if not path.exists():
        torch.manual_seed(config.seed)
        sizes = {name: -(-len(values) // 2) for name, values in schema.attributes}
        colours = frozenset(config.colours)
        made = prepare(teacher, sizes, colours, config.psi, config.pictures)
        codes = {name: code.cpu() for name, code in made.codes.items()}
        pairs = [(name, list(values)) for name, values in schema.attributes]
        _keep(path, {"codes": codes, "basis": made.basis.cpu(), "schema": pairs})
    found, device = torch.load(path, weights_only=True), teacher.device
    codes = {name: code.to(device) for name, code in found["codes"].items()}
    return Lessons(schema, codes, found["basis"].to(device), config.psi)


def _draw_lessons(
    teacher: Teacher, lessons: Lessons, config: TeachingConfig, folder: Path
) -> Iterator[Progress]:
    """Append lessons to a file until it has all; what a kill left in mid-write is cut off."""
    path = folder / "lessons.bin"
    path.touch()
    done = path.stat().st_size // (ROW * DRAWN_AT_ONCE)  # whole batches
    with path.open("r+b") as file:
        file.truncate(done * ROW * DRAWN_AT_ONCE)
        file.seek(0, 2)
        while done * DRAWN_AT_ONCE < config.lessons:
            chance = torch.Generator(teacher.device).manual_seed(config.seed * 2**32 + done)
            file.write(_batch(teacher, lessons, config, chance).tobytes())
            file.flush()
            done += 1
            yield Progress("lessons", min(done * DRAWN_AT_ONCE, config.lessons), config.lessons)


@torch.no_grad()
def _batch(
    teacher: Teacher, lessons: Lessons, config: TeachingConfig, chance: torch.Generator
) -> NDArray[np.uint8]:
    """Lessons [DRAWN_AT_ONCE, ROW]."""
    latents = lessons.random(DRAWN_AT_ONCE, chance)
    away = torch.rand(latents.shape, generator=chance, device=latents.device) * 2 - 1
    reach = torch.rand((len(latents), 1), generator=chance, device=latents.device)
    moved = (latents + away * reach * config.amplitude).round().clamp(0, 255)
    n_moved = round(config.jitter * len(latents))
    latents = torch.cat([moved[:n_moved], latents[n_moved:]])
    pictures = teach(teacher, *lessons.asked(latents), config.psi)
    rows = torch.cat([latents, pictures.round().flatten(1)], 1)
    found: NDArray[np.uint8] = rows.to(torch.uint8).cpu().numpy()
    return found


def _train(
    reader: ParserNetwork, lessons: Lessons, config: TeachingConfig, folder: Path
) -> Iterator[Progress]:
    device = lessons.basis.device
    rows = np.memmap(folder / "lessons.bin", np.uint8, "r").reshape(-1, ROW)[: config.lessons]
    reader = reader.to(device).eval().requires_grad_(False)
    torch.manual_seed(config.seed)
    student = Student().to(device)
    optimiser = torch.optim.AdamW(
        student.parameters(), lr=config.rate, betas=(0.9, 0.99), weight_decay=0.0
    )
    state, first = folder / "state.pt", 0
    if state.exists():
        kept = torch.load(state, map_location=device, weights_only=True)
        student.load_state_dict(kept["student"])
        optimiser.load_state_dict(kept["optimiser"])
        first = kept["step"]
    else:
        student.settle(lessons.random(2_048))
    for step in range(first, config.steps):
        chance = np.random.default_rng([config.seed, step])
        taken = torch.from_numpy(rows[np.sort(chance.integers(len(rows), size=config.batch))])
        taken = taken.to(device).float()
        latents = taken[:, :LATENTS]
        wanted = taken[:, LATENTS:].reshape(-1, 3, RESOLUTION, RESOLUTION)
        for group in optimiser.param_groups:
            group["lr"] = config.rate * _rate(step, config.steps)
        loss = _loss(reader, student(latents), wanted, config)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == config.steps:
            kept = {"student": student.state_dict(), "optimiser": optimiser.state_dict()}
            _keep(state, kept | {"step": step + 1})
            yield Progress("steps", step + 1, config.steps, float(loss.detach()))


def _rate(step: int, steps: int) -> float:
    """A warm start, then half a cosine."""
    return min(1.0, step / WARM_STEPS) * (0.5 + 0.5 * math.cos(math.pi * step / steps) + LAST_RATE)


def _loss(reader: ParserNetwork, drawn: Tensor, wanted: Tensor, config: TeachingConfig) -> Tensor:
    loss = (drawn - wanted).abs().mean() / 255
    with torch.no_grad():
        aims, opinions = _read(reader, wanted)
    features, said = _read(reader, drawn)
    far = [(a - b).abs().mean() for a, b in zip(features, aims, strict=True)]
    loss = loss + config.feature_weight * torch.stack(far).sum()
    for ours, theirs in zip(said, opinions, strict=True):
        divergence = F.kl_div(
            ours.log_softmax(1), theirs.log_softmax(1), log_target=True, reduction="batchmean"
        )
        loss = loss + config.parser_weight * divergence
    return loss


def _read(reader: ParserNetwork, pictures: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Features after each rectifier, and logits of each attribute, of pictures in 0..255."""
    x, features = pictures / 127.5 - 1, []
    for layer in reader.features:
        x = layer(x)
        if isinstance(layer, torch.nn.ReLU):
            features.append(x)
    logits = reader.head(F.relu(reader.hidden(x.flatten(1))))
    return features, list(torch.split(logits, list(reader.schema.sizes), dim=1))


def _keep(path: Path, found: dict[str, Any]) -> None:
    """Complete or absent."""
    temporary = path.with_name(f".{path.name}.part")
    torch.save(found, temporary)
    temporary.replace(path)
