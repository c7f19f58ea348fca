from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks import plain_networks
from generation.gan import biggan_deep
from generation.gan.biggan_deep import BigGanDeep, ConditionalNorm
from generation.gan.config import AttributeSchema, BigGanDeepConfig, ConfigError
from generation.gan.standing import standing_statistics

SCHEMA = AttributeSchema.from_mapping({"sky": ["day", "night"], "sea": ["calm", "rough", "none"]})
CONFIG = BigGanDeepConfig(
    SCHEMA, (32, 32, 24, 16), z_dim=12, embed_dim=8, attention_px=16, n_stats=3, spectral=True
)


@pytest.fixture(scope="module")
def generator() -> BigGanDeep:
    """Random weights, norms that have seen the network's own pictures at three truncations."""
    torch.manual_seed(4)
    made = BigGanDeep(CONFIG)
    with torch.no_grad():
        assert made.attention is not None
        made.attention.gamma.fill_(0.7)
        for _ in range(5):  # spectral norm iterates while training
            made(torch.randn(8, 12), some_c(8))
    labels = torch.tensor([[0, 0], [1, 1], [0, 2]])
    standing_statistics(made, labels, torch.Generator().manual_seed(1), n_batches=4, batch=16)
    return made.eval().requires_grad_(False)


def some_c(n: int) -> Tensor:
    rows = torch.arange(n)
    return torch.cat([F.one_hot(rows % 2, 2), F.one_hot(rows % 3, 3)], 1).float()


def some_ws(generator: BigGanDeep, n: int, psi: float = 1.0) -> Tensor:
    z = torch.randn(n, 12, generator=torch.Generator().manual_seed(5))
    return generator.mapping(z, some_c(n), psi)


@pytest.mark.parametrize("psi", [1.0, 0.5, 0.3])
def test_pictures_are_those_of_the_plain_operations(generator: BigGanDeep, psi: float) -> None:
    ws = some_ws(generator, 4, psi)

    wanted = plain_networks.biggan_deep(generator, ws)

    assert torch.allclose(generator.synthesis(ws), wanted, atol=1e-5)
    assert torch.allclose(generator.folded().synthesis(ws), wanted, atol=1e-5)


def test_a_folded_generator_holds_weights_alone(generator: BigGanDeep) -> None:
    names = generator.folded().state_dict()

    assert not any("parametrizations" in name for name in names)
    assert plain_networks.is_spectral(generator)


def test_statistics_between_two_truncations_are_in_between(generator: BigGanDeep) -> None:
    norm = generator.blocks[0].norms[0]
    assert isinstance(norm, ConditionalNorm)

    mean, var = norm.statistics(torch.zeros(1, 32, 4, 4), torch.tensor([0.6, 1.0, 0.0]))

    rows = norm.running_mean
    assert torch.allclose(mean[0], 0.8 * rows[1] + 0.2 * rows[2])  # .6 is a fifth beyond .5
    assert torch.allclose(mean[1:], rows[[2, 0]])
    assert var.shape == (3, 32)


def test_truncations_have_statistics_of_their_own(generator: BigGanDeep) -> None:
    rows = generator.last_norm.running_mean

    assert (rows[0] - rows[2]).abs().max() > 1e-3


def test_a_picture_does_not_depend_on_what_shares_its_batch(generator: BigGanDeep) -> None:
    folded = generator.folded()
    ws = some_ws(generator, 5)

    alone, together = folded.synthesis(ws[3:4]), folded.synthesis(ws)

    assert torch.allclose(alone[0], together[3], atol=1e-5)


def test_doubling_and_convolving_is_four_small_convolutions() -> None:
    chance = torch.Generator().manual_seed(6)
    x, weight = torch.randn(2, 5, 6, 6, generator=chance), torch.randn(7, 5, 3, 3, generator=chance)

    found = biggan_deep.doubled_conv(x, biggan_deep.quarter_kernels(weight))

    assert torch.allclose(found, F.conv2d(biggan_deep.double(x), weight, padding=1), atol=1e-5)


def test_the_paper_s_network_for_128_px_has_its_parameters() -> None:
    """Brock et al. 2019, table 7: 50.4 million, with 128 outputs of which three are the picture."""
    classes = AttributeSchema((("class", tuple(str(n) for n in range(1000))),))
    widths = tuple(128 * n for n in (16, 16, 8, 4, 2, 1))
    with torch.device("meta"):
        network = BigGanDeep(BigGanDeepConfig(classes, widths, attention_px=64))

    n_parameters = sum(p.numel() for p in network.parameters()) + 125 * (9 * 128 + 1)

    assert round(n_parameters / 1e6, 1) == 50.4


def test_attention_at_the_last_resolution_comes_after_all_blocks() -> None:
    config = replace(CONFIG, attention_px=32, n_stats=1)
    torch.manual_seed(1)
    generator = BigGanDeep(config).eval()
    ws = generator.mapping(torch.randn(1, 12), some_c(1))
    without = generator.synthesis(ws)

    with torch.no_grad():
        assert generator.attention is not None
        generator.attention.gamma.fill_(1.0)

    assert config.attention_at == len(config.blocks)
    assert not torch.allclose(generator.synthesis(ws), without)


def test_impossible_networks_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="starts at 32"):
        BigGanDeepConfig(SCHEMA, (32, 32, 16))
    with pytest.raises(ConfigError, match="grow"):
        BigGanDeepConfig(SCHEMA, (32, 32, 64, 16))
    with pytest.raises(ConfigError, match="attention at 64 px"):
        BigGanDeepConfig(SCHEMA, (32, 32, 24, 16), attention_px=64)
    with pytest.raises(ConfigError, match="multiples of 4"):
        BigGanDeepConfig(SCHEMA, (34, 32, 24, 16))


def test_a_configuration_comes_back_from_json() -> None:
    assert BigGanDeepConfig.from_json(CONFIG.to_json()) == CONFIG
