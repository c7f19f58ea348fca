"""What a lead types, checked."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from django import forms
from django.http import QueryDict
from eth_utils.currency import to_wei

from generation.gan.presets import RATES, TrainConfig
from generation.models import Artwork, Checkpoint, Dataset, Direction, Drop
from generation.services import MAX_COMPOSED, MAX_DROP_SIZE, Start, start_settings
from generation.traits.selection import MAX_CANDIDATES
from sentiment.services import RULES

MAX_RETOUCH_BYTES = 20_000_000


class ConsoleForm(forms.Form):
    def first_error(self) -> str:
        name, errors = next(iter(self.errors.items()))
        return f"{name.replace('_', ' ')}: {errors[0]}"


class DecideForm(forms.Form):
    status = forms.ChoiceField(
        choices=[(s, s) for s in Artwork.Status if s != Artwork.Status.DUPLICATE]
    )


class NextDropForm(ConsoleForm):
    size = forms.IntegerField(min_value=1, max_value=MAX_DROP_SIZE)
    kind = forms.ChoiceField(choices=Drop.Kind.choices, required=False)
    candidates = forms.IntegerField(min_value=1, max_value=MAX_CANDIDATES, required=False)

    def clean_candidates(self) -> int:
        return self.cleaned_data["candidates"] or 1

    def clean(self) -> None:
        cleaned = self.cleaned_data
        if cleaned.get("kind") == Drop.Kind.ON_THE_FLY and cleaned.get("candidates", 1) > 1:
            raise forms.ValidationError("A work that is drawn as it is minted has one candidate.")

    def clean_kind(self) -> Drop.Kind:
        return Drop.Kind(self.cleaned_data["kind"] or Drop.Kind.FIXED)


class SaleForm(ConsoleForm):
    price_eth = forms.DecimalField(
        min_value=Decimal(0), max_value=Decimal(10_000), decimal_places=18
    )
    cap = forms.IntegerField(min_value=1, max_value=20)
    days = forms.IntegerField(min_value=1, max_value=365, required=False)

    def clean_price_eth(self) -> int:
        """The price in wei."""
        price: Decimal = self.cleaned_data["price_eth"]
        return to_wei(price, "ether")


class ExtendForm(ConsoleForm):
    """Floors for a plan that is stuck; what is left empty stays as it is."""

    min_confidence_percent = forms.FloatField(min_value=0, max_value=100, required=False)
    min_novelty = forms.FloatField(min_value=0, max_value=2, required=False)

    def floors(self) -> dict[str, float | None]:
        percent = self.cleaned_data["min_confidence_percent"]
        return {
            "min_confidence": None if percent is None else percent / 100,
            "min_novelty": self.cleaned_data["min_novelty"],
        }


class DiscountForm(ConsoleForm):
    percent = forms.FloatField(min_value=0, max_value=100)
    rule = forms.ChoiceField(choices=[(rule, rule) for rule in RULES])
    reason = forms.CharField(max_length=200)


class TrainForm(ConsoleForm):
    """A training run in a lead's words; what is not asked for has the architecture's default."""

    dataset = forms.ModelChoiceField(
        Dataset.objects.order_by("-created_at", "-pk"), label="Art to learn from", empty_label=None
    )
    architecture = forms.ChoiceField(
        label="Network",
        choices=[
            ("biggan", "Small BigGAN: the fastest, follows what is asked"),
            ("stylegan3", "StyleGAN3-T: smooth in its latent space, slower"),
            ("stylegan3-r", "StyleGAN3-R: turns with its input, slower still"),
            ("biggan-deep", "BigGAN-deep: from 32 px on"),
        ],
    )
    game = forms.ChoiceField(
        label="Game",
        choices=[
            ("rpgan", "RpGAN with R1 and R2"),
            ("hinge", "Hinge with spectral norm"),
            ("logistic", "Logistic with lazy R1"),
        ],
    )
    kimg = forms.IntegerField(
        label="Thousand pictures in all", min_value=1, max_value=100_000, initial=300
    )
    batch = forms.TypedChoiceField(
        label="Pictures a step", coerce=int, choices=[(n, n) for n in (8, 16, 32, 64)], initial=16
    )
    interval_kimg = forms.FloatField(
        label="Thousand pictures between two saves", min_value=0.05, max_value=1000, initial=2
    )
    seed = forms.IntegerField(min_value=0, max_value=2**31, initial=1)
    adaptive = forms.BooleanField(
        label="Augment as strongly as the critic's knowledge asks for (ADA)", required=False
    )
    start = forms.TypedChoiceField(
        label="Go on from a checkpoint (its network comes with it)",
        coerce=int,
        empty_value=None,
        required=False,
    )
    warm_kimg = forms.FloatField(
        label="Thousand pictures for the critic alone first, with a checkpoint",
        min_value=0,
        max_value=1000,
        initial=2,
        required=False,
    )

    def __init__(self, *args: Any, starts: list[Start], **options: Any) -> None:
        super().__init__(*args, **options)
        self.starts = {one.checkpoint.pk: one.checkpoint for one in starts if one.fits}
        self.fields["start"].choices = [  # type: ignore[attr-defined]
            ("", "No: from the beginning"),
            *(
                (one.checkpoint.pk, f"{one.checkpoint}, for {', '.join(a.title for a in one.fits)}")
                for one in starts
                if one.fits
            ),
        ]

    def run(self) -> dict[str, Any]:
        """What ``request_run`` is asked for; ValueError where the checkpoint's file is gone."""
        given = self.cleaned_data
        start = self.starts.get(given["start"])
        if start is None:
            architecture, network = given["architecture"], dict[str, Any]()
        else:
            architecture, network = start_settings(Path(start.path))
        fields = ("game", "kimg", "batch", "interval_kimg", "seed", "adaptive")
        train = TrainConfig(
            **{name: given[name] for name in fields},
            lr_g=RATES[architecture],
            decay_kimg=given["kimg"] / 3,
            attribute_weight=1.0,
            warm_kimg=(given["warm_kimg"] or 0.0) if start else 0.0,
        )
        return {
            "dataset": given["dataset"],
            "architecture": architecture,
            "network": network,
            "train": train,
            "start": start.path if start else "",
        }


class UploadForm(ConsoleForm):
    """An archive of art, with where it comes from: no licence, no dataset."""

    kind = forms.ChoiceField(
        label="What is in it",
        choices=[
            ("layers", "Layers: a folder per category of transparent PNGs"),
            ("pictures", "Pictures, with attributes.csv or without labels"),
        ],
    )
    file = forms.FileField(label="ZIP archive", widget=forms.FileInput({"accept": ".zip"}))
    name = forms.CharField(max_length=100)
    source = forms.CharField(max_length=300, label="Source (who made it, where it is from)")
    licence = forms.CharField(max_length=100, label="Licence (SPDX name, e.g. CC0-1.0)")
    image_px = forms.TypedChoiceField(
        label="Side of a picture (px)",
        coerce=int,
        choices=[(px, px) for px in (16, 32, 64, 128)],
        initial=64,
    )
    count = forms.IntegerField(
        label="Pictures to compose (layers only)",
        min_value=1,
        max_value=MAX_COMPOSED,
        initial=10_000,
        required=False,
    )
    seed = forms.CharField(max_length=64, initial="1", required=False, label="Seed (layers only)")

    def about(self) -> dict[str, Any]:
        given = {key: value for key, value in self.cleaned_data.items() if key != "file"}
        if given["kind"] != "layers":
            return {key: given[key] for key in given if key not in ("count", "seed")}
        return given | {"count": given["count"] or 10_000, "seed": given["seed"] or "1"}


class LabelForm(forms.Form):
    """Fields ``place-N`` with a value each, and ``group-N`` with one for ``places-N``."""

    def values(self) -> dict[int, str]:
        found: dict[int, str] = {}
        for field, text in self.data.items():
            kind, _, number = str(field).partition("-")
            if not number.isdecimal() or not str(text).strip():
                continue
            if kind == "group":
                places = str(self.data.get(f"places-{number}", "")).split(",")
                found |= {int(place): str(text) for place in places if place.isdecimal()}
            elif kind == "place":
                found[int(number)] = str(text)
        if not found:
            raise ValueError("nothing was labelled")
        return found


class FinishLabelsForm(ConsoleForm):
    name = forms.CharField(max_length=100, required=False)
    min_confidence_percent = forms.IntegerField(min_value=0, max_value=100, initial=80)


class BoardForm(forms.Form):
    """What of a drop the curation board shows."""

    status = forms.ChoiceField(
        required=False, choices=[(word, word) for word in (*Artwork.Status.values, "all")]
    )
    below = forms.IntegerField(required=False, min_value=1, max_value=100)
    kind = forms.ChoiceField(
        required=False,
        choices=[(word, word) for word in ("explores", "control", "redrawn", "retouched")],
    )
    alike = forms.BooleanField(required=False)
    trait = forms.CharField(required=False, max_length=150)
    sort = forms.ChoiceField(
        required=False, choices=[(word, word) for word in ("index", "confidence", "group")]
    )
    after = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


class RetouchForm(ConsoleForm):
    """An edited picture of a work, or with ``restore`` the one that was drawn."""

    seen = forms.IntegerField(min_value=0, max_value=2**63 - 1)
    restore = forms.BooleanField(required=False)
    note = forms.CharField(required=False, max_length=500)
    picture = forms.FileField(required=False, max_length=200)

    def clean_picture(self) -> Any:
        file = self.cleaned_data["picture"]
        if file is not None and file.size > MAX_RETOUCH_BYTES:
            raise forms.ValidationError(f"more than {MAX_RETOUCH_BYTES // 10**6} MB")
        return file

    def clean(self) -> dict[str, Any]:
        clean = super().clean() or self.cleaned_data
        if not clean.get("restore"):
            for name, what in (
                ("picture", "an edited picture"),
                ("note", "a note on what changed"),
            ):
                if not clean.get(name) and name not in self.errors:
                    self.add_error(name, f"{what} is needed")
        return clean


class SearchForm(ConsoleForm):
    """A search for directions; a linear one names the attribute whose values it tells apart."""

    look_for = forms.ChoiceField(label="Look for")
    n_directions = forms.IntegerField(
        label="How many at most", min_value=1, max_value=12, initial=4
    )
    n_works = forms.IntegerField(
        label="Works to learn from", min_value=64, max_value=5000, initial=1000
    )
    seed = forms.IntegerField(min_value=0, max_value=2**31 - 1, initial=0)

    def __init__(self, checkpoint: Checkpoint, *args: Any) -> None:
        super().__init__(*args)
        kind = Direction.Method
        choices = [
            (f"{kind.LINEAR}:{name}", f"values of {name.replace('_', ' ')} (linear)")
            for name in checkpoint.schema
        ]
        choices += [
            (kind.PCA, "what varies most (PCA of w)"),
            (kind.SEFA, "what the weights move most (SeFa)"),
        ]
        field = self.fields["look_for"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def search(self) -> dict[str, Any]:
        given = self.cleaned_data
        method, _, attribute = given["look_for"].partition(":")
        numbers = {name: given[name] for name in ("n_directions", "n_works", "seed")}
        return {"method": method, "attribute": attribute} | numbers


class CurateForm(ConsoleForm):
    """A button of the curation page, ``verb`` or ``verb:number``, and what it is about."""

    verb = forms.RegexField(
        r"^(accept|reject|relabel|licence|keep-all|publish|compare|(keep|undo):[0-9]{1,9})$",
        error_messages={"invalid": "unknown button", "required": "unknown button"},
    )
    seen = forms.IntegerField(min_value=0, max_value=2**31 - 1)
    every = forms.BooleanField(required=False)
    label = forms.CharField(required=False, max_length=450)
    other = forms.CharField(required=False, max_length=200)
    licence_name = forms.CharField(required=False, max_length=100)

    def word(self) -> str:
        return str(self.cleaned_data["verb"]).partition(":")[0]

    def number(self) -> int:
        return int(self.cleaned_data["verb"].partition(":")[2] or 0)

    def places(self) -> list[int]:
        """The selected pictures; ValueError for what is no number."""
        assert isinstance(self.data, QueryDict)
        typed = self.data.getlist("place")
        if not all(text.isascii() and text.isdecimal() and len(text) < 10 for text in typed):
            raise ValueError("a selected picture has no number")
        return [int(text) for text in typed]

    def said(self, schema: dict[str, list[str]]) -> dict[str, str]:
        """The label or licence that is said, for the service."""
        if self.word() == "licence":
            return {"value": self.cleaned_data["licence_name"]}
        if self.word() != "relabel":
            return {}
        typed = self.cleaned_data["label"]
        fitting = [name for name in schema if typed.startswith(f"{name}:")]
        if not fitting:
            raise ValueError("choose an attribute and a value")
        attribute = max(fitting, key=len)
        value = typed[len(attribute) + 1 :]
        return {"attribute": attribute, "value": value or self.cleaned_data["other"]}
