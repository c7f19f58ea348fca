"""The adversarial game, as a generator of progress: interval after interval, resumable.

One step draws a batch of real pictures, makes a batch of false ones for attributes drawn from the
training data, updates the discriminator, then the generator. State goes to disk between intervals
in one move, with every random generator's position, so that a killed run repeats at most one
interval and a resumed run on the same device takes the same steps. Several processes may share a
batch (``generation.gan.parallel``).
"""

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from generation.gan import parallel
from generation.gan.augment import Adaptive, Views
from generation.gan.checkpoint import make_generator, save_generator
from generation.gan.config import GeneratorConfig
from generation.gan.discriminator import CriticConfig, Discriminator
from generation.gan.generator import Generator
from generation.gan.losses import (
    attribute_cross_entropy,
    critic_loss,
    generator_loss,
    gradient_penalty,
    orthogonal_penalty,
)
from generation.gan.pictures import one_hot, to_uint8
from generation.gan.presets import TrainConfig, plain
from generation.gan.standing import standing_statistics
from generation.gan.state import restore, save
from generation.traits.diversity import spread

M = TypeVar("M", bound=nn.Module)

COLLAPSED = 0.3  # of the best spread so far
LAZY_R1_STEPS = 16
SMALLEST_BATCH = 4
DRAWN_AT_ONCE = 96


class TrainingDivergedError(Exception):
    """A loss stopped being finite, or all pictures became one; the last saved state is intact."""


@dataclass(frozen=True)
class Interval:
    """Progress after one interval.

    Pictures seen, mean losses in it, the gradient penalty before its weight, the strength of the
    augmentation in [0, 1], how much the samples vary (root mean square levels of 255 between two),
    pictures a step, and speed in pictures a second.
    """

    n_images: int
    loss_d: float
    loss_g: float
    loss_attributes: float
    penalty: float
    augmentation: float
    diversity: float
    batch: int
    images_per_s: float


@dataclass
class Position:
    """Where a run is, besides its tensors."""

    n_images: int = 0
    n_steps: int = 0
    batch: int = 32
    p: float = 0.0
    best_diversity: float = 0.0


class Trainer:
    """Networks, optimisers and chance of one run; ``folder`` holds all that outlives a process."""

    def __init__(
        self,
        gan: GeneratorConfig,
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
        critic = CriticConfig.facing(gan, spectral=train.game == "hinge")
        self.g = self._placed(make_generator(gan))
        self.d = self._placed(Discriminator(critic))
        if start is not None:
            if plain(start.config) != plain(gan):
                raise ValueError("the generator to go on from is of another configuration")
            self.g.adopt(start)
        self.ema = copy.deepcopy(self.g).requires_grad_(False)
        self.opt_g = torch.optim.Adam(self.g.parameters(), train.lr_g, (0.0, 0.99))
        self.opt_d = torch.optim.Adam(self.d.parameters(), train.lr_d, (0.0, 0.99))
        self.position = Position(batch=train.batch)
        self.adaptive = Adaptive()
        self.stood_at = -1  # of how many pictures the averaged weights' statistics are
        if self.state_path.exists():
            self._restore()

    @property
    def state_path(self) -> Path:
        return self.folder / "state.safetensors"

    @property
    def n_images(self) -> int:
        return self.position.n_images

    def run(self) -> Iterator[Interval]:
        """Train to ``kimg``, saving and yielding after each interval. Closing it stops the run.

        Raises
        ------
        TrainingDivergedError
            A loss is not finite, or the samples' spread fell under 0.3 of its best.
        """
        while self.n_images < self.train.kimg * 1000:
            started, first = time.perf_counter(), self.n_images
            losses = []
            while self.n_images < min(
                first + self.train.interval_kimg * 1000, self.train.kimg * 1000
            ):
                losses.append(self._step_that_fits())
            elapsed = time.perf_counter() - started
            means = np.array(losses).mean(0)
            if not np.isfinite(means).all():
                raise TrainingDivergedError(f"losses not finite after {self.n_images} pictures")
            diversity = spread(self.sample())
            if diversity < COLLAPSED * self.position.best_diversity:
                best = self.position.best_diversity
                raise TrainingDivergedError(
                    f"samples vary by {diversity:.1f} levels of 255, once {best:.1f}: collapsed"
                )
            self.position.best_diversity = max(self.position.best_diversity, diversity)
            self._save()
            loss_d, loss_g, loss_a, penalty = means.tolist()
            yield Interval(
                n_images=self.n_images,
                loss_d=loss_d,
                loss_g=loss_g,
                loss_attributes=loss_a,
                penalty=penalty,
                augmentation=self.adaptive.p,
                diversity=diversity,
                batch=self.position.batch,
                images_per_s=(self.n_images - first) / elapsed,
            )

    def export(self, path: Path, recipe: dict[str, Any]) -> str:
        """Write the averaged generator with standing statistics; returns its sha256."""
        self._stand()
        return save_generator(
            path,
            self.ema,
            {**recipe, "train": asdict(self.train), "n_images": self.n_images},
        )

    def sample(self, columns: int = 12, rows: int = 8) -> NDArray[np.uint8]:
        """Pictures [rows * columns, H, W, 3] of the averaged generator for fixed latents."""
        return self.draw(rows * columns)

    @torch.no_grad()
    def draw(self, n: int) -> NDArray[np.uint8]:
        """Pictures [n, H, W, 3] of the averaged generator for fixed latents; moves no chance."""
        chance = torch.Generator().manual_seed(7)
        self._stand()
        z = torch.randn(n, self.gan.z_dim, generator=chance)
        picks = torch.randint(len(self.labels), (n,), generator=chance)
        parts = (slice(start, start + DRAWN_AT_ONCE) for start in range(0, n, DRAWN_AT_ONCE))
        drawn = [
            self.ema(z[part].to(self.device), self._one_hot(self.labels[picks[part]]))
            for part in parts
        ]
        return to_uint8(torch.cat(drawn))

    def _stand(self) -> None:
        """Give the averaged generator its statistics, once for as many pictures seen."""
        if self.stood_at != self.n_images:
            standing_statistics(self.ema, self.labels, torch.Generator().manual_seed(0))
            self.stood_at = self.n_images
        self.ema.eval()

    def _placed(self, module: M) -> M:
        return module.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def _set_rates(self) -> None:
        left = max(0.0, self.train.kimg * 1000 - self.n_images)
        share = min(1.0, left / max(self.train.decay_kimg * 1000, 1e-8))
        rates = ((self.opt_g, self.train.lr_g), (self.opt_d, self.train.lr_d))
        for optimiser, rate in rates:
            for group in optimiser.param_groups:
                group["lr"] = share * rate

    def _step_that_fits(self) -> tuple[float, float, float, float]:
        """One step; where memory ends, batches are halved from then on."""
        while True:
            chance = self.rng.get_state()
            try:
                return self._step()
            except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
                if not _is_out_of_memory(error) or self.position.batch < 2 * SMALLEST_BATCH:
                    raise
                self.rng.set_state(chance)
                self.position.batch //= 2

    def _step(self) -> tuple[float, float, float, float]:
        self._set_rates()
        batch, own = self.position.batch, parallel.share(self.position.batch)
        real_at = torch.randint(len(self.images), (batch,), generator=self.rng)
        fake_at = torch.randint(len(self.images), (batch,), generator=self.rng)
        z = torch.randn(batch, self.gan.z_dim, generator=self.rng)
        real_views, fake_views, last_views = (self._views(batch).part(own) for _ in range(3))
        real_at, fake_at, z = real_at[own], fake_at[own], z[own].to(self.device)
        real = self.images[real_at].to(self.device).float() / 127.5 - 1
        real = real_views.of(real)
        real_labels, fake_labels = (self.labels[at].to(self.device) for at in (real_at, fake_at))
        real_c, fake_c = self._one_hot(real_labels), self._one_hot(fake_labels)

        with self._precision():
            fake = self.g(z, fake_c)
        seen = fake_views.of(fake.detach())
        loss_d, penalty, sign = self._teach_critic(real, seen, real_c, fake_c, real_labels)
        if self.train.adaptive:
            self.adaptive.adjust(sign, batch)
        if self.n_images < self.train.warm_kimg * 1000:
            self._advance(batch)
            return loss_d, 0.0, 0.0, penalty
        loss_g, loss_a = self._teach_generator(
            real, last_views.of(fake), real_c, fake_c, fake_labels
        )
        self._advance(batch)
        self._average(batch)
        return loss_d, loss_g, loss_a, penalty

    def _teach_critic(
        self, real: Tensor, fake: Tensor, real_c: Tensor, fake_c: Tensor, labels: Tensor
    ) -> tuple[float, float, float]:
        """One step of the discriminator; its loss, the penalty, the mean sign of real scores."""
        n, game = len(real), self.train.game
        self.d.requires_grad_(True)
        weight = self._penalty_weight()
        rows = self._rows_by_penalty(n) if weight else [torch.arange(n)]
        asked = [torch.cat([real[at], fake[at]]) for at in rows]
        asked[0].requires_grad_(weight > 0)
        with self._precision():
            told = [
                self.d(pictures, torch.cat([real_c[at], fake_c[at]]))
                for pictures, at in zip(asked, rows, strict=True)
            ]
        real_scores = torch.cat([scores[: len(scores) // 2] for scores, _ in told]).float()
        fake_scores = torch.cat([scores[len(scores) // 2 :] for scores, _ in told]).float()
        logits = torch.cat([read[: len(read) // 2] for _, read in told])
        loss = critic_loss(game, real_scores, fake_scores)
        in_order = labels[torch.cat(rows)]
        total = loss + attribute_cross_entropy(logits, in_order, self.gan.schema.sizes)
        penalty = torch.zeros(())
        if weight:
            scores = told[0][0].float()
            counted = scores if game == "rpgan" else scores[: len(scores) // 2]
            penalty = gradient_penalty(counted, asked[0])
            total = total + weight * penalty
        self._update(self.opt_d, total)
        means = torch.stack([loss.detach(), penalty.detach(), real_scores.detach().sign().mean()])
        parallel.average_([means])
        loss_d, strength, sign = means.tolist()
        return loss_d, strength, sign

    def _rows_by_penalty(self, n: int) -> list[Tensor]:
        """The pairs that the gradient penalty is taken of, and those it is not, if any."""
        held = torch.arange(n) % self.train.penalty_every == 0
        return [at for at in (held.nonzero().flatten(), (~held).nonzero().flatten()) if len(at)]

    def _penalty_weight(self) -> float:
        """R1 and R2 at every step, or R1 at each sixteenth with sixteen times the weight.

        The penalty is a mean over real and generated pictures, which makes its half of the weight.
        """
        if self.train.game == "rpgan":
            return self.train.gamma
        if self.train.game == "logistic" and self.position.n_steps % LAZY_R1_STEPS == 0:
            return self.train.gamma * LAZY_R1_STEPS
        return 0.0

    def _teach_generator(
        self, real: Tensor, fake: Tensor, real_c: Tensor, fake_c: Tensor, labels: Tensor
    ) -> tuple[float, float]:
        """One step of the generator; its loss and the attribute loss."""
        self.d.requires_grad_(False)
        with self._precision():
            scores, logits = self.d(fake, fake_c)
            real_scores = torch.zeros_like(scores)
            if self.train.game == "rpgan":
                with torch.no_grad():
                    real_scores, _ = self.d(real, real_c)
        loss = generator_loss(self.train.game, real_scores.float(), scores.float())
        loss_a = attribute_cross_entropy(logits, labels, self.gan.schema.sizes)
        total = loss + self.train.attribute_weight * loss_a
        if self.train.orthogonal:
            weights = [p for p in self.g.parameters() if p.ndim >= 2]
            total = total + self.train.orthogonal * orthogonal_penalty(weights)
        self._update(self.opt_g, total)
        told = torch.stack([loss.detach(), loss_a.detach()])
        parallel.average_([told])
        loss_g, loss_attributes = told.tolist()
        return loss_g, loss_attributes

    def _update(self, optimiser: torch.optim.Adam, loss: Tensor) -> None:
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        held = (p for group in optimiser.param_groups for p in group["params"])
        parallel.average_(p.grad for p in held if p.grad is not None)
        optimiser.step()

    def _views(self, batch: int) -> Views:
        p = self.adaptive.p if self.train.adaptive else None
        return Views.draw(batch, self.gan.img_resolution, p, self.rng)

    def _precision(self) -> torch.autocast:
        wanted = self.train.half_precision
        half = self.device.type == "cuda" if wanted == "auto" else wanted == "on"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=half)

    def _advance(self, batch: int) -> None:
        self.position.n_images += batch
        self.position.n_steps += 1

    @torch.no_grad()
    def _average(self, batch: int) -> None:
        """Exponential moving average of the weights, its half-life in thousand pictures."""
        half_life = min(self.train.ema_kimg * 1000, self.n_images * 0.05)
        beta = 0.5 ** (batch / max(half_life, 1e-8))
        for mean, now in zip(self.ema.parameters(), self.g.parameters(), strict=True):
            mean.lerp_(now, 1 - beta)
        for kept, moved in zip(self.ema.buffers(), self.g.buffers(), strict=True):
            kept.copy_(moved)

    def _one_hot(self, labels: Tensor) -> Tensor:
        return one_hot(labels, self.gan.schema.sizes).to(self.device)

    def _modules(self) -> dict[str, nn.Module]:
        return {"g": self.g, "d": self.d, "ema": self.ema}

    def _optimisers(self) -> dict[str, torch.optim.Adam]:
        return {"opt_g": self.opt_g, "opt_d": self.opt_d}

    def _save(self) -> None:
        self.position.p = self.adaptive.p
        if parallel.rank() == 0:
            save(
                self.state_path,
                self._modules(),
                self._optimisers(),
                {"rng": self.rng.get_state()},
                {"position": asdict(self.position), "gan": self.gan.to_json()},
            )

    def _restore(self) -> None:
        extra, facts = restore(self.state_path, self._modules(), self._optimisers(), self.gan)
        self.rng.set_state(extra["rng"])
        self.position = Position(**facts["position"])
        self.adaptive.p = self.position.p


def eta_s(interval: Interval, train: TrainConfig) -> float:
    """Seconds left at the interval's speed; infinite when it did not move."""
    left = train.kimg * 1000 - interval.n_images
    return math.inf if interval.images_per_s <= 0 else max(0.0, left / interval.images_per_s)


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        "allocate memory" in str(error)
    )
