"""Tensors of a foreign file put into a network of ours: each once, none left over."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn


class ForeignCheckpointError(Exception):
    """A file cannot become a generator; the message says why."""


class Placing:
    """What a file gives, taken out tensor by tensor."""

    def __init__(self, given: Mapping[str, Tensor]) -> None:
        self.given = dict(given)

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def take(self, name: str, shape: tuple[int, ...] | None = None) -> Tensor:
        """The tensor of that name as float32; it must be there, finite, and of that shape."""
        if name not in self.given:
            raise ForeignCheckpointError(f"{name} is missing")
        tensor = self.given.pop(name).detach().float()
        if shape is not None and tuple(tensor.shape) != shape:
            raise ForeignCheckpointError(
                f"{name} has shape {tuple(tensor.shape)}, expected {shape}"
            )
        if not torch.isfinite(tensor).all():
            raise ForeignCheckpointError(f"{name} is not finite")
        return tensor

    def drop(self, *names: str) -> None:
        """Forget tensors that have no effect on a picture."""
        for name in names:
            self.given.pop(name, None)

    @torch.no_grad()
    def put(self, name: str, target: Tensor) -> None:
        target.copy_(self.take(name, tuple(target.shape)))

    def put_all(self, prefix: str, module: nn.Module, names: Iterable[str]) -> None:
        """Tensors ``prefix.name`` into the attributes of the same names."""
        for name in names:
            target = getattr(module, name)
            assert isinstance(target, Tensor)
            self.put(f"{prefix}.{name}", target)

    def finish(self) -> None:
        """Refuse what is left over."""
        if self.given:
            left = sorted(self.given)
            named = ", ".join(left[:5]) + (" ..." if len(left) > 5 else "")
            raise ForeignCheckpointError(f"{len(left)} tensors left over: {named}")
