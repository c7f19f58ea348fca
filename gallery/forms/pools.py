"""What a lead types to have a pool read."""

from django import forms
from eth_utils.address import is_address

from gallery.forms import ConsoleForm
from minting.models import Pool


class PoolForm(ConsoleForm):
    kind = forms.ChoiceField(choices=Pool.Kind.choices)
    address = forms.CharField(max_length=42, label="Address of the pool")
    first_block = forms.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        required=False,
        label="First block to read (empty: its creation)",
    )

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"].strip()
        if not is_address(address):
            raise forms.ValidationError("This is no address.")
        return address
