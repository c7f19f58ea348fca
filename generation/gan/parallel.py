"""Several processes that train as one: each takes its share of a joint batch.

Started by torchrun; without it, there is one process and nothing here does anything. What is
averaged over processes is what a single process would average over its batch, so losses and weights
are those of the joint batch up to rounding.
"""

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.nn.functional import all_reduce


def join() -> None:
    """Become one of several processes, if torchrun started this one; a device each on CUDA."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl")
    else:
        dist.init_process_group("gloo")


def leave() -> None:
    """Wait for the others and part."""
    if world_size() > 1:
        dist.barrier()
        dist.destroy_process_group()


def world_size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is; 0 saves and reports."""
    return dist.get_rank() if world_size() > 1 else 0


def share(n: int) -> slice:
    """The part of n joint items that is this process's; ValueError if it would be uneven."""
    if n % world_size():
        raise ValueError(f"a batch of {n} for {world_size()} processes")
    part = n // world_size()
    return slice(rank() * part, (rank() + 1) * part)


@torch.no_grad()
def average_(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by its mean over processes; all in one message, of one type."""
    if world_size() == 1:
        return
    held = list(tensors)
    together = torch.cat([tensor.flatten() for tensor in held])
    dist.all_reduce(together)
    together.div_(world_size())
    parts = torch.split(together, [tensor.numel() for tensor in held])
    for tensor, part in zip(held, parts, strict=True):
        tensor.copy_(part.view_as(tensor))


def mean(tensor: Tensor) -> Tensor:
    """The mean over processes; gradients flow through it."""
    if world_size() == 1:
        return tensor
    summed: Tensor = all_reduce(tensor)  # type: ignore[no-untyped-call]
    return summed / world_size()
