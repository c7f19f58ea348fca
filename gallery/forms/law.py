"""What a lead types of a law: how works move, and the past that it is tried on."""

from typing import Any

from django import forms
from eth_utils.address import is_address, to_checksum_address

from gallery.forms import ConsoleForm
from generation.models import Checkpoint
from minting.evolution.laws import DEFAULTS, DIRECTIONS, HIGHEST, Choice, plan
from minting.evolution.rules import BYTE, NOBODY, Source
from sentiment.services import pasts

PARTS = ("on", "direction", "highest", "offset")


class LawForm(ConsoleForm):
    """How works move: which sources, along which direction, in how many levels."""

    period_hours = forms.IntegerField(
        min_value=1, max_value=8760, initial=24, required=False, label="Between interactions (h)"
    )
    manager = forms.CharField(required=False, max_length=42, label="v3 position manager")
    pool = forms.CharField(required=False, max_length=42, label="v3 pool")
    pair = forms.CharField(required=False, max_length=42, label="v2 pair")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        directions = [(name, name) for name in DIRECTIONS]
        for source, default in DEFAULTS.items():
            key = source.name.lower()
            needs_pool = source in (Source.POSITION, Source.SHARE)
            self.fields[f"{key}_on"] = forms.BooleanField(required=False, initial=not needs_pool)
            self.fields[f"{key}_direction"] = forms.ChoiceField(
                choices=directions, initial=default.direction, required=False
            )
            self.fields[f"{key}_offset"] = forms.TypedChoiceField(
                choices=[(offset, default.quantity(offset)) for offset in default.offsets],
                coerce=int,
                initial=default.offset,
                required=False,
                empty_value=None,
            )
            self.fields[f"{key}_highest"] = forms.IntegerField(
                min_value=1, max_value=BYTE, initial=HIGHEST, required=False
            )

    @property
    def sources(self) -> list[dict[str, Any]]:
        """For each source its name, what it is in words, and its four fields."""
        return [
            {
                "name": default.name,
                "says": default.says,
                **{part: self[f"{source.name.lower()}_{part}"] for part in PARTS},
            }
            for source, default in DEFAULTS.items()
        ]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        for name in ("manager", "pool", "pair"):
            if found.get(name) and not is_address(found[name]):
                self.add_error(name, "This is not an address.")
        return found

    def law(self) -> dict[str, Any]:
        """The law as a document; LawError for what the contract would refuse."""
        found = self.cleaned_data
        peers = {Source.POSITION: found["manager"], Source.SHARE: found["pair"]}
        choices = [
            Choice(
                source,
                found[f"{key}_direction"] or DEFAULTS[source].direction,
                found[f"{key}_highest"] or HIGHEST,
                address(peers.get(source, "")),
                address(found["pool"] if source == Source.POSITION else ""),
                found[f"{key}_offset"],
            )
            for source in DEFAULTS
            for key in [source.name.lower()]
            if found[f"{key}_on"]
        ]
        return plan(choices, 3600 * (found["period_hours"] or 24))


def address(text: str) -> str:
    """With its checksum; the zero address where none is given."""
    return str(to_checksum_address(text)) if text else NOBODY


class TrialForm(ConsoleForm):
    """The generator whose works a law is tried on, and whose past."""

    checkpoint = forms.ModelChoiceField(Checkpoint.objects.all())
    past = forms.ChoiceField(label="The past of")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["past"].choices = pasts()  # type: ignore[attr-defined]
