"""Pictures that are kept: on this machine's disk, and in a bucket where one is set."""

from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from generation.imaging import bucket, codec


def keep_picture(*, picture: NDArray[np.uint8]) -> str:
    """Store [H, W, 3] for good and return its digest; what has a row is in the bucket already."""
    raw = codec.encode_png(picture)
    if settings.PICTURES:
        bucket.parse(settings.PICTURES).put(codec.digest(raw), raw)
    return codec.store(raw, Path(settings.MEDIA_ROOT) / "images", ".png")
