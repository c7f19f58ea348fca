"""The student: what is trained is what is stored, and what is drawn from it."""

import numpy as np
import pytest
import torch
from torch import Tensor

from generation.gan import student
from generation.gan.student import IntegerLayer, Rounded, Student, straight
from minting.evolution import network
from minting.evolution.network import Layer, Network


@pytest.fixture
def settled() -> Student:
    torch.manual_seed(0)
    found = Student()
    found.settle(random_latents(64).float())
    return found


def random_latents(n: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (n, student.LATENTS), generator=generator)


def test_integers_draw_what_the_trained_module_draws(settled: Student) -> None:
    latents = random_latents(16, seed=1)

    with torch.no_grad():
        trained = settled(latents.float())

    stored = student.draw(settled.integers(), latents.to(torch.uint8))
    assert trained.dtype == torch.float32
    torch.testing.assert_close(trained.to(torch.uint8), stored, rtol=0, atol=0)


def test_numpy_draws_what_torch_draws(settled: Student) -> None:
    found = settled.integers()
    layers = tuple(
        Layer(
            found[f"{name}.weight"].numpy(),
            found[f"{name}.bias"].numpy(),
            int(found[f"{name}.multiplier"]),
        )
        for name in network.LAYERS
    )
    latents = random_latents(16, seed=2).to(torch.uint8)

    pictures = network.draw(
        Network(layers, {}, {}, np.zeros((0, 0), np.float32), {}, ""), latents.numpy()
    )

    by_torch = student.draw(found, latents).permute(0, 2, 3, 1)
    np.testing.assert_array_equal(pictures, by_torch.numpy())


def test_settling_leaves_few_outputs_clipped(settled: Student) -> None:
    x = random_latents(64, seed=3).float()[:, :, None, None]

    with torch.no_grad():
        out = settled.start(x)

    clipped = ((out == 0) | (out == 255)).float().mean()
    assert 0 < float(out.mean()) < 255
    assert float(clipped) < 0.15


def test_a_layer_uses_the_whole_range_of_its_weights() -> None:
    torch.manual_seed(1)
    layer = IntegerLayer(4, 8, 3)

    with torch.no_grad():
        weight, bias, m = layer.rounded()

    assert 126 <= float(weight.abs().max()) <= 127
    torch.testing.assert_close(weight, weight.round())
    torch.testing.assert_close(
        weight * m / 2**16, layer.weight.detach(), rtol=0, atol=float(m) / 2**16 / 2
    )
    torch.testing.assert_close(bias, (layer.bias.detach() * 255 * 2**16 / m).round())


def test_what_was_clipped_lets_a_little_gradient_through() -> None:
    x = torch.tensor([-3.0, 0.5, 254.9, 300.0], requires_grad=True)

    rounded = Rounded.apply(x)  # type: ignore[no-untyped-call]
    rounded.sum().backward()

    assert rounded.tolist() == [0, 0, 254, 255]
    torch.testing.assert_close(x.grad, torch.tensor([student.LEAK, 1, 1, student.LEAK]))


def test_straight_rounds_and_keeps_the_gradient() -> None:
    x = torch.tensor([1.4, 1.6, 900.0], requires_grad=True)

    rounded = straight(x, -127, 127)
    rounded.sum().backward()  # type: ignore[no-untyped-call]

    torch.testing.assert_close(rounded, torch.tensor([1.0, 2.0, 127.0]))
    torch.testing.assert_close(x.grad, torch.ones(3))
