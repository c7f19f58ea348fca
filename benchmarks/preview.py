"""From a slider to its picture: drawn in the process, and through the web process and the queue.

    .venv/bin/python -m benchmarks.preview [--n 200]

Starts a broker and the preview worker of the embedded default in a temporary folder, asks for the
shipped checkpoint's works with a saved direction at changing strengths, and prints milliseconds and
what the worker holds in memory.
"""

import argparse
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--n", type=int, default=200)
    n = arguments.parse_args().n
    with tempfile.TemporaryDirectory(prefix="morphora-preview-") as folder:
        os.environ |= {
            "MORPHORA_VAR": folder,
            "MORPHORA_BROKER_PORT": str(free_port()),
            "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
            "OMP_NUM_THREADS": "1",
        }
        from config.embedded import broker_command, drawing_command, port

        broker = broker_command(Path(folder) / "broker", port("MORPHORA_BROKER_PORT"))
        children: list[subprocess.Popen[bytes]] = []
        try:
            for command in (broker, drawing_command("preview")):
                children.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
            run(n, children[1].pid)
        finally:
            for child in reversed(children):
                child.terminate()
                child.wait(20)


def run(n: int, worker: int) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User
    from django.test import Client

    from generation import services

    checkpoint = services.register_shipped_checkpoint()
    save_a_direction(checkpoint)
    lead = User.objects.create_user("lead", is_staff=True)
    client = Client(headers={"host": "localhost"})
    client.force_login(lead)
    where = f"/console/checkpoints/{checkpoint.pk}/preview.png"

    def ask(view: str, k: int) -> None:
        look = {"view": view, "seed": "1", "d.wide": str(k / 1000), "strip": "wide"}
        reply = client.get(where, look)
        assert reply.status_code == 200, reply.content

    first = timed(lambda _: ask("one", -1), 1)[0]
    print(f"{'':34}{'p50 ms':>8}{'p95 ms':>8}")
    # Before torch is loaded here: the web process has none.
    for view in ("one", "row", "strip"):
        times = timed(lambda k, view=view: ask(view, k), n)  # type: ignore[misc]
        say(f"through the queue, {view}", times)
    print(f"first picture, the worker's own start included: {first:.0f} ms")
    print(f"worker resident: {psutil.Process(worker).memory_info().rss / 2**20:.0f} MiB")
    for view, times in drawn_here(checkpoint, n).items():
        say(f"drawn and encoded, {view}", times)


def save_a_direction(checkpoint: Any) -> None:
    from generation import services
    from generation.traits.effect import Effect

    vector = np.zeros(checkpoint.config["z_dim"] + checkpoint.config["embed_dim"], np.float32)
    vector[0] = 1.0
    services.save_direction(
        checkpoint=checkpoint,
        name="wide",
        method="pca",
        vector=vector,
        scale=1.0,
        effect=Effect((0.0,), 1, {}, {}, {}),
    )


def drawn_here(checkpoint: Any, n: int) -> dict[str, list[float]]:
    from generation import previewing
    from generation.traits.preview_spec import PreviewSpec

    def draw(k: int, **more: Any) -> None:
        previewing.draw(checkpoint, PreviewSpec(seed=1, strengths={"wide": k / 1000}, **more))

    draw(0)
    views: dict[str, dict[str, Any]] = {
        "one": {},
        "row": {"n_works": 6},
        "strip": {"strip": "wide"},
    }
    return {
        view: timed(lambda k, more=more: draw(k, **more), n)  # type: ignore[misc]
        for view, more in views.items()
    }


def timed(does: Callable[[int], None], n: int) -> list[float]:
    """Milliseconds of each of ``n`` calls."""
    times = []
    for k in range(n):
        started = time.perf_counter()
        does(k)
        times.append(1000 * (time.perf_counter() - started))
    return times


def say(what: str, times: list[float]) -> None:
    p50, p95 = np.percentile(times, [50, 95])
    print(f"{what:34}{p50:8.0f}{p95:8.0f}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
