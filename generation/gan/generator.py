"""The interface that every generator shares: latents to conditioning vectors to pictures."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from generation.gan.config import GeneratorConfig


class Generator(nn.Module):
    """Pictures from latents: ``synthesis(mapping(z, c))``.

    A picture depends on its own latent alone: what shares its batch, and how large the batch is,
    move it by rounding at most (ADR 1 says what that means for bytes).
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.z_dim = config.z_dim
        self.c_dim = config.schema.c_dim
        self.w_dim = config.w_dim
        self.num_ws = config.num_ws
        self.img_resolution = config.img_resolution

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def draws_singly(self) -> bool:
        """Whether a picture is the same to the bit however many are drawn with it."""
        return False

    @property
    @abstractmethod
    def config(self) -> GeneratorConfig:
        """What the network was made from."""

    @property
    @abstractmethod
    def latent_dim(self) -> int:
        """How many leading entries of w carry the latent; directions live in them."""

    @abstractmethod
    def latent_maps(self) -> list[Tensor]:
        """Weights [outputs, latent_dim] of the maps that the latent enters the layers by."""

    @abstractmethod
    def mapping(
        self,
        z: Tensor,
        c: Tensor,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> Tensor:
        """Conditioning vectors of every layer.

        Parameters
        ----------
        z : [N, z_dim] float32, standard normal.
        c : [N, c_dim] float32, one 1 per attribute; no columns where nothing is asked for.
        truncation_psi : 0 the mean picture, 1 off.
        truncation_cutoff : how many of the first layers are truncated; None for all.

        Returns
        -------
        ws : [N, num_ws, w_dim] float32.
        """

    @abstractmethod
    def synthesis(self, ws: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] float32, nominally in [-1, 1], from ws [N, num_ws, w_dim]."""

    def adopt(self, other: "Generator") -> None:
        """Take over the weights of another of the same architecture and shapes."""
        self.load_state_dict(other.state_dict())

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        return self.synthesis(self.mapping(z, c))
