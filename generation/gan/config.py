"""What a network is made of: frozen, serialisable, hashed with its weights."""

from dataclasses import asdict, dataclass
from typing import Any, Self

G_WIDTHS = (256, 192, 128, 96, 64)
D_WIDTHS = (256, 192, 160, 80, 64)


class ConfigError(ValueError):
    """A configuration names an unknown field, misses one, or asks for an impossible network."""


@dataclass(frozen=True)
class AttributeSchema:
    """The attributes a generator is conditioned on.

    Parameters
    ----------
    attributes
        Pairs (name, values) in the order of the condition vector, for example
        ``(("skin", ("honey", "umber")), ("head", ("bald", "long")))``; empty for a generator that
        is not conditioned on anything.
    """

    attributes: tuple[tuple[str, tuple[str, ...]], ...]

    def __post_init__(self) -> None:
        names = [name for name, _ in self.attributes]
        if len(set(names)) != len(names):
            raise ConfigError(f"attribute names must be unique: {names}")
        for name, values in self.attributes:
            if len(values) < 2 or len(set(values)) != len(values):
                raise ConfigError(f"attribute {name} needs two or more different values: {values}")

    @classmethod
    def from_mapping(cls, mapping: dict[str, list[str]]) -> Self:
        return cls(tuple((name, tuple(values)) for name, values in mapping.items()))

    def to_mapping(self) -> dict[str, list[str]]:
        return {name: list(values) for name, values in self.attributes}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.attributes)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(len(values) for _, values in self.attributes)

    @property
    def c_dim(self) -> int:
        return sum(self.sizes)


@dataclass(frozen=True)
class GanConfig:
    """A conditional BigGAN-family pair of networks for square pictures.

    ``g_channels[i]`` is the width of the generator at resolution ``4 * 2**i`` px, the last entry at
    the full resolution; ``d_channels`` likewise for the discriminator, up to half the resolution,
    and ``d_features`` its last layer. ``embed_dim`` is the size of the shared class embedding
    (Brock et al. 2019, appendix B), ``z_dim`` that of the latent.
    """

    schema: AttributeSchema
    img_resolution: int = 64
    z_dim: int = 64
    embed_dim: int = 64
    g_channels: tuple[int, ...] = (*G_WIDTHS[:4], 32)
    d_channels: tuple[int, ...] = D_WIDTHS[:4]
    d_features: int = 512

    def __post_init__(self) -> None:
        levels = len(self.g_channels)
        if 4 * 2 ** (levels - 1) != self.img_resolution or len(self.d_channels) != levels - 1:
            raise ConfigError(
                f"{levels} generator and {len(self.d_channels)} discriminator widths "
                f"do not make {self.img_resolution} px"
            )

    @classmethod
    def for_resolution(cls, schema: AttributeSchema, img_resolution: int) -> Self:
        """Networks of the shipped generator's proportions for 16, 32, 64 or 128 px."""
        levels = {16: 2, 32: 3, 64: 4, 128: 5}.get(img_resolution)
        if levels is None:
            raise ConfigError(f"{img_resolution} px is not 16, 32, 64 or 128")
        return cls(
            schema,
            img_resolution,
            g_channels=(*G_WIDTHS[:levels], 32),
            d_channels=D_WIDTHS[:levels],
        )

    @property
    def w_dim(self) -> int:
        """Length of w: the latent, and the class embedding where there are classes."""
        return self.z_dim + (self.embed_dim if self.schema.attributes else 0)

    def to_json(self) -> dict[str, Any]:
        fields = asdict(self)
        fields["schema"] = self.schema.to_mapping()
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        known: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in fields.items()
            if key != "schema"
        }
        try:
            return cls(schema=AttributeSchema.from_mapping(fields["schema"]), **known)
        except (KeyError, TypeError) as error:
            raise ConfigError(f"not a generator configuration: {error}") from error
