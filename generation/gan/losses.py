"""Losses of the adversarial game, each with the equation it comes from."""

import torch
import torch.nn.functional as F
from torch import Tensor


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Mean of relu(1 - D(x)) + relu(1 + D(G(z))) (Lim & Ye 2017; Brock et al. 2019, section 3)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """Mean of -D(G(z)) (Brock et al. 2019, section 3)."""
    return -fake.mean()


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
