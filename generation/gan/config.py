"""What a network is made of: frozen, serialisable, hashed with its weights."""

import dataclasses
import itertools
from dataclasses import dataclass
from typing import Any, Protocol, Self

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


class GeneratorConfig(Protocol):
    """What every configuration says of its network."""

    @property
    def schema(self) -> AttributeSchema: ...
    @property
    def img_resolution(self) -> int: ...
    @property
    def z_dim(self) -> int: ...
    @property
    def w_dim(self) -> int: ...
    @property
    def num_ws(self) -> int: ...
    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Configuration:
    """A network's settings as JSON and back; ``schema`` is every one's first field."""

    schema: AttributeSchema

    def to_json(self) -> dict[str, Any]:
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
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
        except (KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"not a {cls.__name__}: {error}") from error


@dataclass(frozen=True)
class GanConfig(Configuration):
    """A conditional BigGAN-family pair of networks for square pictures.

    ``g_channels[i]`` is the width of the generator at resolution ``4 * 2**i`` px, the last entry at
    the full resolution; ``d_channels`` likewise for the discriminator, up to half the resolution,
    and ``d_features`` its last layer. ``embed_dim`` is the size of the shared class embedding
    (Brock et al. 2019, appendix B), ``z_dim`` that of the latent.
    """

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
    def for_resolution(cls, schema: AttributeSchema, img_resolution: int, **fields: Any) -> Self:
        """Networks of the shipped generator's proportions for 16, 32, 64 or 128 px."""
        levels = {16: 2, 32: 3, 64: 4, 128: 5}.get(img_resolution)
        if levels is None:
            raise ConfigError(f"{img_resolution} px is not 16, 32, 64 or 128")
        widths = {"g_channels": (*G_WIDTHS[:levels], 32), "d_channels": D_WIDTHS[:levels]}
        given = {key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()}
        return cls(schema, img_resolution, **(widths | given))

    @property
    def w_dim(self) -> int:
        """Length of w: the latent, and the class embedding where there are classes."""
        return self.z_dim + (self.embed_dim if self.schema.attributes else 0)

    @property
    def num_ws(self) -> int:
        """One for the first map, one for each block, one for the last norm."""
        return len(self.g_channels) + 1


@dataclass(frozen=True)
class BigGanDeepConfig(Configuration):
    """BigGAN-deep (Brock et al. 2019, appendix B, tables 7 to 9).

    Parameters
    ----------
    schema : the attributes it is asked for; empty for none.
    g_channels : width at 4 px and after each doubling, the last at the full resolution.
    z_dim, embed_dim : sizes of the latent and of the shared class embedding.
    attention_px : resolution of the self-attention; 0 for none.
    epsilon : added to variances.
    n_stats : truncations that batch statistics are kept for, evenly from 0 to 1; 1 for all alike.
    spectral : weights are divided by their largest singular value while training.
    """

    g_channels: tuple[int, ...]
    z_dim: int = 128
    embed_dim: int = 128
    attention_px: int = 0
    epsilon: float = 1e-4
    n_stats: int = 1
    spectral: bool = False

    def __post_init__(self) -> None:
        if len(self.g_channels) < 4:
            raise ConfigError(f"{self.img_resolution} px: BigGAN-deep starts at 32")
        if any(c % 4 or c < 4 for c in self.g_channels[:-1]):
            raise ConfigError(f"widths {self.g_channels} are not multiples of 4")
        if any(a < b for a, b in itertools.pairwise(self.g_channels)):
            raise ConfigError(f"widths {self.g_channels} grow; the skip can only drop channels")
        sizes = [8 * 2**i for i in range(len(self.g_channels) - 1)]
        if self.attention_px and self.attention_px not in sizes:
            raise ConfigError(f"attention at {self.attention_px} px, not one of {sizes}")
        if self.n_stats < 1 or self.z_dim < 1 or self.embed_dim < 1:
            raise ConfigError(f"n_stats {self.n_stats}, z {self.z_dim}, embedding {self.embed_dim}")

    @property
    def img_resolution(self) -> int:
        return int(4 * 2 ** (len(self.g_channels) - 1))

    @property
    def cond_dim(self) -> int:
        """Length of what conditions the norms: latent and class embedding."""
        return self.z_dim + (self.embed_dim if self.schema.attributes else 0)

    @property
    def w_dim(self) -> int:
        """``cond_dim``, and the truncation where statistics are kept by it."""
        return self.cond_dim + (self.n_stats > 1)

    @property
    def num_ws(self) -> int:
        """One for the first map, one for each block, one for the last norm."""
        return len(self.blocks) + 2

    @property
    def blocks(self) -> tuple[tuple[int, int, bool], ...]:
        """(channels in, channels out, doubles) of each block: two for a resolution."""
        pairs = itertools.pairwise(self.g_channels)
        return tuple(spec for a, b in pairs for spec in ((a, a, False), (a, b, True)))

    @property
    def attention_at(self) -> int:
        """How many blocks come before self-attention; -1 for none."""
        return 2 * self._attention_level if self.attention_px else -1

    @property
    def attention_channels(self) -> int:
        return self.g_channels[self._attention_level]

    @property
    def _attention_level(self) -> int:
        return (self.attention_px // 4).bit_length() - 1
