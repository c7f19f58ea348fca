"""Reads traits out of pictures: a small network that has only seen art with true labels.

It is trained apart from the generators and never on their pictures, so that a trait in the metadata
says what the picture shows, not what was asked for.
"""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from generation.gan.augment import random_shift
from generation.gan.config import AttributeSchema
from generation.gan.header import (
    PARSER_ARCHITECTURE,
    check_digest,
    read_metadata,
    sha256_file,
)
from generation.gan.losses import attribute_cross_entropy


class ParserNetwork(nn.Module):
    """Four strided convolutions and one linear head for all attributes."""

    def __init__(self, schema: AttributeSchema, img_resolution: int, width: int = 48) -> None:
        super().__init__()
        self.schema = schema
        self.img_resolution = img_resolution
        widths = [3, width, 2 * width, 3 * width, 4 * width]
        layers: list[nn.Module] = []
        for c_in, c_out in itertools.pairwise(widths):
            layers += [
                nn.Conv2d(c_in, c_out, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(c_out),
                nn.ReLU(),
            ]
        self.features = nn.Sequential(*layers)
        side = img_resolution // 16
        self.hidden = nn.Linear(widths[-1] * side * side, 256)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(256, schema.c_dim)

    def embed(self, image: Tensor) -> Tensor:
        """Features [N, 256] of pictures [N, 3, H, W] in [-1, 1]."""
        hidden: Tensor = F.relu(self.hidden(self.features(image).flatten(1)))
        return hidden

    def forward(self, image: Tensor) -> Tensor:
        """Logits [N, c_dim]."""
        logits: Tensor = self.head(self.drop(self.embed(image)))
        return logits


@dataclass(frozen=True)
class Parsed:
    """What a parser read in one picture: values, and the lowest probability among them."""

    values: dict[str, str]
    confidence: float


@torch.no_grad()
def parse(network: ParserNetwork, pictures: NDArray[np.uint8]) -> list[Parsed]:
    """Traits of pictures [N, H, W, 3] uint8, in batches of 64 on one thread's arithmetic."""
    return [
        parsed for batch in _batches(network, pictures) for parsed in _said(network, network(batch))
    ]


@torch.no_grad()
def read(
    network: ParserNetwork, pictures: NDArray[np.uint8]
) -> tuple[list[Parsed], NDArray[np.float32]]:
    """Traits and features [N, 256] float32 of pictures [N, H, W, 3] uint8, in one pass."""
    found: list[Parsed] = []
    seen = [np.empty((0, network.hidden.out_features), np.float32)]
    for batch in _batches(network, pictures):
        hidden = network.embed(batch)
        seen.append(hidden.numpy())
        found += _said(network, network.head(network.drop(hidden)))
    return found, np.concatenate(seen)


def _batches(network: ParserNetwork, pictures: NDArray[np.uint8]) -> Iterator[Tensor]:
    if pictures.shape[1:] != (network.img_resolution, network.img_resolution, 3):
        raise ValueError(
            f"pictures {pictures.shape[1:]} for a parser of {network.img_resolution} px"
        )
    for start in range(0, len(pictures), 64):
        yield to_float(pictures[start : start + 64])


def _said(network: ParserNetwork, logits: Tensor) -> list[Parsed]:
    """What logits [N, c_dim] say of each picture."""
    parts = [
        part.softmax(1).max(1) for part in torch.split(logits, list(network.schema.sizes), dim=1)
    ]
    lowest = torch.stack([part.values for part in parts]).min(0).values.tolist()
    at = torch.stack([part.indices for part in parts], dim=1).tolist()
    return [
        Parsed(
            {
                name: options[i]
                for (name, options), i in zip(network.schema.attributes, row, strict=True)
            },
            confidence,
        )
        for row, confidence in zip(at, lowest, strict=True)
    ]


@torch.no_grad()
def features(network: ParserNetwork, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Features [N, 256] float32 of pictures [N, H, W, 3] uint8."""
    parts = [
        network.embed(to_float(pictures[start : start + 64])).numpy()
        for start in range(0, len(pictures), 64)
    ]
    return np.concatenate(parts)


def to_float(pictures: NDArray[np.uint8]) -> Tensor:
    """[N, H, W, 3] uint8 as [N, 3, H, W] float32 in [-1, 1]."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def train_parser(
    network: ParserNetwork,
    pictures: NDArray[np.uint8],
    labels: NDArray[np.int64],
    *,
    epochs: int,
    seed: int,
    batch: int = 64,
) -> Iterator[float]:
    """Train in place on labelled art; yields the mean loss of each epoch.

    Shifts, soft blur and a little noise make it robust to a generator's strokes; colours stay.
    """
    chance = torch.Generator().manual_seed(seed)
    steps = epochs * (len(pictures) // batch)
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    targets = torch.from_numpy(labels)
    network.train()
    for _ in range(epochs):
        losses = []
        order = torch.randperm(len(pictures), generator=chance)
        for start in range(0, len(order) - batch + 1, batch):
            picks = order[start : start + batch]
            image = _roughen(to_float(pictures[picks.numpy()]), chance)
            loss = attribute_cross_entropy(network(image), targets[picks], network.schema.sizes)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        yield float(np.mean(losses))
    network.eval()


def _roughen(image: Tensor, chance: torch.Generator) -> Tensor:
    shifted = random_shift(image, chance, ratio=0.05)
    blurred = F.avg_pool2d(F.pad(shifted, (1,) * 4, mode="replicate"), 3, stride=1)
    mix = torch.rand(len(image), 1, 1, 1, generator=chance) * 0.6
    noise = torch.randn(image.shape, generator=chance) * 0.04
    return shifted.lerp(blurred, mix) + noise


def accuracy(
    network: ParserNetwork, pictures: NDArray[np.uint8], labels: NDArray[np.int64]
) -> dict[str, float]:
    """Macro-averaged recall of each attribute over its values, in [0, 1]."""
    read = parse(network, pictures)
    found = {}
    for i, (name, options) in enumerate(network.schema.attributes):
        said = np.array([options.index(p.values[name]) for p in read])
        recalls = [
            float((said[labels[:, i] == k] == k).mean())
            for k in range(len(options))
            if (labels[:, i] == k).any()
        ]
        found[name] = float(np.mean(recalls))
    return found


def save_parser(path: Path, network: ParserNetwork, report: dict[str, object]) -> str:
    """Write the parser with its report; returns the file's sha256."""
    metadata = {
        "architecture": PARSER_ARCHITECTURE,
        "schema": json.dumps(network.schema.to_mapping()),
        "img_resolution": str(network.img_resolution),
        "report": json.dumps(report, sort_keys=True),
    }
    temporary = path.with_name(f".{path.name}.part")
    save_file({k: t.contiguous() for k, t in network.state_dict().items()}, temporary, metadata)
    temporary.replace(path)
    return sha256_file(path)


def load_parser(path: Path, expected_sha256: str | None = None) -> ParserNetwork:
    """The parser in ``path`` in eval mode; CheckpointError with the reason if it is not one."""
    check_digest(path, expected_sha256)
    metadata = read_metadata(path, PARSER_ARCHITECTURE)
    schema = AttributeSchema.from_mapping(json.loads(metadata["schema"]))
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    network = ParserNetwork(
        schema, int(metadata["img_resolution"]), width=tensors["features.0.weight"].shape[0]
    )
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(False)
