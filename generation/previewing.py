"""Previews as answers: the last used checkpoint stays loaded. Imports torch: for its own worker."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from generation import answers, services
from generation.gan.checkpoint import load_generator
from generation.gan.generator import Generator
from generation.gan.header import CheckpointError
from generation.gan.preview import preview
from generation.imaging import codec
from generation.models import Checkpoint
from generation.traits.preview_spec import PreviewSpec


def answer(*, checkpoint_id: int, spec: dict[str, Any], name: str) -> None:
    """Draw what is asked for and leave it, side by side in one PNG, for who waits for ``name``.

    Whatever goes wrong is an answer too: the page must not wait for nothing.
    """
    try:
        sheet = draw(Checkpoint.objects.get(pk=checkpoint_id), PreviewSpec.from_json(spec))
    except (ValueError, CheckpointError, Checkpoint.DoesNotExist) as error:
        answers.leave(name, problem=str(error))
        return
    except Exception as error:
        answers.leave(name, problem=f"{type(error).__name__} in the preview worker")
        raise
    answers.leave(name, sheet)


def draw(checkpoint: Checkpoint, spec: PreviewSpec) -> bytes:
    """PNG bytes of the spec's pictures in a row."""
    steps = services.steps_of(checkpoint, spec.directions)
    pictures = preview(_generator(checkpoint.path, checkpoint.sha256), spec, steps)
    return codec.encode_png(codec.contact_sheet(pictures, columns=len(pictures)))


@lru_cache(maxsize=1)
def _generator(path: str, sha256: str) -> Generator:
    return load_generator(Path(path), sha256)
