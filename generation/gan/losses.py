"""Losses of the adversarial game, each with the equation it comes from."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def critic_loss(game: str, real: Tensor, fake: Tensor) -> Tensor:
    """What the critic minimises, from its scores [N] of real and of generated pictures.

    ``rpgan``: mean of softplus(-(D(x) - D(G(z)))) (Jolicoeur-Martineau 2019; Huang et al. 2024,
    equation 2). ``hinge``: relu(1 - D(x)) + relu(1 + D(G(z))) (Lim & Ye 2017; Brock et al. 2019,
    section 3). ``logistic``: softplus(-D(x)) + softplus(D(G(z))) (Goodfellow et al. 2014; Karras
    et al. 2020 and 2021).
    """
    if game == "rpgan":
        return F.softplus(fake - real).mean()
    if game == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(game: str, real: Tensor, fake: Tensor) -> Tensor:
    """What the generator minimises; ``real`` counts in the relativistic game only.

    ``rpgan``: softplus(-(D(G(z)) - D(x))). ``hinge``: -D(G(z)). ``logistic``: softplus(-D(G(z))).
    """
    if game == "rpgan":
        return F.softplus(real - fake).mean()
    if game == "hinge":
        return -fake.mean()
    return F.softplus(-fake).mean()


def gradient_penalty(scores: Tensor, pictures: Tensor) -> Tensor:
    """Mean over pictures of the squared norm of the score's gradient.

    Of real pictures it is R1, of generated ones R2 (Mescheder et al. 2018, equations 9 and 10). The
    graph is kept, so that the penalty can be minimised.

    Parameters
    ----------
    scores : [N], each of its own picture alone.
    pictures : [N, 3, H, W] that require a gradient.
    """
    (grad,) = torch.autograd.grad(scores.sum(), pictures, create_graph=True)
    return grad.square().sum((1, 2, 3)).mean()


def orthogonal_penalty(weights: Sequence[Tensor]) -> Tensor:
    """Sum of ||W W^T * (1 - I)||^2 over the rows of each weight (Brock et al. 2019, equation 3)."""
    total = torch.zeros((), device=weights[0].device)
    for weight in weights:
        rows = weight.flatten(1)
        gram = rows @ rows.t()
        total = total + (gram - torch.diag(gram.diagonal())).square().sum()
    return total


def attribute_cross_entropy(logits: Tensor, labels: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Cross-entropy in nats, averaged over attributes (Odena et al. 2017, equation 3).

    Parameters
    ----------
    logits : [N, sum(sizes)] float.
    labels : [N, len(sizes)] int64, the value index of each attribute.
    sizes : number of values of each attribute; without any the loss is 0.
    """
    if not sizes:
        return logits.sum()  # of no columns: 0, and still part of the graph
    assert logits.shape[1] == sum(sizes)
    assert labels.shape[1] == len(sizes)
    parts = torch.split(logits, list(sizes), dim=1)
    losses = [F.cross_entropy(part.float(), labels[:, i]) for i, part in enumerate(parts)]
    return torch.stack(losses).mean()
