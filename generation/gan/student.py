"""The student: a generator whose every number is an integer, small enough for a contract.

32 bytes in, 32 x 32 RGB out. A linear layer makes 4 x 4 x 24, three times the picture is doubled
(nearest) and convolved (3 x 3), and a 1 x 1 convolution gives colours. Weights are int8 with one
multiplier a layer, activations uint8 (Jacob et al. 2018, *Quantization and Training of Neural
Networks for Efficient Integer-Arithmetic-Only Inference*; without zero points):

    y = clamp((sum of w x + b) * m >> 16, 0, 255)

``Student`` is trained through that rounding with straight-through gradients (Bengio et al. 2013);
``integers`` gives what a contract stores, ``draw`` the picture as a contract computes it.
"""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LATENTS, START, WIDTHS, RESOLUTION = 32, 24, (24, 16, 16), 32
SHIFT = 16
LEAK = 0.02  # of the gradient where an activation is clipped


class Rounded(torch.autograd.Function):
    """floor(x), clipped to 0..255; the gradient passes, but for a leak where it was clipped."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward((x < 0) | (x > 255))
        return x.floor().clamp(0, 255)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        (clipped,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return torch.where(clipped, gradient * LEAK, gradient)


class IntegerLayer(nn.Module):
    """A convolution in integers, in floats that hold them exactly; its master weights are floats.

    ``bias`` is in units of the output, 1 being 255.
    """

    def __init__(self, c_in: int, c_out: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c_out, c_in, size, size) * (c_in * size**2) ** -0.5)
        self.bias = nn.Parameter(torch.full((c_out,), 0.3))
        self.padding = size // 2

    def multiplier(self) -> Tensor:
        """The least one by which no weight exceeds 127."""
        needed = self.weight.detach().abs().max() * (2**SHIFT / 127)
        whole: Tensor = needed.ceil().clamp(min=1)
        return whole

    def rounded(self) -> tuple[Tensor, Tensor, Tensor]:
        """Weights and biases as integers in floats, and the multiplier."""
        m = self.multiplier()
        step = m / 2**SHIFT
        weight = straight(self.weight / step, -127, 127)
        bias = straight(self.bias * 255 / step, -(2.0**23), 2.0**23)
        return weight, bias, m

    def forward(self, x: Tensor) -> Tensor:
        weight, bias, m = self.rounded()
        total = F.conv2d(x, weight, bias, padding=self.padding)
        rounded: Tensor = Rounded.apply(total * (m / 2**SHIFT))  # type: ignore[no-untyped-call]
        return rounded


def straight(x: Tensor, low: float, high: float) -> Tensor:
    """The nearest integer in low..high; the gradient of x."""
    return x + (x.round().clamp(low, high) - x).detach()


class Student(nn.Module):
    """Pictures [N, 3, 32, 32] of integers in 0..255 from latents [N, 32] of integers in 0..255."""

    def __init__(self) -> None:
        super().__init__()
        self.start = IntegerLayer(LATENTS, 16 * START, 1)
        pairs = itertools.pairwise((START, *WIDTHS))
        self.convs = nn.ModuleList(IntegerLayer(a, b, 3) for a, b in pairs)
        self.to_rgb = IntegerLayer(WIDTHS[-1], 3, 1)

    def layers(self) -> list[IntegerLayer]:
        return [self.start, *self.convs, self.to_rgb]

    def forward(self, latents: Tensor) -> Tensor:
        x = self.start(latents[:, :, None, None]).reshape(len(latents), START, 4, 4)
        for conv in self.convs:
            x = conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        picture: Tensor = self.to_rgb(x)
        return picture

    @torch.no_grad()
    def settle(self, latents: Tensor) -> None:
        """Scale and shift each layer so that few of its outputs are clipped at the start."""
        x = latents[:, :, None, None]
        for layer in self.layers():
            if layer is not self.start:
                x = x.reshape(len(x), START, 4, 4) if layer is self.convs[0] else x
                x = F.interpolate(x, scale_factor=2.0) if layer is not self.to_rgb else x
            total = F.conv2d(x / 255, layer.weight, padding=layer.padding)
            layer.weight.mul_(0.25 / total.std())
            total = F.conv2d(x / 255, layer.weight, padding=layer.padding)
            layer.bias.copy_(0.35 - total.mean((0, 2, 3)))
            x = layer(x)

    @torch.no_grad()
    def integers(self) -> dict[str, Tensor]:
        """What a contract stores: weights int8, biases int32, a multiplier int32, by layer."""
        found = {}
        names = ["start", *(f"convs.{i}" for i in range(len(self.convs))), "to_rgb"]
        for name, layer in zip(names, self.layers(), strict=True):
            weight, bias, m = (one.cpu() for one in layer.rounded())
            found[f"{name}.weight"] = weight.to(torch.int8)
            found[f"{name}.bias"] = bias.to(torch.int32)
            found[f"{name}.multiplier"] = m.to(torch.int32)
        return found


def draw(integers: dict[str, Tensor], latents: Tensor) -> Tensor:
    """Pictures [N, 3, 32, 32] uint8 of latents [N, 32] uint8, in integers alone."""
    x = latents.long()[:, :, None, None]
    names = [name.removesuffix(".weight") for name in integers if name.endswith(".weight")]
    for place, name in enumerate(names):
        if place == 1:
            x = x.reshape(len(x), START, 4, 4)
        if 0 < place < len(names) - 1:
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        weight, bias = integers[f"{name}.weight"].double(), integers[f"{name}.bias"].double()
        # Doubles hold sums of products of bytes exactly.
        total = F.conv2d(x.double(), weight, bias, padding=weight.shape[2] // 2).long()
        x = (total * int(integers[f"{name}.multiplier"]) >> SHIFT).clamp(0, 255)
    return x.to(torch.uint8)
