"""The catalogue of a collection: written down once, never out of date."""

import pytest
from pytest_django import DjangoAssertNumQueries

from generation.models import Artwork, Collection, Drop, FacetIndex
from generation.services.catalogue import index_drop, load_catalogue, nearest_works
from generation.traits.facets import DropFacets
from tests.fixtures.works import MakeDrop

State = Drop.State


@pytest.fixture
def committed(make_drop: MakeDrop) -> MakeDrop:
    """Drops whose works have token ids, as commitments give them."""

    def make(n_works: int = 6, state: State = State.COMMITTED, seed: int = 0) -> Drop:
        drop = make_drop(n_works, state, seed)
        first = Artwork.objects.filter(token_id__isnull=False).count() + 1
        for work in drop.artworks.order_by("index"):
            Artwork.objects.filter(pk=work.pk).update(token_id=first + work.index, rarity_score=1.0)
        return drop

    return make


def test_the_catalogue_has_the_works_of_committed_drops(
    collection: Collection, committed: MakeDrop
) -> None:
    first, second = committed(3), committed(4)
    committed(2, State.CURATING)

    catalogue = load_catalogue(collection=collection)

    works = Artwork.objects.filter(drop__in=[first, second]).order_by("token_id")
    assert catalogue.artwork_ids.tolist() == list(works.values_list("pk", flat=True))
    assert catalogue.search({}).counts["drop"] == {"1": 3, "2": 4}


@pytest.mark.parametrize("state", State)
def test_a_drop_counts_from_its_commitment_on(
    collection: Collection, committed: MakeDrop, state: State
) -> None:
    committed(3, state)

    is_there = len(load_catalogue(collection=collection)) == 3

    assert is_there == (list(State).index(state) >= list(State).index(State.COMMITTED))


def test_a_drop_is_written_down_once(collection: Collection, committed: MakeDrop) -> None:
    drop = committed(3)

    digests = [index_drop(drop_id=drop.pk) for _ in range(2)]

    index = FacetIndex.objects.get()
    assert digests == [index.digest] * 2
    assert DropFacets.from_bytes(bytes(index.body)).digest == index.digest


def test_a_drop_without_tokens_is_not_written_down(
    collection: Collection, make_drop: MakeDrop
) -> None:
    drop = make_drop(3, State.COMMITTED)

    assert index_drop(drop_id=drop.pk) == ""
    assert not FacetIndex.objects.exists()


def test_a_catalogue_that_is_known_takes_one_query(
    collection: Collection,
    committed: MakeDrop,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    committed(3)
    committed(2)
    load_catalogue(collection=collection)

    with django_assert_num_queries(1):
        again = load_catalogue(collection=collection)

    assert len(again) == 5


def test_a_new_drop_makes_a_new_catalogue(collection: Collection, committed: MakeDrop) -> None:
    committed(3)
    before = load_catalogue(collection=collection)

    committed(2)

    assert (len(before), len(load_catalogue(collection=collection))) == (3, 5)


def test_neighbours_are_works_of_the_same_drop(collection: Collection, committed: MakeDrop) -> None:
    committed(3)
    drop = committed(5)

    near = nearest_works(work=drop.artworks.get(token_id=6), n=3)

    assert {token for token, _ in near} <= {4, 5, 7, 8}
    assert [d for _, d in near] == sorted(d for _, d in near)
