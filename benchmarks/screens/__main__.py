"""Pictures of every page, light, dark and on a phone, from a living installation.

    .venv/bin/python -m benchmarks.screens [--out docs/screens] [--minutes 1.5] [--only living]

Starts what `make up` starts in a folder of its own, curates and commits its first drop as a lead in
a browser, brings art in and trains on it, brings in the simulated community, lets it act, scores
the round, plans the next drop, has a collection live, and photographs the pages on the way. Needs
Chromium and what `make test` installs.
"""

import argparse
from pathlib import Path

from benchmarks.screens.camera import Camera, chromium
from benchmarks.screens.installation import ROOT, installation
from benchmarks.screens.living import living
from benchmarks.screens.tour import tour


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screens")
    parser.add_argument("--minutes", type=float, default=1.5, help="for the community to act")
    parser.add_argument("--only", choices=["tour", "living"], help="one of the two parts")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with installation() as here, chromium() as browser:
        camera = Camera(browser, options.out, here.password)
        if options.only != "living":
            tour(camera, browser, options.minutes)
        if options.only != "tour":
            living(camera, here, options.minutes)


if __name__ == "__main__":
    main()
