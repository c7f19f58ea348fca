"""The adversarial game, as a generator of progress: interval after interval, resumable.

One step draws a batch of real pictures, makes a batch of false ones for attributes drawn from the
training data, updates the discriminator, then the generator. State goes to disk between intervals
in one move, with every random generator's position, so that a killed run repeats at most one
interval and a resumed run on the same device takes the same steps.
"""

import copy
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor, nn

from generation.gan.augment import random_shift
from generation.gan.biggan import Discriminator, Generator
from generation.gan.checkpoint import save_generator, save_tensors
from generation.gan.config import GanConfig
from generation.gan.losses import attribute_cross_entropy, hinge_discriminator, hinge_generator


class TrainingDivergedError(Exception):
    """A loss stopped being finite; the last saved interval is intact."""


@dataclass(frozen=True)
class TrainConfig:
    """How long and how fast; two learning rates (Brock et al. 2019, appendix C).

    Both rates fall linearly to 0 over the last ``decay_kimg``. ``attribute_weight`` is the weight
    of the attribute loss in the generator's objective: .5 made accessories follow where the
    projection alone did not. For the first ``warm_kimg`` only the discriminator learns: a generator
    taken over from another run would otherwise unlearn from a critic that knows nothing yet.
    """

    kimg: int = 300
    batch: int = 32
    lr_g: float = 2e-4
    lr_d: float = 4e-4
    decay_kimg: float = 30.0
    ema_kimg: float = 10.0
    attribute_weight: float = 0.5
    warm_kimg: float = 0.0
    interval_kimg: float = 4.0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.kimg < 1 or self.batch < 2 or self.interval_kimg <= 0:
            raise ValueError(f"kimg {self.kimg}, batch {self.batch}, interval {self.interval_kimg}")


@dataclass(frozen=True)
class Interval:
    """Progress after one interval: pictures seen, mean losses in it, speed in pictures a second."""

    n_images: int
    loss_d: float
    loss_g: float
    loss_attributes: float
    images_per_s: float


class Trainer:
    """Networks, optimisers and chance of one run; ``folder`` holds all that outlives a process."""

    def __init__(
        self,
        gan: GanConfig,
        train: TrainConfig,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        folder: Path,
        start: Generator | None = None,
    ) -> None:
        """Take ``images`` [N, H, W, 3] uint8 and ``labels`` [N, attributes] value indices.

        ``start`` is a generator to go on from, of the same configuration.
        """
        if images.shape[1:] != (gan.img_resolution, gan.img_resolution, 3):
            raise ValueError(f"pictures {images.shape[1:]} for {gan.img_resolution} px")
        if labels.shape != (len(images), len(gan.schema.sizes)):
            raise ValueError(f"labels {labels.shape} for {len(images)} pictures")
        self.gan, self.train, self.folder = gan, train, folder
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2)
        self.labels = torch.from_numpy(labels)
        self.rng = torch.Generator().manual_seed(train.seed)
        torch.manual_seed(train.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.g = Generator(gan).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.d = Discriminator(gan).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if start is not None:
            if start.config != gan:
                raise ValueError("the generator to go on from is of another configuration")
            self.g.load_state_dict(start.state_dict())
        self.ema = copy.deepcopy(self.g).requires_grad_(False)
        self.opt_g = torch.optim.Adam(self.g.parameters(), train.lr_g, (0.0, 0.99))
        self.opt_d = torch.optim.Adam(self.d.parameters(), train.lr_d, (0.0, 0.99))
        self.n_images = 0
        if self.state_path.exists():
            self._restore()

    @property
    def state_path(self) -> Path:
        return self.folder / "state.safetensors"

    def run(self) -> Iterator[Interval]:
        """Train to ``kimg``, saving and yielding after each interval. Closing it stops the run."""
        while self.n_images < self.train.kimg * 1000:
            steps = max(1, round(self.train.interval_kimg * 1000 / self.train.batch))
            started = time.perf_counter()
            losses = np.array([self._step() for _ in range(steps)])
            elapsed = time.perf_counter() - started
            if not np.isfinite(losses).all():
                raise TrainingDivergedError(f"losses not finite after {self.n_images} pictures")
            self._save()
            loss_d, loss_g, loss_a = losses.mean(0).tolist()
            yield Interval(
                self.n_images, loss_d, loss_g, loss_a, steps * self.train.batch / elapsed
            )

    def export(self, path: Path, recipe: dict[str, Any]) -> str:
        """Write the averaged generator with standing statistics; returns its sha256."""
        standing_statistics(self.ema, self.labels, torch.Generator().manual_seed(0))
        return save_generator(
            path, self.ema, {**recipe, "train": asdict(self.train), "n_images": self.n_images}
        )

    def sample(self, columns: int = 12, rows: int = 8) -> NDArray[np.uint8]:
        """Pictures [rows * columns, H, W, 3] of the averaged generator for fixed latents."""
        chance = torch.Generator().manual_seed(7)
        standing_statistics(self.ema, self.labels, torch.Generator().manual_seed(0))
        z = torch.randn(rows * columns, self.gan.z_dim, generator=chance)
        picks = torch.randint(len(self.labels), (rows * columns,), generator=chance)
        with torch.no_grad():
            image = self.ema.eval()(z.to(self.device), self._one_hot(self.labels[picks]))
        self.ema.train()
        return to_uint8(image)

    def _set_rates(self) -> None:
        left = max(0.0, self.train.kimg * 1000 - self.n_images)
        share = min(1.0, left / max(self.train.decay_kimg * 1000, 1e-8))
        rates = ((self.opt_g, self.train.lr_g), (self.opt_d, self.train.lr_d))
        for optimiser, rate in rates:
            for group in optimiser.param_groups:
                group["lr"] = share * rate

    def _step(self) -> tuple[float, float, float]:
        self._set_rates()
        batch, sizes = self.train.batch, self.gan.schema.sizes
        real_at = torch.randint(len(self.images), (batch,), generator=self.rng)
        fake_at = torch.randint(len(self.images), (batch,), generator=self.rng)
        real = self.images[real_at].to(self.device).float() / 127.5 - 1
        real_labels = self.labels[real_at].to(self.device)
        fake_labels = self.labels[fake_at].to(self.device)
        real_c, fake_c = self._one_hot(real_labels), self._one_hot(fake_labels)
        z = torch.randn(batch, self.gan.z_dim, generator=self.rng).to(self.device)
        fake = self.g(z, fake_c)

        self.d.requires_grad_(True)
        both = torch.cat([random_shift(real, self.rng), random_shift(fake.detach(), self.rng)])
        scores, logits = self.d(both, torch.cat([real_c, fake_c]))
        loss_d = hinge_discriminator(scores[:batch], scores[batch:])
        loss_a = attribute_cross_entropy(logits[:batch], real_labels, sizes)
        self.opt_d.zero_grad()
        (loss_d + loss_a).backward()  # type: ignore[no-untyped-call]
        self.opt_d.step()

        if self.n_images < self.train.warm_kimg * 1000:
            self.n_images += batch
            return loss_d.item(), 0.0, 0.0
        self.d.requires_grad_(False)
        scores, logits = self.d(random_shift(fake, self.rng), fake_c)
        loss_g = hinge_generator(scores)
        loss_ga = attribute_cross_entropy(logits, fake_labels, sizes)
        self.opt_g.zero_grad()
        (loss_g + self.train.attribute_weight * loss_ga).backward()  # type: ignore[no-untyped-call]
        self.opt_g.step()

        self.n_images += batch
        self._average()
        return loss_d.item(), loss_g.item(), loss_ga.item()

    @torch.no_grad()
    def _average(self) -> None:
        """Exponential moving average of the weights, its half-life in thousand pictures."""
        half_life = min(self.train.ema_kimg * 1000, self.n_images * 0.05)
        beta = 0.5 ** (self.train.batch / max(half_life, 1e-8))
        for mean, now in zip(self.ema.parameters(), self.g.parameters(), strict=True):
            mean.lerp_(now, 1 - beta)

    def _one_hot(self, labels: Tensor) -> Tensor:
        return one_hot(labels, self.gan.schema.sizes).to(self.device)

    def _modules(self) -> dict[str, nn.Module]:
        return {"g": self.g, "d": self.d, "ema": self.ema}

    def _optimisers(self) -> dict[str, torch.optim.Adam]:
        return {"opt_g": self.opt_g, "opt_d": self.opt_d}

    def _save(self) -> None:
        tensors = {"rng": self.rng.get_state()}
        for name, module in self._modules().items():
            tensors |= {f"{name}.{key}": t for key, t in module.state_dict().items()}
        for name, optimiser in self._optimisers().items():
            for index, state in optimiser.state_dict()["state"].items():
                tensors |= {f"{name}.{index}.{key}": t for key, t in state.items()}
        metadata = {
            "n_images": str(self.n_images),
            "config": json.dumps([self.gan.to_json(), asdict(self.train)]),
        }
        save_tensors(
            self.state_path, {k: t.clone().contiguous() for k, t in tensors.items()}, metadata
        )

    def _restore(self) -> None:
        with safe_open(self.state_path, framework="pt") as file:
            metadata = file.metadata()
            gan = GanConfig.from_json(json.loads(metadata["config"])[0])
            if gan != self.gan:
                raise ValueError(f"{self.state_path} belongs to another network")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        self.rng.set_state(tensors["rng"])
        for name, module in self._modules().items():
            module.load_state_dict(_under(tensors, f"{name}."))
        for name, optimiser in self._optimisers().items():
            states: dict[int, dict[str, Tensor]] = {}
            for key, tensor in _under(tensors, f"{name}.").items():
                index, field = key.split(".")
                states.setdefault(int(index), {})[field] = tensor
            whole = optimiser.state_dict()
            optimiser.load_state_dict({"state": states, "param_groups": whole["param_groups"]})
        self.n_images = int(metadata["n_images"])


@torch.no_grad()
def standing_statistics(
    generator: Generator,
    labels: Tensor,
    chance: torch.Generator,
    n_batches: int = 16,
    batch: int = 64,
) -> None:
    """Batch norm statistics over ``n_batches`` forwards (Brock et al. 2019, appendix D)."""
    norms = [m for m in generator.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    generator.train()
    device = next(generator.parameters()).device
    for _ in range(n_batches):
        picks = labels[torch.randint(len(labels), (batch,), generator=chance)]
        c = one_hot(picks, generator.config.schema.sizes)
        z = torch.randn(batch, generator.z_dim, generator=chance)
        generator(z.to(device), c.to(device))
    for norm in norms:
        norm.momentum = 0.1


def one_hot(labels: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Condition vectors [N, sum(sizes)] float32 of value indices [N, len(sizes)]."""
    parts = [F.one_hot(labels[:, i], n).float() for i, n in enumerate(sizes)]
    return torch.cat([torch.zeros(len(labels), 0, device=labels.device), *parts], dim=1)


def to_uint8(image: Tensor) -> NDArray[np.uint8]:
    """Pictures [N, 3, H, W] in [-1, 1] as [N, H, W, 3] uint8, rounded half to even."""
    levels = (image.float() * 127.5 + 127.5).round().clamp(0, 255)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def eta_s(interval: Interval, train: TrainConfig) -> float:
    """Seconds left at the interval's speed; infinite when it did not move."""
    left = train.kimg * 1000 - interval.n_images
    return math.inf if interval.images_per_s <= 0 else max(0.0, left / interval.images_per_s)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
