"""What a process of ``manage.py collection`` does. It is imported before Django is set up."""

from pathlib import Path


def start() -> None:
    """The settings of the command, and a database connection of its own."""
    import django

    django.setup()


def draw(job_id: int) -> None:
    from generation import rendering

    rendering.run_chunk(job_id=job_id)


def encode(paths: list[str]) -> None:
    """Large copies of stored pictures; what is there already is left as it is."""
    from django.conf import settings

    from generation.imaging import thumbnails

    folder = Path(settings.MEDIA_ROOT) / "thumbnails"
    for path in paths:
        for suffix in thumbnails.ENCODERS:
            thumbnails.stored(Path(path), folder, thumbnails.PRESENTATION_PX, suffix)
