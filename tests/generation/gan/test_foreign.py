"""StyleGAN3 pickles, with pictures drawn by plain operations as the judge."""

import pickle
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import plain_networks
from generation.gan.checkpoint import import_stylegan3_pickle
from generation.gan.foreign import pickles, stylegan3
from generation.gan.foreign.placing import ForeignCheckpointError
from tests.fixtures.foreign import (
    CLASSES,
    MARK,
    SETTINGS,
    Evil,
    as_pickle,
    network,
    some_generator,
    their_modules,
    written,
)

__all__ = ["their_modules"]


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
