"""BigGAN-deep state dicts, with pictures drawn by plain operations as the judge."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from benchmarks import plain_networks
from generation.gan.checkpoint import import_biggan
from generation.gan.foreign import biggan
from generation.gan.foreign.placing import ForeignCheckpointError
from tests.fixtures.foreign import DEEP, Evil, as_brock, as_hugging_face, converged, some_biggan


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
