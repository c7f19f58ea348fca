from hypothesis import given
from hypothesis import strategies as st

from minting.provenance import metadata
from minting.provenance.canonical import canonicalize


def test_metadata_of_a_work() -> None:
    found = metadata.build(
        token_id=7,
        collection_name="Portraits",
        description="They listen.",
        image="ipfs://bafyexample/7.png",
        parsed={"Hat": "none", "Eyes": "wide", "Background": "blue"},
    )

    assert found == {
        "name": "Portraits #7",
        "description": "They listen.",
        "image": "ipfs://bafyexample/7.png",
        "attributes": [
            {"trait_type": "Background", "value": "blue"},
            {"trait_type": "Eyes", "value": "wide"},
        ],
    }


def test_external_url_is_there_when_given() -> None:
    found = metadata.build(
        token_id=7,
        collection_name="Portraits",
        description="",
        image="ipfs://bafyexample/7.png",
        parsed={},
        external_url="https://morphora.example/works/7",
    )

    assert found["external_url"] == "https://morphora.example/works/7"


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.just("x")), st.data())
def test_bytes_do_not_depend_on_the_order_of_the_traits(
    parsed: dict[str, str], data: st.DataObject
) -> None:
    shuffled = dict(data.draw(st.permutations(list(parsed.items()))))

    def raw(traits: dict[str, str]) -> bytes:
        return canonicalize(
            metadata.build(
                token_id=1,
                collection_name="C",
                description="",
                image="ipfs://b/1.png",
                parsed=traits,
            )
        )

    assert raw(shuffled) == raw(parsed)
