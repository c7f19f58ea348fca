"""What a lead types to launch a drop: a collection, phases, an end."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import TextChoices
from eth_utils.address import is_address
from eth_utils.currency import to_wei

from gallery.forms import ConsoleForm
from generation.models import Checkpoint, Collection
from minting.chain.governance import FoundingTerms
from minting.chain.phases import Phase, PhaseKind, falling
from minting.models import SalePhase
from minting.services import MAX_PER_TRANSACTION, has_student


class Variant(TextChoices):
    """What a collection's contract can; one of them."""

    PLAIN = "plain", "Works are drawn by the site, and stay as they are"
    VOTES = "votes", "Each work is a vote: holders can decide (a mint costs 36,000 gas more)"
    PAINTED = "painted", "The contract draws the works, 32 px, without a server"
    EVOLVING = "evolving", "The contract draws the works, and what happens to them moves them"


class GeneratorField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A generator by name, and whether a contract can draw like it."""

    def label_from_instance(self, obj: Checkpoint) -> str:
        return f"{obj}{', a contract can draw like it' if has_student(obj) else ''}"


class CollectionForm(ConsoleForm):
    name = forms.CharField(max_length=100)
    slug = forms.SlugField(
        max_length=50, label="Its page's address ends in (letters, digits and hyphens)"
    )
    story = forms.CharField(
        required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )
    checkpoint = GeneratorField(
        Checkpoint.objects.order_by("-pk"), label="Generator", empty_label=None
    )

    contract = forms.ChoiceField(
        choices=Variant.choices,
        required=False,
        initial=Variant.PLAIN,
        label="Its contract, for good",
        widget=forms.RadioSelect,
    )

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].lower()
        if Collection.objects.filter(slug=slug).exists():
            raise forms.ValidationError("A collection has this address already.")
        return slug

    def clean_contract(self) -> Variant:
        return Variant(self.cleaned_data["contract"] or Variant.PLAIN)


class FoundingForm(ConsoleForm):
    """How holders decide; on chain for good."""

    delay = forms.IntegerField(min_value=0, initial=7_200, label="Before a vote starts (blocks)")
    period = forms.IntegerField(min_value=1, initial=21_600, label="A vote takes (blocks)")
    threshold = forms.IntegerField(min_value=0, initial=1, label="To propose, one needs (works)")
    quorum_percent = forms.IntegerField(
        min_value=0, max_value=100, initial=10, label="Of all votes, cast at least (%)"
    )
    wait_hours = forms.IntegerField(min_value=0, initial=48, label="Carried out after (hours)")

    def terms(self) -> FoundingTerms:
        """TermsError where the contract would refuse."""
        found = self.cleaned_data
        return FoundingTerms(
            delay=found["delay"],
            period=found["period"],
            threshold=found["threshold"],
            quorum_percent=found["quorum_percent"],
            wait_s=3600 * found["wait_hours"],
        )


class PhaseForm(ConsoleForm):
    """One phase of a sale; times are UTC. What a kind does not need may stay empty."""

    kind = forms.TypedChoiceField(choices=SalePhase.Kind.choices, coerce=int)
    price_eth = forms.DecimalField(
        min_value=Decimal(0), max_value=Decimal(10_000), decimal_places=18, label="Price (ETH)"
    )
    start = forms.DateTimeField(label="Begins (UTC)")
    end = forms.DateTimeField(label="Ends (UTC)")
    max_per_transaction = forms.IntegerField(
        min_value=1, max_value=MAX_PER_TRANSACTION, label="Works a transaction"
    )
    max_per_wallet = forms.IntegerField(
        min_value=0, max_value=10_000, required=False, label="Works a wallet"
    )
    list = forms.FileField(required=False, label="Allow list (CSV)")
    floor_eth = forms.DecimalField(
        min_value=Decimal(0), max_value=Decimal(10_000), decimal_places=18, required=False
    )
    fall_eth = forms.DecimalField(
        min_value=Decimal(0), max_value=Decimal(10_000), decimal_places=18, required=False
    )
    every_minutes = forms.IntegerField(min_value=1, max_value=10_000, required=False)
    signer = forms.CharField(required=False, max_length=42)

    @staticmethod
    def opening(now: datetime) -> dict[str, Any]:
        """A phase for everybody that begins now and lasts a week."""
        start = now.replace(second=0, microsecond=0)
        return {
            "kind": SalePhase.Kind.PUBLIC,
            "price_eth": "0.01",
            "start": f"{start:%Y-%m-%dT%H:%M}",
            "end": f"{start + timedelta(days=7):%Y-%m-%dT%H:%M}",
            "max_per_transaction": 5,
        }

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        needed: tuple[str, ...] = ()
        if found.get("kind") == SalePhase.Kind.AUCTION:
            needed = ("floor_eth", "fall_eth", "every_minutes")
        if found.get("kind") == SalePhase.Kind.SIGNED:
            needed = ("signer",)
        for name in needed:
            if found.get(name) in (None, ""):
                self.add_error(name, "This kind of phase needs it.")
        if found.get("signer") and not is_address(found["signer"]):
            self.add_error("signer", "This is not an address.")
        return found

    def phase(self) -> Phase:
        """The phase as the contract takes it; a list's root is put in later. PhaseError."""
        found = self.cleaned_data
        kind = PhaseKind(found["kind"])
        terms = 0
        if kind == PhaseKind.AUCTION:
            terms = falling(
                floor_wei=to_wei(found["floor_eth"], "ether"),
                fall_wei=to_wei(found["fall_eth"], "ether"),
                every_s=60 * found["every_minutes"],
            )
        if kind == PhaseKind.SIGNED:
            terms = int(found["signer"], 16)
        return Phase(
            kind=kind,
            price_wei=to_wei(found["price_eth"], "ether"),
            start=int(found["start"].timestamp()),
            end=int(found["end"].timestamp()),
            max_per_transaction=found["max_per_transaction"],
            max_per_wallet=found["max_per_wallet"] or 0,
            terms=1 if kind == PhaseKind.LISTED else terms,
        )


class FinalForm(ConsoleForm):
    final_by = forms.DateTimeField(required=False, label="Works are final by (UTC)")
