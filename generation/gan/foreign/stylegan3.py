"""Official StyleGAN3 pickles, configurations T and R, become generators of ours.

The layout is that of published files: names, shapes and settings are facts of the format.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.gan.config import AttributeSchema, ConfigError
from generation.gan.filters import down_taps, up_taps
from generation.gan.foreign.pickles import Record, RefusedPickleError, read_pickle, tensors
from generation.gan.foreign.placing import ForeignCheckpointError, Placing
from generation.gan.schedule import StyleGAN3Config
from generation.gan.stylegan3 import StyleGAN3

FILTER_TOLERANCE = 1e-5
FIELDS = {  # their name -> ours
    "channel_base": "channel_base",
    "channel_max": "channel_max",
    "num_layers": "n_layers",
    "num_critical": "n_critical",
    "conv_kernel": "kernel",
    "use_radial_filters": "radial",
    "margin_size": "margin",
    "first_cutoff": "first_cutoff",
    "first_stopband": "first_stopband",
    "last_stopband_rel": "last_stopband_rel",
}
FIXED = {"filter_size": 6, "lrelu_upsampling": 2, "conv_clamp": 256, "output_scale": 0.25}
WITHOUT_EFFECT = {"num_fp16_res", "magnitude_ema_beta"}


def read_stylegan3(path: Path) -> StyleGAN3:
    """The averaged generator (``G_ema``) of a pickle, in eval mode, every tensor placed.

    Raises
    ------
    ForeignCheckpointError
        The file is no such pickle, is of another network, or its tensors do not fit.
    """
    try:
        found = read_pickle(path)
        record = found.get("G_ema") if isinstance(found, dict) else None
        if not isinstance(record, Record):
            raise ForeignCheckpointError("it holds no G_ema")
        given = tensors(record)
    except RefusedPickleError as error:
        raise ForeignCheckpointError(str(error)) from error
    if any(re.match(r"synthesis\.b\d+\.", name) for name in given):
        raise ForeignCheckpointError("StyleGAN2 is not a network that Morphora draws with")
    try:
        generator = StyleGAN3(_config(_settings(record), given))
    except (ConfigError, TypeError, ValueError) as error:
        raise ForeignCheckpointError(f"settings of no network: {error}") from error
    _place(generator, Placing(given))
    return generator.eval().requires_grad_(False)


def _settings(record: Record) -> dict[str, Any]:
    settings = record.state.get("_init_kwargs")
    if not isinstance(settings, dict) or record.state.get("_init_args"):
        raise ForeignCheckpointError("it does not say what its network was made from")
    return settings


def _config(settings: dict[str, Any], given: dict[str, Tensor]) -> StyleGAN3Config:
    settings = dict(settings)
    for name, value in FIXED.items():
        if (found := settings.pop(name, value)) != value:
            raise ForeignCheckpointError(f"{name} is {found}, only {value} is drawn")
    mapping = dict(settings.pop("mapping_kwargs", {}))
    fields = {ours: settings.pop(theirs) for theirs, ours in FIELDS.items() if theirs in settings}
    c_dim = settings.pop("c_dim", 0)
    sizes = {name: settings.pop(name) for name in ("z_dim", "w_dim", "img_resolution")}
    if settings.pop("img_channels", 3) != 3:
        raise ForeignCheckpointError("pictures of other than 3 channels")
    if "num_layers" in mapping:
        fields["mapping_layers"] = mapping.pop("num_layers")
    known = {"lr_multiplier": 0.01, "w_avg_beta": 0.998, "embed_features": None}
    unknown = {k: v for k, v in mapping.items() if k not in known or v != known[k]}
    unknown |= {k: v for k, v in settings.items() if k not in WITHOUT_EFFECT | {"class_name"}}
    if unknown:
        raise ForeignCheckpointError(f"settings that are not drawn: {unknown}")
    return StyleGAN3Config(class_schema(c_dim), **sizes, **fields)


def class_schema(c_dim: int) -> AttributeSchema:
    """Numbered classes as one attribute; none where nothing is asked for."""
    if c_dim == 0:
        return AttributeSchema(())
    if c_dim == 1:
        raise ForeignCheckpointError("a single class, which is no choice")
    return AttributeSchema((("class", tuple(str(n) for n in range(c_dim))),))


def _place(generator: StyleGAN3, placing: Placing) -> None:
    placing.put("mapping.w_avg", generator.map.w_avg)
    if generator.map.embed is not None:
        placing.put_all("mapping.embed", generator.map.embed, ("weight", "bias"))
    for k, dense in enumerate(generator.map.layers):
        placing.put_all(f"mapping.fc{k}", dense, ("weight", "bias"))
    placing.put_all("synthesis.input", generator.input, ("weight", "transform", "freqs", "phases"))
    placing.put_all("synthesis.input.affine", generator.input.affine, ("weight", "bias"))
    for layer, spec in zip(generator.layers, generator.config.layers, strict=True):
        name = f"synthesis.L{spec.index}_{spec.after.size}_{spec.after.channels}"
        placing.put_all(name, layer, ("weight", "bias", "magnitude_ema"))
        placing.put_all(f"{name}.affine", layer.affine, ("weight", "bias"))
        for kind, taps in (("up_filter", up_taps(spec)), ("down_filter", down_taps(spec))):
            _compare_filter(placing, f"{name}.{kind}", taps)
    placing.finish()


def _compare_filter(placing: Placing, name: str, taps: NDArray[np.float64]) -> None:
    """Filters follow from the settings; those in the file must be the same."""
    ours = torch.from_numpy(taps).float()
    if ours.numel() == 1:
        placing.drop(name)
        return
    theirs = placing.take(name, tuple(ours.shape))
    if (theirs - ours).abs().max() > FILTER_TOLERANCE * ours.abs().max():
        raise ForeignCheckpointError(f"{name} is not the filter that its settings give")
