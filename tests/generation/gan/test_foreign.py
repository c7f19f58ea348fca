"""Files of other projects: built here in their formats, with pictures drawn by plain operations."""

import json
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmarks import plain_networks
from generation.gan.biggan_deep import BigGanDeep, Norm
from generation.gan.checkpoint import import_biggan, import_stylegan3_pickle
from generation.gan.config import AttributeSchema, BigGanDeepConfig
from generation.gan.filters import down_taps, up_taps
from generation.gan.foreign import biggan, pickles, stylegan3
from generation.gan.foreign.placing import ForeignCheckpointError
from generation.gan.schedule import StyleGAN3Config
from generation.gan.stylegan3 import StyleGAN3

CLASSES = AttributeSchema((("class", ("0", "1", "2")),))
SIZES: dict[str, Any] = {"z_dim": 8, "w_dim": 12, "channel_base": 512, "channel_max": 16}
SETTINGS = {**SIZES, "c_dim": 0, "img_resolution": 16, "img_channels": 3, "num_layers": 6}
MARK = "morphora_was_here"


class Persistent:
    """Pickled as the published files pickle a network: by a function, its source and its state."""

    def __init__(self, class_name: str, **state: Any) -> None:
        self.class_name, self.state = class_name, state

    def __reduce__(self) -> tuple[Any, ...]:
        module = sys.modules["torch_utils.persistence"]
        meta = sys.modules["dnnlib.util"].EasyDict(
            type="class",
            version=6,
            module_src=f"open({MARK!r}, 'w')",
            class_name=self.class_name,
            state=self.state,
        )
        return module._reconstruct_persistent_obj, (meta,)


@pytest.fixture(autouse=True)
def their_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names that a file refers to, while it is written; reading needs none of them."""

    class EasyDict(dict[str, Any]):
        pass

    def _reconstruct_persistent_obj(meta: Any) -> None:
        raise AssertionError("nothing in a file is called")

    EasyDict.__module__, EasyDict.__qualname__ = "dnnlib.util", "EasyDict"
    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    names: dict[str, Any] = {
        "dnnlib.util": EasyDict,
        "torch_utils.persistence": _reconstruct_persistent_obj,
    }
    for name, held in names.items():
        module = types.ModuleType(name)
        setattr(module, held.__qualname__, held)
        monkeypatch.setitem(sys.modules, name.split(".")[0], types.ModuleType(name.split(".")[0]))
        monkeypatch.setitem(sys.modules, name, module)


def network(name: str, tensors: dict[str, Tensor | None], **modules: Persistent) -> Persistent:
    parameters = OrderedDict((k, nn.Parameter(t)) for k, t in tensors.items() if k in PARAMETERS)  # type: ignore[arg-type]
    buffers = OrderedDict((k, t) for k, t in tensors.items() if k not in PARAMETERS)
    return Persistent(
        name,
        _parameters=parameters,
        _buffers=buffers,
        _modules=OrderedDict(modules),
        training=False,
    )


PARAMETERS = ("weight", "bias")


def dense(layer: Any) -> Persistent:
    return network("FullyConnectedLayer", {"weight": layer.weight, "bias": layer.bias})


def as_pickle(generator: StyleGAN3, settings: dict[str, Any]) -> dict[str, Any]:
    """``generator`` in the layout of the published files."""
    layers = {}
    for layer in generator.layers:
        spec = layer.spec
        up, down = (
            torch.from_numpy(up_taps(spec)).float(),
            torch.from_numpy(down_taps(spec)).float(),
        )
        held = {
            "weight": layer.weight,
            "bias": layer.bias,
            "magnitude_ema": layer.magnitude_ema,
            "up_filter": up if up.numel() > 1 else None,
            "down_filter": down if down.numel() > 1 else None,
        }
        name = f"L{spec.index}_{spec.after.size}_{spec.after.channels}"
        layers[name] = network("SynthesisLayer", held, affine=dense(layer.affine))
    first = generator.input
    fourier = {
        "weight": first.weight,
        "freqs": first.freqs,
        "phases": first.phases,
        "transform": first.transform,
    }
    synthesis = network(
        "SynthesisNetwork",
        {},
        input=network("SynthesisInput", fourier, affine=dense(first.affine)),  # type: ignore[arg-type]
        **layers,
    )
    parts = {f"fc{k}": dense(layer) for k, layer in enumerate(generator.map.layers)}
    if generator.map.embed is not None:
        parts["embed"] = dense(generator.map.embed)
    mapping = network("MappingNetwork", {"w_avg": generator.map.w_avg}, **parts)
    whole = network("Generator", {}, synthesis=synthesis, mapping=mapping)
    whole.state |= {"_init_args": (), "_init_kwargs": settings}
    return {"G": None, "D": None, "G_ema": whole, "training_set_kwargs": {"size": np.float64(3)}}


def some_generator(**fields: Any) -> StyleGAN3:
    torch.manual_seed(2)
    schema = fields.pop("schema", AttributeSchema(()))
    made = StyleGAN3(StyleGAN3Config(schema, 16, **(SIZES | {"n_layers": 6} | fields)))
    with torch.no_grad():
        made(torch.randn(4, 8), torch.zeros(4, schema.c_dim))
    return made.eval().requires_grad_(False)


def written(path: Path, held: object) -> Path:
    path.write_bytes(pickle.dumps(held))
    return path


@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        ({}, {}),
        ({"kernel": 1, "radial": True}, {"conv_kernel": 1, "use_radial_filters": True}),
        (
            {"schema": CLASSES, "mapping_layers": 3},
            {"c_dim": 3, "mapping_kwargs": {"num_layers": 3}},
        ),
    ],
    ids=["T", "R", "conditional"],
)
def test_a_stylegan3_pickle_draws_its_own_pictures(
    tmp_path: Path, fields: dict[str, Any], settings: dict[str, Any]
) -> None:
    source = some_generator(**fields)
    path = written(tmp_path / "g.pkl", as_pickle(source, SETTINGS | settings))

    found = import_stylegan3_pickle(path)

    z, c = torch.randn(2, 8), torch.eye(3)[:2, : source.c_dim]
    wanted = plain_networks.stylegan3(source, source.mapping(z, c))
    assert torch.allclose(found.synthesis(found.mapping(z, c)), wanted, atol=5e-5)


def test_a_sound_pickle_runs_nothing_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    stylegan3.read_stylegan3(written(tmp_path / "g.pkl", as_pickle(some_generator(), SETTINGS)))

    assert not (tmp_path / MARK).exists()


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(MARK),)


def test_a_pickle_that_calls_is_refused_by_the_name_of_what_it_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path / "evil.pkl", {"G_ema": Evil()})

    with pytest.raises(ForeignCheckpointError, match=r"evil.pkl: it asks for pathlib"):
        import_stylegan3_pickle(path)

    assert not (tmp_path / MARK).exists()


def other_shape(held: dict[str, Any]) -> None:
    layer = held["G_ema"].state["_modules"]["synthesis"].state["_modules"]["L2_36_16"]
    layer.state["_parameters"]["bias"] = nn.Parameter(torch.zeros(17))


def left_over(held: dict[str, Any]) -> None:
    held["G_ema"].state["_modules"]["mapping"].state["_buffers"]["extra"] = torch.zeros(3)


def missing(held: dict[str, Any]) -> None:
    del held["G_ema"].state["_modules"]["mapping"].state["_buffers"]["w_avg"]


def not_finite(held: dict[str, Any]) -> None:
    held["G_ema"].state["_modules"]["mapping"].state["_buffers"]["w_avg"] = torch.full(
        (12,), torch.nan
    )


def other_filter(held: dict[str, Any]) -> None:
    layer = held["G_ema"].state["_modules"]["synthesis"].state["_modules"]["L2_36_16"]
    layer.state["_buffers"]["up_filter"] = torch.ones(12) / 12


def other_setting(held: dict[str, Any]) -> None:
    held["G_ema"].state["_init_kwargs"]["filter_size"] = 4


def unknown_setting(held: dict[str, Any]) -> None:
    held["G_ema"].state["_init_kwargs"]["noise"] = "many"


def older_network(held: dict[str, Any]) -> None:
    block = network("SynthesisBlock", {"weight": torch.zeros(1)})
    held["G_ema"].state["_modules"]["synthesis"].state["_modules"]["b4"] = block


def nothing(held: dict[str, Any]) -> None:
    del held["G_ema"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (other_shape, r"L2_36_16.bias has shape \(17,\), expected \(16,\)"),
        (left_over, "1 tensors left over: mapping.extra"),
        (missing, "mapping.w_avg is missing"),
        (not_finite, "mapping.w_avg is not finite"),
        (other_filter, "L2_36_16.up_filter is not the filter"),
        (other_setting, "filter_size is 4"),
        (unknown_setting, "settings that are not drawn"),
        (older_network, "StyleGAN2 is not a network"),
        (nothing, "it holds no G_ema"),
    ],
)
def test_a_pickle_that_does_not_fit_is_refused_with_the_reason(
    tmp_path: Path, damage: Callable[[dict[str, Any]], None], reason: str
) -> None:
    held = as_pickle(some_generator(), dict(SETTINGS))
    damage(held)

    with pytest.raises(ForeignCheckpointError, match=reason):
        stylegan3.read_stylegan3(written(tmp_path / "g.pkl", held))


def a_tensor_beyond_its_storage() -> bytes:
    class Far:
        def __reduce__(self) -> tuple[Any, ...]:
            storage = torch.zeros(4)._typed_storage()  # type: ignore[no-untyped-call]
            return torch._utils._rebuild_tensor_v2, (storage, 2, (4,), (1,), False, {})

    return pickle.dumps(Far())


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not a whole pickle"),
        (pickle.dumps({"G_ema": 1})[:-4], "not a whole pickle"),
        (b"\x80\x04\x95" + b"\xff" * 8, "not a whole pickle"),
        (a_tensor_beyond_its_storage(), "in a storage of 4"),
        (pickle.dumps(np.array([object()], dtype=object)), "not of numbers"),
        (pickle.dumps(types.SimpleNamespace(a=1)), "it asks for types.SimpleNamespace"),
        (b"cbuiltins\neval\n(V1+1\ntR.", "it asks for builtins.eval"),
    ],
    ids=["empty", "cut", "length of 2^64", "out of bounds", "objects", "class", "eval"],
)
def test_a_hostile_pickle_is_refused(tmp_path: Path, raw: bytes, reason: str) -> None:
    path = tmp_path / "g.pkl"
    path.write_bytes(raw)

    with pytest.raises(pickles.RefusedPickleError, match=reason):
        pickles.read_pickle(path)


def test_numbers_in_a_pickle_come_through(tmp_path: Path) -> None:
    held = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.int64(7)}
    path = written(tmp_path / "n.pkl", held)

    found = pickles.read_pickle(path)

    assert found["a"].value.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["b"] == 7


def test_a_file_that_takes_too_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pkl"
    doubling = b"".join(b"(" + b"h\x00" * 64 + b"lq\x00" for _ in range(40))
    path.write_bytes(
        b"\x80\x02(NNNNlq\x00" + b"(" + b"\x8e" + (1 << 40).to_bytes(8, "little") + doubling
    )

    with pytest.raises(
        ForeignCheckpointError, match=r"bomb\.pkl: not a whole pickle: (Mem|Unpick)"
    ):
        import_stylegan3_pickle(path)


def test_reading_stops_at_its_memory_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An honest description of more weights than the file could hold."""
    path = tmp_path / "wide.pkl"
    held = as_pickle(some_generator(), SETTINGS | {"w_dim": 1 << 20, "z_dim": 1 << 20})

    with pytest.raises(ForeignCheckpointError, match=r"wide\.pkl"):
        import_stylegan3_pickle(written(path, held))


DEEP = BigGanDeepConfig(
    AttributeSchema((("class", ("0", "1", "2")),)),
    (16, 16, 16, 8),
    z_dim=6,
    embed_dim=6,
    attention_px=16,
    n_stats=5,
    spectral=True,
)


def some_biggan(config: BigGanDeepConfig) -> BigGanDeep:
    torch.manual_seed(3)
    made = BigGanDeep(config)
    with torch.no_grad():
        assert made.attention is not None
        made.attention.gamma.fill_(0.6)
        for _ in range(3):
            made(torch.randn(4, 6), torch.eye(3)[[0, 1, 2, 0]])
        for norm in (m for m in made.modules() if isinstance(m, Norm)):
            norm.running_mean.add_(0.1 * torch.randn_like(norm.running_mean))
            norm.running_var.mul_(torch.rand_like(norm.running_var) + 0.5)
    return made.eval().requires_grad_(False)


def spectral(module: nn.Module, name: str, kind: str) -> dict[str, Tensor]:
    """A weight under spectral norm as the two projects store it."""
    held: Any = module.parametrizations.weight  # type: ignore[union-attr]
    weight, u, v = held.original.detach(), held[0]._u, held[0]._v
    if kind == "torch":
        return {f"{name}.weight_orig": weight, f"{name}.weight_u": u, f"{name}.weight_v": v}
    return {f"{name}.weight": weight, f"{name}.u0": u[None], f"{name}.sv0": torch.ones(1)}


def padded_rgb(generator: BigGanDeep, name: str, kind: str) -> dict[str, Tensor]:
    """The last convolution with 8 outputs, the first three of which are the picture."""
    weight = torch.zeros(8, 8, 3, 3)
    weight[:3] = generator.to_rgb.weight
    u = torch.zeros(8)
    matrix = weight.flatten(1)
    u = torch.linalg.svd(matrix)[0][:, 0]
    scale = torch.linalg.svdvals(matrix)[0]
    bias = torch.zeros(8)
    assert generator.to_rgb.bias is not None
    bias[:3] = generator.to_rgb.bias
    stored = {"torch": "weight_orig", "brock": "weight"}[kind]
    label = {"torch": "weight_u", "brock": "u0"}[kind]
    held = {f"{name}.{stored}": weight, f"{name}.bias": bias}
    held[f"{name}.{label}"] = u if kind == "torch" else u[None]
    generator.to_rgb.weight = weight[:3] / scale
    return held


def as_hugging_face(g: BigGanDeep) -> tuple[dict[str, Tensor], dict[str, Any]]:
    def nhwc(rows: Tensor) -> Tensor:
        return rows.view(16, 4, 4, -1).permute(1, 2, 0, 3).reshape(256, -1)

    assert g.embed is not None
    assert g.attention is not None
    assert g.start.bias is not None
    held = {"embeddings.weight": g.embed.weight}
    start = spectral(g.start, "generator.gen_z", "torch")
    start["generator.gen_z.weight_orig"] = nhwc(start["generator.gen_z.weight_orig"])
    start["generator.gen_z.weight_u"] = nhwc(start["generator.gen_z.weight_u"][:, None])[:, 0]
    held |= start | {"generator.gen_z.bias": nhwc(g.start.bias[:, None])[:, 0]}
    at = g.config.attention_at
    for place, block in enumerate(g.blocks):
        name = f"generator.layers.{place + (place >= at)}"
        for k, (norm, conv) in enumerate(zip(block.norms, block.convs, strict=True)):
            held |= spectral(conv, f"{name}.conv_{k}", "torch")
            held |= {
                f"{name}.conv_{k}.bias": conv.bias,  # type: ignore[dict-item]
                f"{name}.bn_{k}.running_means": norm.running_mean,
                f"{name}.bn_{k}.running_vars": norm.running_var,
            }
            held |= spectral(norm.gain, f"{name}.bn_{k}.scale", "torch")
            held |= spectral(norm.bias, f"{name}.bn_{k}.offset", "torch")
    for theirs, ours in (("theta", "theta"), ("phi", "phi"), ("g", "g"), ("o_conv", "o")):
        part = getattr(g.attention, ours)
        held |= spectral(part, f"generator.layers.{at}.snconv1x1_{theirs}", "torch")
    held[f"generator.layers.{at}.gamma"] = g.attention.gamma[None]
    held |= {
        "generator.bn.running_means": g.last_norm.running_mean,
        "generator.bn.running_vars": g.last_norm.running_var,
        "generator.bn.weight": g.last_norm.weight,
        "generator.bn.bias": g.last_norm.bias,
    }
    held |= padded_rgb(g, "generator.conv_to_rgb", "torch")
    layers = [[ups, a // 8, b // 8] for a, b, ups in g.config.blocks]
    config = {
        "output_dim": 32,
        "z_dim": 6,
        "class_embed_dim": 6,
        "channel_width": 8,
        "num_classes": 3,
        "layers": layers,
        "attention_layer_position": at,
        "eps": g.config.epsilon,
        "n_stats": 5,
    }
    return {k: v.detach().clone() for k, v in held.items()}, config


def as_brock(g: BigGanDeep) -> dict[str, Tensor]:
    assert g.embed is not None
    assert g.attention is not None
    assert g.start.bias is not None
    held = {"shared.weight": g.embed.weight.t(), "linear.bias": g.start.bias}
    held |= spectral(g.start, "linear", "brock")
    for place, block in enumerate(g.blocks):
        for k, (norm, conv) in enumerate(zip(block.norms, block.convs, strict=True), start=1):
            name = f"blocks.{place}.0"
            held |= spectral(conv, f"{name}.conv{k}", "brock")
            held |= {
                f"{name}.conv{k}.bias": conv.bias,  # type: ignore[dict-item]
                f"{name}.bn{k}.stored_mean": norm.running_mean[0],
                f"{name}.bn{k}.stored_var": norm.running_var[0],
            }
            held |= spectral(norm.gain, f"{name}.bn{k}.gain", "brock")
            held |= spectral(norm.bias, f"{name}.bn{k}.bias", "brock")
    at = g.config.attention_at - 1
    for part in ("theta", "phi", "g", "o"):
        held |= spectral(getattr(g.attention, part), f"blocks.{at}.1.{part}", "brock")
    held[f"blocks.{at}.1.gamma"] = g.attention.gamma
    held |= {
        "output_layer.0.stored_mean": g.last_norm.running_mean[0],
        "output_layer.0.stored_var": g.last_norm.running_var[0],
        "output_layer.0.gain": g.last_norm.weight,
        "output_layer.0.bias": g.last_norm.bias,
    }
    held |= padded_rgb(g, "output_layer.2", "brock")
    return {k: v.detach().clone() for k, v in held.items()}


def converged(g: BigGanDeep) -> BigGanDeep:
    """Spectral norm whose vectors are the singular ones, so that one more step changes nothing."""
    for module in g.modules():
        held = getattr(module, "parametrizations", None)
        if held is not None:
            u, _, vt = torch.linalg.svd(held.weight.original.detach().flatten(1))
            held.weight[0]._u.copy_(u[:, 0])
            held.weight[0]._v.copy_(vt[0])
    return g


@pytest.mark.parametrize("suffix", [".bin", ".safetensors"])
def test_a_hugging_face_state_dict_draws_its_own_pictures(tmp_path: Path, suffix: str) -> None:
    source = some_biggan(DEEP)
    held, config = as_hugging_face(source)
    path = tmp_path / f"pytorch_model{suffix}"
    if suffix == ".bin":
        torch.save(held, path)
    else:
        save_file({k: t.contiguous() for k, t in held.items()}, path)

    found = import_biggan(path, config)

    z, c = torch.randn(3, 6), torch.eye(3)
    ws = source.mapping(z, c, 0.6)
    wanted = plain_networks.biggan_deep(source, ws)
    assert torch.allclose(found.synthesis(found.mapping(z, c, 0.6)), wanted, atol=1e-4)


def test_brocks_state_dict_draws_its_own_pictures(tmp_path: Path) -> None:
    from dataclasses import replace

    source = converged(some_biggan(replace(DEEP, n_stats=1, epsilon=1e-5)))
    path = tmp_path / "G_ema.pth"
    torch.save(as_brock(source), path)

    found = import_biggan(path)

    z, c = torch.randn(3, 6), torch.eye(3)
    wanted = plain_networks.biggan_deep(source, source.mapping(z, c))
    assert torch.allclose(found.synthesis(found.mapping(z, c)), wanted, atol=1e-4)


def test_a_missing_left_over_or_misshapen_tensor_is_named(tmp_path: Path) -> None:
    held, config = as_hugging_face(some_biggan(DEEP))
    path = tmp_path / "m.bin"
    name = "generator.layers.1.conv_2.bias"
    cases = [
        ({k: v for k, v in held.items() if k != name}, f"{name} is missing"),
        (held | {"generator.more": torch.zeros(1)}, "1 tensors left over: generator.more"),
        (held | {name: torch.zeros(5)}, r"conv_2 has shape \(5,\), expected \(4,\)"),
        (held | {name: torch.full((4,), torch.inf)}, f"{name} is not finite"),
    ]

    for case, reason in cases:
        torch.save(case, path)
        with pytest.raises(ForeignCheckpointError, match=reason):
            biggan.read_biggan(path, config)


def test_settings_that_do_not_belong_are_refused(tmp_path: Path) -> None:
    held, config = as_hugging_face(some_biggan(DEEP))
    path = tmp_path / "m.bin"
    torch.save(held, path)

    with pytest.raises(ForeignCheckpointError, match="config JSON"):
        biggan.read_biggan(path, None)
    with pytest.raises(ForeignCheckpointError, match="two blocks a resolution"):
        biggan.read_biggan(path, config | {"attention_layer_position": 3})
    with pytest.raises(ForeignCheckpointError, match="settings of no BigGAN-deep"):
        biggan.read_biggan(path, json.loads('{"channel_width": "wide"}'))


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (pickle.dumps(Evil()), "not a file of weights alone"),
        (b"", "not a file of weights alone"),
        (b"PK\x03\x04" + b"\0" * 100, "not a file of weights alone"),
    ],
    ids=["pickle", "empty", "zip"],
)
def test_a_hostile_pth_is_refused(tmp_path: Path, held: bytes, reason: str) -> None:
    path = tmp_path / "g.pth"
    path.write_bytes(held)

    with pytest.raises(ForeignCheckpointError, match=reason):
        import_biggan(path)


def test_another_network_s_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "g.pth"
    torch.save({"conv.weight": torch.zeros(3)}, path)

    with pytest.raises(ForeignCheckpointError, match="names of no known BigGAN-deep"):
        import_biggan(path)
