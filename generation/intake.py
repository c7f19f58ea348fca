"""Art on its way in: uploads read into datasets, and pictures looked at for labelling."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from generation import services
from generation.imaging import codec
from generation.imaging.codec import ImageRefusedError
from generation.imaging.reader import DatasetError, Item, Refusal, read_items
from generation.models import Dataset, Job
from generation.services.uploads import upload_path
from generation.traits import curating, diversity, labelling

LEASE = timedelta(seconds=30)
RENEW_EVERY = 200  # pictures; 10,000 portraits of 64 px compose in some ten seconds
LOOK_LEASE = timedelta(minutes=5)
SHOWN_REFUSALS = 20
NO_PICTURE = np.empty((0, 0, 3), np.uint8)  # of an item whose name and labels are enough


def read_upload(*, job_id: int) -> Dataset | None:
    """Turn an upload into a dataset; None if it is done, stopped or in other hands.

    Starting again repeats work and changes nothing: items lie at their digests, and the dataset
    gets its row at the end.
    """
    job = services.lease_job(pk=job_id, now=timezone.now(), lease=LEASE)
    if job is None:
        return None
    try:
        dataset, refused = _read(job, job.args)
        job.checkpoint = {
            "dataset": dataset.pk,
            "taken": dataset.n_items,
            "refused": [f"{r.name}: {r.reason}" for r in refused[:SHOWN_REFUSALS]],
            "n_refused": len(refused),
        }
        _renew(job, dataset.n_items)
    except services.LostLeaseError:
        return None
    except (DatasetError, ImageRefusedError, ValueError) as error:
        services.end_job(job=job, state=Job.State.FAILED, error=str(error))
        return None
    except Exception as error:
        services.release_job(job=job, error=f"{type(error).__name__}: {error}")
        raise
    services.end_job(job=job, state=Job.State.DONE)
    return dataset


def embed(*, job_id: int) -> None:
    """Look at a dataset's pictures once and compare them, so that they can be read and curated."""
    job = services.lease_job(pk=job_id, now=timezone.now(), lease=LOOK_LEASE)
    if job is None:
        return
    try:
        _look(job, Dataset.objects.get(pk=job.args["dataset"]))
    except services.LostLeaseError:
        return
    except (ImageRefusedError, ValueError) as error:
        services.end_job(job=job, state=Job.State.FAILED, error=str(error))
        return
    except Exception as error:
        services.release_job(job=job, error=f"{type(error).__name__}: {error}")
        raise
    services.end_job(job=job, state=Job.State.DONE)


def _look(job: Job, dataset: Dataset) -> None:
    """Two passes, each counted from nothing: reading and embedding, then comparing."""
    say = _reporter(job, LOOK_LEASE)
    pictures = []
    for done, item in enumerate(dataset.items(), start=1):
        pictures.append(codec.read_stored(dataset.item_path(item["digest"])))
        say(done)
    stacked = np.stack(pictures)
    if not dataset.embedding_path.exists():
        services.store_embedding(dataset=dataset, features=labelling.embed(stacked))
    job.checkpoint = job.checkpoint | {"step": "compare"}
    _renew(job, 0, LOOK_LEASE)
    found = curating.compare(services.embedding(dataset), stacked, say)
    services.store_comparison(dataset=dataset, comparison=found)


def _read(job: Job, about: dict[str, Any]) -> tuple[Dataset, list[Refusal]]:
    path = upload_path(about["upload"])
    shared = {key: about[key] for key in ("name", "source", "licence", "image_px")}
    if about["kind"] == "layers":
        dataset = services.compose_dataset(
            path=path, count=about["count"], seed=about["seed"], say=_reporter(job), **shared
        )
        return dataset, []
    own = {key: shared[key] for key in ("source", "licence", "image_px")}
    items = services.counted(_unrepeated(read_items(path, **own)), _reporter(job))
    return services.import_dataset(items=items, **shared)


def _unrepeated(items: Iterable[Item | Refusal]) -> Iterator[Item | Refusal]:
    """Refuses a picture that looks like an earlier one and has nothing else to say."""
    repeats, kept = diversity.Repeats(), list[Item]()
    for item in items:
        if isinstance(item, Item):
            earlier = repeats.find(item.picture)
            if earlier is not None and kept[earlier].labels == item.labels:
                yield Refusal(item.name, f"looks like {kept[earlier].name}")
                continue
            repeats.keep(item.picture)
            kept.append(replace(item, picture=NO_PICTURE))
        yield item


def _reporter(job: Job, lease: timedelta = LEASE) -> Callable[[int], None]:
    """Renews the lease every RENEW_EVERY pictures; LostLeaseError ends a job that was stopped."""

    def say(done: int) -> None:
        if done % RENEW_EVERY == 0:
            _renew(job, done, lease)

    return say


def _renew(job: Job, done: int, lease: timedelta = LEASE) -> None:
    services.renew_job(
        job=job,
        now=timezone.now(),
        lease=lease,
        done=min(done, job.total),
        checkpoint=job.checkpoint,
    )
