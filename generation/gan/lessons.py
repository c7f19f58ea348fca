"""What a student is taught: latents of 32 bytes, and the teacher's picture of each.

The bytes of a latent say everything. Each attribute has a few of them, its code: three for a
colour, which are the colour; corners far apart for shapes. What is left moves the teacher's latent
along the directions that change its pictures most. Any latent has a picture, between codes too:
the teacher is asked for the values whose codes are near, mixed by exp(-d^2 / 2 s^2).
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from generation.gan.config import AttributeSchema
from generation.gan.generator import Generator
from generation.gan.student import LATENTS, RESOLUTION

LOW, MIDDLE, HIGH = 24, 128, 231
NEARNESS = 4  # how many s the nearest two codes of an attribute are apart


@dataclass(frozen=True)
class Lessons:
    """``codes``: attribute -> [values, bytes]; ``basis`` [z_dim, free bytes] is orthonormal."""

    schema: AttributeSchema
    codes: Mapping[str, Tensor]
    basis: Tensor
    psi: float

    @property
    def n_free(self) -> int:
        return self.basis.shape[1]

    def random(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Latents [n, 32] of values and free bytes that are equally likely, as floats."""
        device = self.basis.device
        parts = []
        for code in self.codes.values():
            chosen = torch.randint(len(code), (n,), generator=generator, device=device)
            parts.append(code[chosen])
        free = torch.randint(256, (n, self.n_free), generator=generator, device=device)
        return torch.cat([*parts, free.float()], 1)

    def asked(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """What the teacher gets: z [N, z_dim] and mixed attributes c [N, c_dim]."""
        at, mixed = 0, []
        for code in self.codes.values():
            own = latents[:, at : at + code.shape[1]]
            squares = (own[:, None] - code).square().sum(2)
            mixed.append(F.softmax(-squares / (2 * spread(code) ** 2), 1))
            at += code.shape[1]
        normal = torch.special.ndtri((latents[:, at:] + 0.5) / 256)
        return normal @ self.basis.T, torch.cat(mixed, 1)


def spread(code: Tensor) -> float:
    """How far from a code its value is still asked for."""
    return float(torch.pdist(code).min()) / NEARNESS


def shape_code(n_values: int, n_bytes: int, device: torch.device) -> Tensor:
    """Codes of values without a colour: corners, of even parity where those are enough."""
    if n_values == 2 * n_bytes:  # the ends of each axis are as far apart
        code = torch.full((n_values, n_bytes), float(MIDDLE), device=device)
        for value in range(n_values):
            code[value, value // 2] = LOW if value % 2 else HIGH
        return code
    corners = list(itertools.product((LOW, HIGH), repeat=n_bytes))
    even = [corner for corner in corners if sum(byte == HIGH for byte in corner) % 2 == 0]
    chosen = (even if len(even) >= n_values else corners)[:n_values]
    if len(chosen) < n_values:
        raise ValueError(f"{n_bytes} bytes have no {n_values} corners")
    return torch.tensor(chosen, dtype=torch.float32, device=device)


@torch.no_grad()
def prepare(
    teacher: Generator,
    sizes: Mapping[str, int],
    colours: frozenset[str],
    psi: float,
    n: int = 256,
) -> Lessons:
    """Codes and basis of a teacher, from ``n`` pictures for each value and direction.

    ``sizes`` are how many bytes attributes have that are no ``colours``, which have three.
    """
    device, schema = teacher.device, teacher.config.schema
    codes = {}
    for attribute, values in schema.attributes:
        if attribute in colours:
            codes[attribute] = colour_code(teacher, attribute, n).round()
        else:
            codes[attribute] = shape_code(len(values), sizes[attribute], device)
    n_free = LATENTS - sum(code.shape[1] for code in codes.values())
    return Lessons(schema, codes, basis(teacher, n_free, psi, n), psi)


def one_hot(schema: AttributeSchema, n: int, device: torch.device) -> Tensor:
    """Random attributes [n, c_dim]."""
    parts = []
    for _, values in schema.attributes:
        chosen = torch.randint(len(values), (n,), device=device)
        parts.append(F.one_hot(chosen, len(values)).float())
    return torch.cat(parts, 1)


@torch.no_grad()
def colour_code(teacher: Generator, attribute: str, n: int = 256) -> Tensor:
    """[values, 3]: the mean colour where the attribute changes the picture most."""
    schema, device = teacher.config.schema, teacher.device
    z = torch.randn(n, teacher.z_dim, device=device)
    c = one_hot(schema, n, device)
    n_values = len(dict(schema.attributes)[attribute])
    at = 0
    for name, values in schema.attributes:
        if name == attribute:
            break
        at += len(values)
    pictures = []
    for value in range(n_values):
        asked = c.clone()
        asked[:, at : at + n_values] = 0
        asked[:, at + value] = 1
        pictures.append(teach(teacher, z, asked, 0.8))
    means = torch.stack(pictures)  # [values, n, 3, 32, 32]
    changes = means.var(0).mean((0, 1)).flatten()
    where = changes >= changes.quantile(0.95)
    return means.mean(1).flatten(2)[:, :, where].median(2).values


@torch.no_grad()
def basis(teacher: Generator, n_free: int, psi: float, n: int = 256, step: float = 0.5) -> Tensor:
    """Principal directions [z_dim, n_free] of what z changes in pictures, by finite differences."""
    device = teacher.device
    z = torch.randn(n, teacher.z_dim, device=device)
    c = one_hot(teacher.config.schema, n, device)
    rows = []
    for axis in torch.eye(teacher.z_dim, device=device):
        ahead, behind = (teach(teacher, z + sign * step * axis, c, psi) for sign in (1, -1))
        rows.append((ahead - behind).flatten())
    changes = torch.stack(rows)  # [z_dim, everything]
    _, vectors = torch.linalg.eigh(changes @ changes.T)
    leading: Tensor = vectors.flip(1)[:, :n_free].contiguous()
    return leading


def teach(teacher: Generator, z: Tensor, c: Tensor, psi: float) -> Tensor:
    """The teacher's pictures [N, 3, 32, 32], box-averaged, in 0..255."""
    image = teacher.synthesis(teacher.mapping(z, c, psi))
    small = F.avg_pool2d(image, image.shape[2] // RESOLUTION)
    levels: Tensor = ((small + 1) * 127.5).clamp(0, 255)
    return levels
