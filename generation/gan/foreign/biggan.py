"""BigGAN-deep state dicts of two well-known implementations become generators of ours.

Brock's PyTorch code (``blocks.0.0.conv1.weight``) and Hugging Face's port of the published weights
(``generator.layers.0.conv_0.weight_orig``), both MIT licensed: their names and their ways of
storing spectral norm are facts of the formats. Weights are divided by their singular values once,
here.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from generation.gan.biggan_deep import Attention, BigGanDeep, Block
from generation.gan.config import BigGanDeepConfig, ConfigError
from generation.gan.foreign.placing import ForeignCheckpointError, Placing
from generation.gan.foreign.stylegan3 import class_schema

BROCK_EPSILON = 1e-5
CAVEAT = "BigGAN-deep"


def read_biggan(path: Path, config: dict[str, Any] | None) -> BigGanDeep:
    """The generator of a state dict, folded and in eval mode, every tensor placed.

    ``config`` is the JSON beside Hugging Face's files; of Brock's only ``BN_eps`` is read.

    Raises
    ------
    ForeignCheckpointError
        The file is not a state dict of BigGAN-deep, or its tensors do not fit.
    """
    placing = Placing(read_state_dict(path))
    try:
        if "embeddings.weight" in placing:
            if config is None:
                raise ForeignCheckpointError("the config JSON that belongs to it is missing")
            return _hugging_face(placing, config)
        if "shared.weight" in placing and "linear.weight" in placing:
            return _brock(placing, config or {})
    except (ConfigError, KeyError, TypeError, ValueError, IndexError) as error:
        raise ForeignCheckpointError(f"settings of no {CAVEAT}: {error!r}") from error
    raise ForeignCheckpointError(f"its tensors have the names of no known {CAVEAT}")


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Names and tensors of a .pth (read without running what it names) or safetensors file."""
    try:
        if path.suffix == ".safetensors":
            found: object = load_file(path)
        else:
            found = torch.load(path, weights_only=True, map_location="cpu")
    except SafetensorError as error:
        raise ForeignCheckpointError(f"not a safetensors file: {error}") from error
    except Exception as error:  # a hostile file can raise anything from within torch.load
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ForeignCheckpointError(f"not a file of weights alone: {reason}") from error
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in found.items()
    ):
        raise ForeignCheckpointError("not a table of tensors")
    return found


def _hugging_face(placing: Placing, config: dict[str, Any]) -> BigGanDeep:
    width, layers = int(config["channel_width"]), [tuple(layer) for layer in config["layers"]]
    channels = [width * layers[0][1], *(width * out for ups, _, out in layers if ups)]
    at = int(config["attention_layer_position"])
    generator = BigGanDeep(
        BigGanDeepConfig(
            class_schema(int(config["num_classes"])),
            tuple(channels),
            z_dim=int(config["z_dim"]),
            embed_dim=int(config["class_embed_dim"]),
            attention_px=4 * 2 ** sum(ups for ups, _, _ in layers[:at]),
            epsilon=float(config["eps"]),
            n_stats=int(config["n_stats"]),
        )
    )
    pattern = [(a, b, ups) for ups, a, b in layers]
    if [(width * a, width * b, bool(ups)) for a, b, ups in pattern] != list(
        generator.config.blocks
    ) or at != generator.config.attention_at:
        raise ForeignCheckpointError("its layers are not two blocks a resolution")
    assert generator.embed is not None
    placing.put("embeddings.weight", generator.embed.weight)
    start = _spectral_torch(placing, "generator.gen_z")
    _set(generator.start, "weight", _rows_to_channels_first(start), "gen_z")
    bias = placing.take("generator.gen_z.bias")
    _set(generator.start, "bias", _rows_to_channels_first(bias[:, None])[:, 0], "gen_z")
    for place, block in enumerate(generator.blocks):
        number = place + (place >= at)
        assert isinstance(block, Block)
        _hugging_face_block(placing, f"generator.layers.{number}", block)
    assert generator.attention is not None
    _attention(placing, generator.attention, f"generator.layers.{at}", "snconv1x1_", "o_conv")
    norm = generator.last_norm
    placing.put("generator.bn.running_means", norm.running_mean)
    placing.put("generator.bn.running_vars", norm.running_var)
    placing.put_all("generator.bn", norm, ("weight", "bias"))
    _rgb(placing, generator, "generator.conv_to_rgb", _spectral_torch)
    placing.finish()
    return generator.folded()


def _hugging_face_block(placing: Placing, name: str, block: Block) -> None:
    for k in range(4):
        _conv(placing, f"{name}.conv_{k}", block.convs[k], _spectral_torch)
        norm = block.norms[k]
        placing.put(f"{name}.bn_{k}.running_means", norm.running_mean)
        placing.put(f"{name}.bn_{k}.running_vars", norm.running_var)
        for theirs, ours in (("scale", norm.gain), ("offset", norm.bias)):
            weight = _spectral_torch(placing, f"{name}.bn_{k}.{theirs}")
            _set(ours, "weight", weight, f"{name}.bn_{k}.{theirs}")


def _brock(placing: Placing, config: dict[str, Any]) -> BigGanDeep:
    if "blocks.0.0.conv4.weight" not in placing:
        raise ForeignCheckpointError(f"a BigGAN whose blocks are not those of {CAVEAT}")
    n_classes, embed = placing.given["shared.weight"].shape
    cond_dim = placing.given["linear.weight"].shape[1]
    attention = [
        int(match[1])
        for name in placing.given
        if (match := re.fullmatch(r"blocks\.(\d+)\.1\.gamma", name))
    ]
    if len(attention) > 1:
        raise ForeignCheckpointError("self-attention at more than one resolution")
    n_blocks = 1 + max(
        int(match[1]) for name in placing.given if (match := re.match(r"blocks\.(\d+)\.", name))
    )
    widths = [placing.given["linear.weight"].shape[0] // 16]
    widths += [
        placing.given[f"blocks.{place}.0.conv4.weight"].shape[0] for place in range(1, n_blocks, 2)
    ]
    generator = BigGanDeep(
        BigGanDeepConfig(
            class_schema(n_classes),
            tuple(widths),
            z_dim=cond_dim - embed,
            embed_dim=embed,
            attention_px=4 * 2 ** ((attention[0] + 1) // 2) if attention else 0,
            epsilon=float(config.get("BN_eps", BROCK_EPSILON)),
        )
    )
    assert generator.embed is not None
    _set(generator.embed, "weight", placing.take("shared.weight").t(), "shared")
    _set(generator.start, "weight", _spectral_brock(placing, "linear"), "linear")
    placing.put("linear.bias", generator.start.bias)
    for place, block in enumerate(generator.blocks):
        assert isinstance(block, Block)
        for k in range(4):
            _conv(placing, f"blocks.{place}.0.conv{k + 1}", block.convs[k], _spectral_brock)
            norm, name = block.norms[k], f"blocks.{place}.0.bn{k + 1}"
            _brock_statistics(placing, name, norm)
            _set(norm.gain, "weight", _spectral_brock(placing, f"{name}.gain"), name)
            _set(norm.bias, "weight", _spectral_brock(placing, f"{name}.bias"), name)
    if generator.attention is not None:
        _attention(placing, generator.attention, f"blocks.{attention[0]}.1", "", "o")
    last = generator.last_norm
    _brock_statistics(placing, "output_layer.0", last)
    placing.put("output_layer.0.gain", last.weight)
    placing.put("output_layer.0.bias", last.bias)
    _rgb(placing, generator, "output_layer.2", _spectral_brock)
    placing.finish()
    return generator.folded()


Spectral = Callable[[Placing, str], Tensor]


def _brock_statistics(placing: Placing, name: str, norm: nn.Module) -> None:
    for theirs, ours in (("stored_mean", "running_mean"), ("stored_var", "running_var")):
        _set(norm, ours, placing.take(f"{name}.{theirs}")[None], name)


def _conv(placing: Placing, name: str, conv: nn.Module, spectral: Spectral) -> None:
    _set(conv, "weight", spectral(placing, name), name)
    _set(conv, "bias", placing.take(f"{name}.bias"), name)


def _attention(placing: Placing, part: Attention, name: str, prefix: str, out: str) -> None:
    spectral = _spectral_torch if prefix else _spectral_brock
    for theirs, ours in (("theta", "theta"), ("phi", "phi"), ("g", "g"), (out, "o")):
        weight = spectral(placing, f"{name}.{prefix}{theirs}")
        _set(getattr(part, ours), "weight", weight, name)
    _set(part, "gamma", placing.take(f"{name}.gamma").reshape(()), name)


def _rgb(placing: Placing, generator: BigGanDeep, name: str, spectral: Spectral) -> None:
    """The first three outputs are the picture; the rest of them nobody sees."""
    _set(generator.to_rgb, "weight", spectral(placing, name)[:3], name)
    _set(generator.to_rgb, "bias", placing.take(f"{name}.bias")[:3], name)


@torch.no_grad()
def _set(module: nn.Module, attribute: str, value: Tensor, name: str) -> None:
    target = getattr(module, attribute)
    if tuple(value.shape) != tuple(target.shape):
        shapes = f"{tuple(value.shape)}, expected {tuple(target.shape)}"
        raise ForeignCheckpointError(f"{name} has shape {shapes}")
    target.copy_(value)


def _spectral_torch(placing: Placing, name: str) -> Tensor:
    """weight_orig / (u W v), as torch's spectral_norm draws it; v follows from u if absent."""
    weight = placing.take(f"{name}.weight_orig")
    matrix = weight.flatten(1)
    u = placing.take(f"{name}.weight_u", (len(weight),))
    if f"{name}.weight_v" in placing:
        v = placing.take(f"{name}.weight_v", (matrix.shape[1],))
    else:
        v = F.normalize(matrix.t() @ u, dim=0)
    return weight / torch.dot(u, matrix @ v)


def _spectral_brock(placing: Placing, name: str) -> Tensor:
    """Weight / |W v| with v the direction of u0 W: one step of the power iteration, as it draws."""
    weight = placing.take(f"{name}.weight")
    matrix = weight.flatten(1)
    if f"{name}.u0" not in placing:  # trained without spectral norm
        return weight
    u = placing.take(f"{name}.u0", (1, len(weight)))
    placing.drop(f"{name}.sv0")
    v = F.normalize(u @ matrix, eps=1e-12)
    divided: Tensor = weight / (v @ matrix.t()).norm()
    return divided


def _rows_to_channels_first(weight: Tensor) -> Tensor:
    """Rows in the order (row, column, channel) to the order (channel, row, column) of 4x4."""
    channels = len(weight) // 16
    return weight.view(4, 4, channels, -1).permute(2, 0, 1, 3).reshape(len(weight), -1)
