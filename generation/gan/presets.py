"""Networks by name and how to train them, for whoever starts a run. Needs no torch."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from generation.gan.config import (
    G_WIDTHS,
    AttributeSchema,
    BigGanDeepConfig,
    ConfigError,
    GanConfig,
    GeneratorConfig,
)
from generation.gan.schedule import StyleGAN3Config

GAMES = ("rpgan", "hinge", "logistic")


def _biggan(schema: AttributeSchema, px: int, **fields: Any) -> GeneratorConfig:
    return GanConfig.for_resolution(schema, px, **fields)


def _biggan_deep(schema: AttributeSchema, px: int, **fields: Any) -> GeneratorConfig:
    """The paper's proportions at a width that a few cores can train."""
    levels = {32: 3, 64: 4, 128: 5}.get(px)
    if levels is None:
        raise ConfigError(f"{px} px is not 32, 64 or 128")
    widths: dict[str, Any] = {
        "g_channels": (*G_WIDTHS[:levels], 64 if levels < 5 else 32),
        "spectral": True,
    }
    widths |= {key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()}
    return BigGanDeepConfig(schema, **widths)


def _stylegan3(schema: AttributeSchema, px: int, **fields: Any) -> GeneratorConfig:
    small: dict[str, Any] = {"z_dim": 64, "w_dim": 128, "channel_base": 1024, "channel_max": 64}
    small |= {"n_layers": 8 if px >= 64 else 6, "margin": 4}
    return StyleGAN3Config(schema, px, **(small | fields))


def _stylegan3_r(schema: AttributeSchema, px: int, **fields: Any) -> GeneratorConfig:
    return _stylegan3(schema, px, **({"kernel": 1, "radial": True, "channel_max": 128} | fields))


ARCHITECTURES: dict[str, Callable[..., GeneratorConfig]] = {
    "biggan": _biggan,
    "biggan-deep": _biggan_deep,
    "stylegan3": _stylegan3,
    "stylegan3-r": _stylegan3_r,
}
RATES = {"biggan": 2e-4, "biggan-deep": 2e-4, "stylegan3": 2e-3, "stylegan3-r": 2e-3}


def settings_of(config: GeneratorConfig) -> tuple[str, dict[str, Any]]:
    """The architecture and its settings that make a network of this configuration again."""
    asked = ("schema", "img_resolution", "spectral")  # spectral norm is training's, by default
    settings = {name: value for name, value in config.to_json().items() if name not in asked}
    match config:
        case GanConfig():
            return "biggan", settings
        case BigGanDeepConfig():
            return "biggan-deep", settings
        case StyleGAN3Config():
            return "stylegan3-r" if config.radial else "stylegan3", settings
    raise TypeError(f"no architecture for {type(config).__name__}")


def plain(config: GeneratorConfig) -> GeneratorConfig:
    """The configuration but for what only training has."""
    return replace(config, spectral=False) if isinstance(config, BigGanDeepConfig) else config


@dataclass(frozen=True)
class TrainConfig:
    """How long, how fast, and by which game.

    Parameters
    ----------
    kimg, batch : thousand pictures in all; pictures a step, over all processes.
    game : ``rpgan`` with R1 and R2 at every step (Huang et al. 2024), ``hinge`` with spectral norm
        (Brock et al. 2019), ``logistic`` with lazy R1 (Karras et al. 2020 and 2021).
    gamma : weight of the gradient penalty, half of it for each of R1 and R2.
    penalty_every : of which pairs of a real and a generated picture it is taken: of each one, or of
        each so manieth. The expectation is the same; at 4 a step takes a fifth less time.
    orthogonal : weight of the orthogonal penalty on the generator (Brock et al. 2019).
    lr_g, lr_d : learning rates of Adam; both fall linearly to 0 over the last ``decay_kimg``.
    ema_kimg : half-life of the published weights' mean.
    attribute_weight : weight of the attribute loss in the generator's objective: .5 made
        accessories follow where the projection alone did not.
    warm_kimg : for so long only the discriminator learns: a generator taken over from another run
        would otherwise unlearn from a critic that knows nothing yet.
    adaptive : augment as strongly as the critic's knowledge asks for (ADA).
    half_precision : "auto" computes in bfloat16 on a CUDA device; "on", "off".
    interval_kimg : thousand pictures between two saves.
    """

    kimg: int = 300
    batch: int = 32
    game: str = "rpgan"
    gamma: float = 0.5
    penalty_every: int = 1
    orthogonal: float = 0.0
    lr_g: float = 2e-4
    lr_d: float = 4e-4
    decay_kimg: float = 30.0
    ema_kimg: float = 10.0
    attribute_weight: float = 0.5
    warm_kimg: float = 0.0
    adaptive: bool = False
    half_precision: str = "auto"
    interval_kimg: float = 4.0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.kimg < 1 or self.batch < 2 or self.interval_kimg <= 0:
            raise ValueError(f"kimg {self.kimg}, batch {self.batch}, interval {self.interval_kimg}")
        if self.penalty_every < 1:
            raise ValueError(f"a penalty at each {self.penalty_every}th pair")
        if self.game not in GAMES:
            raise ValueError(f"{self.game!r} is none of {', '.join(GAMES)}")
