"""A training run on disk: weights, optimisers, chance and position in one safetensors file."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from generation.gan.checkpoint import save_tensors
from generation.gan.config import GeneratorConfig


def save(
    path: Path,
    modules: dict[str, nn.Module],
    optimisers: dict[str, torch.optim.Adam],
    extra: dict[str, Tensor],
    facts: dict[str, Any],
) -> None:
    """Write all of it in one move."""
    tensors = {f"extra.{name}": tensor for name, tensor in extra.items()}
    for name, module in modules.items():
        tensors |= {f"{name}.{key}": t for key, t in module.state_dict().items()}
    for name, optimiser in optimisers.items():
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}.{index}.{key}": t for key, t in state.items()}
    copies = {key: tensor.clone().contiguous() for key, tensor in tensors.items()}
    save_tensors(path, copies, {"facts": json.dumps(facts)})


def restore(
    path: Path,
    modules: dict[str, nn.Module],
    optimisers: dict[str, torch.optim.Adam],
    gan: GeneratorConfig,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Fill modules and optimisers; extra tensors and facts. ValueError for another network."""
    with safe_open(path, framework="pt") as file:
        facts: dict[str, Any] = json.loads(file.metadata()["facts"])
        if facts["gan"] != json.loads(json.dumps(gan.to_json())):
            raise ValueError(f"{path} belongs to another network")
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    for name, module in modules.items():
        module.load_state_dict(_under(tensors, f"{name}."))
    for name, optimiser in optimisers.items():
        states: dict[int, dict[str, Tensor]] = {}
        for key, tensor in _under(tensors, f"{name}.").items():
            index, field = key.split(".")
            states.setdefault(int(index), {})[field] = tensor
        whole = optimiser.state_dict()
        optimiser.load_state_dict({"state": states, "param_groups": whole["param_groups"]})
    return _under(tensors, "extra."), facts


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
