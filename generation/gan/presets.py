"""Networks by name, for whoever starts a training run. Needs no torch."""

from collections.abc import Callable
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
