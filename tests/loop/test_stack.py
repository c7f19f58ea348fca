"""The embedded default under violence: killed workers, Ctrl-C in mid-drop, a second start."""

import json
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from config.installation import installation
from generation.gan import latent
from generation.gan.checkpoint import load_generator
from generation.gan.render import render
from generation.imaging import codec
from generation.traits.parameters import Parameters
from tests.fixtures import stack

pytestmark = pytest.mark.enable_socket
SIZE = 512


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{folder / 'morphora.sqlite3'}?mode=ro", uri=True, timeout=20) as db:
        return db.execute(query).fetchall()


def wait(done: Callable[[], bool], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not done():
        assert time.monotonic() < deadline, "it does not get on"
        time.sleep(0.1)


def n_works(folder: Path) -> int:
    return int(str(rows(folder, "select count(*) from generation_artwork")[0][0]))


def renderers(parent: int) -> list[psutil.Process]:
    """The processes below the `gpu` worker that do its work."""
    below = psutil.Process(parent).children(recursive=True)
    workers = [p for p in below if "gpu" in p.cmdline() and "worker" in p.cmdline()]
    return [p for p in workers if p.ppid() in {w.pid for w in workers}]


def test_kills_and_a_restart_in_mid_drop_change_no_byte(tmp_path: Path) -> None:
    ports = {name: str(stack.free_port()) for name in stack.PORT_NAMES}
    first = stack.start(tmp_path, ports, demo_size=SIZE)
    try:
        wait(lambda: n_works(tmp_path) >= 64, 60)
        for victim in renderers(first.process.pid):
            os.kill(victim.pid, signal.SIGKILL)
        wait(lambda: n_works(tmp_path) >= 192, 90)
        children = psutil.Process(first.process.pid).children(recursive=True)
    finally:
        stack.stop(first.process)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []

    assert n_works(tmp_path) < SIZE
    second = stack.start(tmp_path, ports, demo_size=SIZE)
    try:
        state = "select state from generation_drop"
        wait(lambda: rows(tmp_path, state) == [("curating",)], 120)
    finally:
        stack.stop(second.process)

    made = rows(tmp_path, 'select image_digest from generation_artwork order by "index"')
    assert [digest for (digest,) in made] == expected_digests(tmp_path)


def expected_digests(folder: Path) -> list[str]:
    """What the drop's seed, parameters and checkpoint give, computed here in one go."""
    ((seed, body, path),) = rows(
        folder,
        "select d.seed, p.body, c.path from generation_drop d "
        "join generation_parameterset p on p.id = d.parameter_set_id "
        "join generation_checkpoint c on c.id = d.checkpoint_id",
    )
    parameters = Parameters.from_json(json.loads(str(body)))
    drop_seed = bytes.fromhex(str(seed))
    unusual = latent.explorers(drop_seed, SIZE, parameters.exploration)
    controls = latent.controls(drop_seed, SIZE, parameters)
    specs = [
        latent.item_spec(
            drop_seed, index, parameters, explores=index in unusual, is_control=index in controls
        )
        for index in range(SIZE)
    ]
    pictures = render(load_generator(Path(str(path))), specs, parameters)
    return [codec.digest(codec.encode_png(picture)) for picture in pictures]


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    ports = {name: str(stack.free_port()) for name in stack.PORT_NAMES}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(ports["MORPHORA_WEB_PORT"])))
        taken.listen()

        with pytest.raises(RuntimeError) as failure:
            stack.start(tmp_path, ports, demo_size=8)

    said = str(failure.value).strip()
    assert said == (
        f"Port {ports['MORPHORA_WEB_PORT']} is taken: stop what uses it, "
        "or set MORPHORA_WEB_PORT to a free one."
    )


def test_secrets_are_private_and_differ_between_installations(tmp_path: Path) -> None:
    first, second = installation(tmp_path / "a"), installation(tmp_path / "b")

    assert installation(tmp_path / "a") == first
    assert first.secret_key != second.secret_key
    assert first.lead_password != second.lead_password
    for path in (tmp_path / "a" / "secrets").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
