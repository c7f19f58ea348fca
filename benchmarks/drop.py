"""A drop of 1,000 works from seed to CAR: render, parse, deduplicate, hash, pack.

    .venv/bin/python -m benchmarks.drop [--size 1000]

Runs the workers' own code in one process, in a temporary folder, and prints the seconds of each
step and the most memory that was resident.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--size", type=int, default=1000)
    size = arguments.parse_args().size
    with tempfile.TemporaryDirectory(prefix="morphora-drop-") as folder:
        os.environ |= {
            "MORPHORA_VAR": folder,
            "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
            "OMP_NUM_THREADS": "1",
        }
        run(size)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"most memory resident: {peak:.0f} MiB\n")


def run(size: int) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)

    from generation import rendering, services
    from generation.models import Artwork
    from minting.services import drop_car, prepare_commitment

    started = time.perf_counter()
    collection = services.create_collection(
        slug="bench", name="Bench", story="", checkpoint=services.register_shipped_checkpoint()
    )
    parameters = collection.parameter_sets.get()
    drop = services.open_drop(
        collection=collection, parameter_set=parameters, size=size, seed="11" * 32
    )
    with step("render, parse, store"):
        for job in services.start_rendering(drop=drop):
            rendering.run_chunk(job_id=job.pk)
    with step("deduplicate"):
        drop = rendering.finish_drop(drop=drop)
    with step("accept"):
        works = list(drop.artworks.undecided().values_list("pk", flat=True))
        services.decide(drop=drop, artwork_ids=works, status=Artwork.Status.ACCEPTED, curator=None)
    with step("metadata, rarity, hashes, roots"):
        commitment = prepare_commitment(drop=drop)
    with step("pack the CAR"):
        car = drop_car(commitment=commitment)
    total = time.perf_counter() - started
    megabytes = car.stat().st_size / 1e6
    sys.stdout.write(f"{commitment.count} works in {total:.1f} s, a CAR of {megabytes:.1f} MB\n")


@contextmanager
def step(name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    sys.stdout.write(f"{name:34}{time.perf_counter() - started:8.1f} s\n")


if __name__ == "__main__":
    main()
