"""The checkpoints that come with Morphora; generation/art/README.md has their recipes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ART = Path(__file__).resolve().parent / "art"


@dataclass(frozen=True)
class Shipped:
    """A generator, the parser of its pictures and its card: three files of one name."""

    name: str

    @property
    def generator(self) -> Path:
        return ART / f"{self.name}.safetensors"

    @property
    def parser(self) -> Path:
        return ART / f"{self.name}-parser.safetensors"

    @property
    def card(self) -> dict[str, Any]:
        """Name, source, licence, and what ``manage.py evaluate`` measured."""
        card: dict[str, Any] = json.loads((ART / f"{self.name}-card.json").read_text())
        return card


# What a contract draws with, taught by portraits (docs/adr/0020); its header has its recipe.
ONCHAIN = ART / "portraits-onchain.safetensors"
PORTRAITS = Shipped("portraits")  # BigGAN, 64 px: what the demo draws with
ALIAS_FREE = Shipped("portraits-alias-free")  # StyleGAN3-T, 32 px
SHIPPED = (PORTRAITS, ALIAS_FREE)
