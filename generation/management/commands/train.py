"""Train a generator on a dataset."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from generation import services
from generation.gan.config import ConfigError
from generation.gan.presets import ARCHITECTURES, GAMES, RATES, TrainConfig
from generation.models import Dataset, Job


class Command(BaseCommand):
    help = (
        "Train a generator; Ctrl-C stops it after a saved interval, --resume goes on. Several "
        "devices or machines share a batch: torchrun --nproc-per-node 2 manage.py train ..."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", help="digest of a dataset, or its first digits")
        parser.add_argument("--architecture", choices=list(ARCHITECTURES), default="biggan")
        parser.add_argument(
            "--network", default="{}", help="JSON of settings in place of the architecture's own"
        )
        parser.add_argument("--game", choices=list(GAMES), help="default: rpgan; hinge for biggan")
        parser.add_argument("--gamma", type=float, default=0.5, help="weight of R1 and R2")
        parser.add_argument(
            "--penalty-every",
            type=int,
            default=1,
            metavar="N",
            help="take the penalty of each Nth pair of pictures: 4 saves a fifth of the time",
        )
        parser.add_argument("--lr-g", type=float, help="default: 2e-4; 2e-3 for stylegan3")
        parser.add_argument("--lr-d", type=float, default=4e-4)
        parser.add_argument("--adaptive", action="store_true", help="augment as needed (ADA)")
        parser.add_argument("--kimg", type=int, default=170, help="thousand pictures in all")
        parser.add_argument("--interval-kimg", type=float, default=4.0)
        parser.add_argument("--batch", type=int, default=32)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--from",
            dest="start",
            type=Path,
            help="checkpoint to go on from: its network and licence come with it",
        )
        parser.add_argument(
            "--warm-kimg", type=float, default=0.0, help="discriminator alone, with --from"
        )
        parser.add_argument("--decay-kimg", type=float, default=30.0)
        parser.add_argument("--attribute-weight", type=float, default=0.5)
        parser.add_argument(
            "--parser", type=Path, help="trait parser to measure with; default: the art's own"
        )
        parser.add_argument("--resume", action="store_true", help="go on after a kill or a stop")

    def handle(self, *args: Any, **options: Any) -> None:
        dataset = Dataset.objects.filter(digest__startswith=options["dataset"]).first()
        if dataset is None:
            raise CommandError(f"no dataset {options['dataset']}")
        job = self._request(dataset, options)
        from generation import training
        from generation.gan import parallel
        from generation.gan.training import TrainingDivergedError

        parallel.join()
        if parallel.rank():  # the first process holds the lease and reports
            for _ in training.run(job=job):
                pass
            parallel.leave()
            return
        job = self._lease(job, resume=options["resume"])
        self.stdout.write(f"learning from {dataset.title}, {dataset.n_items} pictures")
        self.stdout.write(f"samples and weights: {services.run_folder(job)}")

        try:
            for interval in training.run(job=job):
                eta = job.checkpoint["eta_s"]
                self.stdout.write(
                    f"{interval.n_images / 1000:.0f} of {job.total} kimg  "
                    f"D {interval.loss_d:.3f}  G {interval.loss_g:.3f}  "
                    f"attributes {interval.loss_attributes:.3f} nats  batch {interval.batch}  "
                    f"{interval.images_per_s / 1000:.3f} kimg/s  {eta / 60:.0f} min left"
                )
                self._print_scores(job.checkpoint["history"][-1])
        except KeyboardInterrupt:
            services.stop_job(job=job)
            self.stdout.write("stopped; --resume goes on from the last interval")
        except services.LostLeaseError as error:
            raise CommandError("stopped by a lead, or another process took the run over") from error
        except TrainingDivergedError as error:
            services.end_job(job=job, state=Job.State.FAILED, error=str(error))
            raise CommandError(str(error)) from error
        parallel.leave()

    def _print_scores(self, point: dict[str, Any]) -> None:
        if point["kid"] is None:
            return
        nearest = "" if point["nearest"] is None else f"  nearest art {point['nearest']:.2f}"
        self.stdout.write(
            f"    KID-traits {point['kid']:.4f}  precision {point['precision']:.3f}  "
            f"recall {point['recall']:.3f}  density {point['density']:.3f}  "
            f"coverage {point['coverage']:.3f}{nearest}"
        )

    def _request(self, dataset: Dataset, options: dict[str, Any]) -> Job:
        start: Path | None = options["start"]
        try:
            architecture, network = options["architecture"], json.loads(options["network"])
            if start is not None:
                architecture, network = services.start_settings(start)
            train = TrainConfig(
                kimg=options["kimg"],
                batch=options["batch"],
                game=options["game"] or ("hinge" if architecture == "biggan" else "rpgan"),
                gamma=options["gamma"],
                penalty_every=options["penalty_every"],
                adaptive=options["adaptive"],
                lr_g=options["lr_g"] or RATES[architecture],
                lr_d=options["lr_d"],
                interval_kimg=options["interval_kimg"],
                seed=options["seed"],
                warm_kimg=options["warm_kimg"],
                decay_kimg=options["decay_kimg"],
                attribute_weight=options["attribute_weight"],
            )
            return services.request_run(
                dataset=dataset,
                architecture=architecture,
                network=network,
                train=train,
                start=str(start or ""),
                parser=options["parser"],
            )
        except (ConfigError, TypeError, ValueError) as error:
            raise CommandError(str(error)) from error

    def _lease(self, job: Job, *, resume: bool) -> Job:
        if job.attempts and not resume:
            raise CommandError(
                f"this run exists ({job.done} of {job.total} kimg): --resume goes on"
            )
        from generation.training import LEASE

        services.reclaim_job(job=job)
        leased = services.lease_job(pk=job.pk, now=timezone.now(), lease=LEASE)
        if leased is None:
            raise CommandError(f"the run is {job.state}")
        return leased
