"""Numbers as people read them."""

from django import template

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """A whole number in groups of three digits."""
    return f"{number:,}"
