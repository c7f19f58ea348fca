"""How much the works of a drop differ, from rows alone: pictures were looked at when drawn."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.models import Artwork, ArtworkQuerySet, Checkpoint, Dataset, Drop, Look
from generation.traits.guard import Diversity, Shortfall, measure
from generation.traits.novelty import Looks

MAX_EARLIER = 20_000  # works of earlier drops that a drop is compared with, the newest first


class HeldError(Exception):
    """The works of a drop are too much alike for it to be committed."""

    def __init__(self, drop: Drop, found: Diversity, missed: Sequence[Shortfall]) -> None:
        named = ", ".join(told(one) for one in missed)
        super().__init__(f"drop {drop.number} is held: {named}")
        self.drop, self.found, self.missed = drop, found, missed


def told(one: Shortfall) -> str:
    """A shortfall as a sentence's part."""
    name = f"{one.measure} of {one.attribute}" if one.attribute else one.measure
    side = "under" if one.value < one.bound else "over"
    return f"{name.replace('_', ' ')} {one.value:.3g} is {side} {one.bound:g}"


def measure_drop(drop: Drop, works: ArtworkQuerySet) -> Diversity:
    """Diversity of some of a drop's works; of those that nobody looked at by their traits alone."""
    checkpoint = drop.checkpoint
    rows = list(works.in_order().values_list("image_digest", "parsed"))
    earlier = Artwork.objects.filter(
        drop__collection=drop.collection_id, drop__number__lt=drop.number
    ).accepted()
    digests = earlier.order_by("-pk").values_list("image_digest", flat=True)[:MAX_EARLIER]
    before = list(Look.objects.of(digests, checkpoint.parser_sha256).values())
    return measure(
        [parsed for _, parsed in rows],
        checkpoint.schema if checkpoint.parser_path else {},
        _looks([digest for digest, _ in rows], checkpoint),
        earlier=Look.stacked(before) if before else None,
        art=art_features(checkpoint),
    )


def remember_diversity(*, drop: Drop, found: Diversity) -> None:
    Drop.objects.filter(pk=drop.pk).update(diversity=found.to_json())


def _looks(digests: Sequence[str], checkpoint: Checkpoint) -> Looks:
    known = Look.objects.of(digests, checkpoint.parser_sha256)
    if not all(digest in known for digest in digests):
        return Look.stacked([])
    return Look.stacked(known[digest] for digest in digests)


def art_dataset(checkpoint: Checkpoint) -> Dataset | None:
    """The art that a checkpoint learned from, if this installation has it."""
    return Dataset.objects.filter(digest=checkpoint.recipe.get("dataset", "")).first()


def art_features(checkpoint: Checkpoint) -> NDArray[np.float32] | None:
    """Features [M, F] of the training art; None until a worker has read it."""
    path = features_path(checkpoint)
    if path is None or not path.exists():
        return None
    features: NDArray[np.float16] = np.load(path, allow_pickle=False)
    return features.astype(np.float32)


def features_path(checkpoint: Checkpoint) -> Path | None:
    """Where the parser's features of the training art are kept, float16; None without it."""
    dataset = art_dataset(checkpoint)
    if dataset is None or not checkpoint.parser_path:
        return None
    return dataset.embedding_path.with_suffix(f".{checkpoint.parser_sha256[:16]}.npy")


def store_art_features(*, checkpoint: Checkpoint, features: NDArray[np.float32]) -> None:
    """Keep features of the training art, complete or not at all."""
    path = features_path(checkpoint)
    assert path is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    np.save(out, features.astype(np.float16), allow_pickle=False)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(out.getvalue())
    temporary.replace(path)
