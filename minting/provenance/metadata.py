"""ERC-721 metadata in the convention that marketplaces read."""

from collections.abc import Mapping
from typing import Any

NONE = "none"
Row = dict[str, str | None]  # trait type -> value, as rarity is told from


def build(
    *,
    token_id: int,
    collection_name: str,
    description: str,
    parsed: Mapping[str, str],
    image: str = "",
    external_url: str = "",
) -> dict[str, Any]:
    """Metadata of one work.

    Parameters
    ----------
    token_id
        its id on chain, from 1.
    image
        address of the picture; left out if empty.
    parsed
        trait type -> value as a parser reads it in the picture, never what was asked for; the
        value ``none`` is an absent trait and left out.
    external_url
        a page about the work; left out if empty.
    """
    attributes = [
        {"trait_type": trait_type, "value": value}
        for trait_type, value in sorted(parsed.items())
        if value != NONE
    ]
    optional = {"image": image, "external_url": external_url}
    return {
        "name": f"{collection_name} #{token_id}",
        "description": description,
        "attributes": attributes,
        **{name: value for name, value in optional.items() if value},
    }


def traits(about: Mapping[str, Any]) -> Row:
    """The traits that metadata name; what they do not name is absent."""
    return {str(one["trait_type"]): str(one["value"]) for one in about["attributes"]}
