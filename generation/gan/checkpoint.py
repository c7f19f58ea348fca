"""Generators on disk: safetensors with the configuration in the header, named by their sha256."""

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from generation.gan.biggan import SmallBigGan
from generation.gan.biggan_deep import BigGanDeep
from generation.gan.config import BigGanDeepConfig, GanConfig, GeneratorConfig
from generation.gan.foreign.child import convert
from generation.gan.generator import Generator
from generation.gan.header import CheckpointError, check_digest, read_header, sha256_file
from generation.gan.schedule import StyleGAN3Config
from generation.gan.stylegan3 import StyleGAN3


def make_generator(config: GeneratorConfig) -> Generator:
    """A generator with random weights, as its configuration says."""
    match config:
        case GanConfig():
            return SmallBigGan(config)
        case BigGanDeepConfig():
            return BigGanDeep(config)
        case StyleGAN3Config():
            return StyleGAN3(config)
    raise TypeError(f"no network for {type(config).__name__}")


def architecture(generator: Generator) -> str:
    """What a header calls it."""
    names = {
        SmallBigGan: "morphora-biggan-1",
        BigGanDeep: "morphora-biggan-deep-1",
        StyleGAN3: "morphora-stylegan3-1",
    }
    return names[type(generator)]


def save_generator(path: Path, generator: Generator, recipe: dict[str, Any]) -> str:
    """Write weights, configuration and recipe to ``path`` in one move; returns its sha256."""
    if isinstance(generator, BigGanDeep):
        generator = generator.folded()
    metadata = {
        "architecture": architecture(generator),
        "config": json.dumps(generator.config.to_json()),
        "recipe": json.dumps(recipe, sort_keys=True),
    }
    tensors = {name: tensor.contiguous() for name, tensor in generator.state_dict().items()}
    save_tensors(path, tensors, metadata)
    return sha256_file(path)


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Safetensors file at ``path``, complete or absent; the same content is the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    save_file(tensors, temporary, metadata)
    _order_metadata(temporary)
    temporary.replace(path)


def _order_metadata(path: Path) -> None:
    """Sort the header's texts, which the library writes in the order of a hash table."""
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        assert len(text) <= length
        file.seek(8)
        file.write(text.ljust(length))


def load_generator(path: Path, expected_sha256: str | None = None) -> Generator:
    """The generator in ``path``, in eval mode, on a CUDA device where there is one.

    Every tensor must be present, finite, of the network's shape, and none may be left over.

    Raises
    ------
    CheckpointError
        The digest differs from ``expected_sha256``, or the file does not fit its own configuration.
    """
    check_digest(path, expected_sha256)
    header = read_header(path)
    try:
        with torch.device("meta"):  # a header may declare more than the file holds, or any memory
            wanted = make_generator(header.config).state_dict()
    except RuntimeError as error:
        raise CheckpointError(path, f"a network of no possible size: {error}") from error
    with safe_open(path, framework="pt") as file:
        names = set(file.keys())
        if names != set(wanted):
            odd = sorted(names ^ set(wanted))
            raise CheckpointError(path, f"tensors missing or left over: {odd}")
        tensors = {name: file.get_tensor(name) for name in wanted}
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            shapes = f"{tuple(tensor.shape)}, expected {tuple(wanted[name].shape)}"
            raise CheckpointError(path, f"{name} has shape {shapes}")
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(path, f"{name} is not finite")
    generator = make_generator(header.config)
    generator.load_state_dict(tensors)
    if isinstance(generator, BigGanDeep):
        generator = generator.folded()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return generator.eval().requires_grad_(False)


def import_stylegan3_pickle(path: Path) -> Generator:
    """An official StyleGAN3 pickle's averaged generator, read in a limited process.

    Raises
    ------
    ForeignCheckpointError
        The file is refused; the message says why.
    """
    return _imported("stylegan3", path, None)


def import_biggan(path: Path, config: dict[str, Any] | None = None) -> Generator:
    """A BigGAN-deep state dict of Brock's or Hugging Face's naming, read in a limited process.

    ``config`` is the JSON that lies beside Hugging Face's files. ForeignCheckpointError if refused.
    """
    return _imported("biggan", path, config)


def _imported(kind: str, path: Path, config: dict[str, Any] | None) -> Generator:
    with tempfile.TemporaryDirectory(prefix="morphora-import-") as folder:
        out = Path(folder) / "generator.safetensors"
        convert(kind, path, out, config)
        return load_generator(out)
