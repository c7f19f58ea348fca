"""Forms of the steering room: numbers of a lead's own, the way back, the autopilot."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms

from gallery.forms import ConsoleForm
from generation.traits.parameters import MAX_CONTROL, MAX_EXPLORATION, Parameters, ParametersError


class ProposalForm(ConsoleForm):
    decision = forms.ChoiceField(choices=[(word, word) for word in ("approve", "edit", "reject")])
    reason = forms.CharField(required=False, max_length=300)
    exploration_percent = forms.FloatField(
        required=False, min_value=0, max_value=100 * MAX_EXPLORATION
    )
    control_percent = forms.FloatField(required=False, min_value=0, max_value=100 * MAX_CONTROL)

    def parameters(self, base: Parameters, proposed: Parameters) -> Parameters:
        """The lead's own percentages in place of the base's shares; each attribute comes to 100.

        A number that stands as it was shown is the share that was proposed, not its rounding:
        that might go a hair beyond the bounds.
        """
        edited = {
            attribute: {
                value: self._share(
                    attribute, value, proposed.distributions.get(attribute, {}).get(value)
                )
                for value in shares
            }
            for attribute, shares in base.distributions.items()
        }
        for attribute, shares in edited.items():
            total = sum(shares.values())
            if not Decimal("0.99") <= total <= Decimal("1.01"):
                raise ParametersError(
                    f"{attribute}: the shares come to {100 * total:.1f} %, not 100 %"
                )
            edited[attribute] = {value: share / total for value, share in shares.items()}
        as_floats: dict[str, Any] = {
            attribute: {value: float(share) for value, share in shares.items()}
            for attribute, shares in edited.items()
        }
        return replace(
            base,
            distributions=as_floats,
            exploration=self._asked("exploration_percent", base.exploration),
            control=self._asked("control_percent", base.control),
            directions=self._strengths(base.directions or {}),
        )

    def _asked(self, field: str, otherwise: float) -> float:
        """A share of the works, from percent."""
        percent: float | None = self.cleaned_data[field]
        return otherwise if percent is None else percent / 100

    def _strengths(self, directions: dict[str, float]) -> dict[str, float]:
        """The lead's own strengths; of a direction that was not asked for the one there is."""
        found = {}
        for name, strength in directions.items():
            typed = self.data.get(f"~{name}", strength)
            try:
                found[name] = float(typed)
            except (TypeError, ValueError) as error:
                raise ParametersError(f"{name}: {typed!r} is not a strength") from error
        return found

    def _share(self, attribute: str, value: str, proposed: float | None) -> Decimal:
        typed = self.data.get(f"{attribute}.{value}", "")
        if proposed is not None and typed == f"{100 * proposed:.1f}":
            return Decimal(proposed)
        try:
            share = Decimal(str(typed)) / 100
        except ArithmeticError as error:
            raise ParametersError(f"{attribute} {value}: {typed!r} is not a percentage") from error
        if not share.is_finite() or not 0 <= share <= 1:
            raise ParametersError(f"{attribute} {value}: {typed!r} is not a percentage")
        return share


class RollBackForm(ConsoleForm):
    to = forms.IntegerField(min_value=0, max_value=2**31 - 1)
    reason = forms.CharField(max_length=200)


class AutopilotForm(ConsoleForm):
    to = forms.ChoiceField(choices=[("on", "on"), ("off", "off")])
    reason = forms.CharField(max_length=200)
