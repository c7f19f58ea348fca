"""What a process of ``manage.py collection`` does. It is imported before Django is set up.

Calls return the seconds of the processor that they took.
"""

import os
import time
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread


def start() -> None:
    """The settings of the command, a database connection of its own, and an end with its parent."""
    import django

    Thread(target=_end_with_parent, daemon=True).start()
    django.setup()


def _end_with_parent() -> None:
    """A killed parent closes no queue: its processes would wait for their next call for good."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def draw(job_id: int) -> float:
    from generation import rendering

    started = time.process_time()
    rendering.run_chunk(job_id=job_id)
    return time.process_time() - started


def encode(paths: list[str]) -> float:
    """Large copies of stored pictures; what is there already is left as it is."""
    from generation.imaging import thumbnails

    started = time.process_time()
    for path in paths:
        for suffix in thumbnails.ENCODERS:
            thumbnails.stored(Path(path), _folder(), thumbnails.PRESENTATION_PX, suffix)
    return time.process_time() - started


def missing(path: str) -> bool:
    """Whether a large copy of a stored picture is still to be made."""
    from generation.imaging import thumbnails

    side_px = thumbnails.PRESENTATION_PX
    return not all(
        thumbnails.place(Path(path), _folder(), side_px, suffix).exists()
        for suffix in thumbnails.ENCODERS
    )


def _folder() -> Path:
    from django.conf import settings

    return Path(settings.MEDIA_ROOT) / "thumbnails"
