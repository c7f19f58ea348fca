"""The committed works of a collection, ready to be filtered, counted and ordered in memory."""

from functools import lru_cache

from django.db.models import QuerySet

from generation.gan.config import GanConfig
from generation.models import Artwork, Collection, Drop, FacetIndex
from generation.traits.facets import Catalogue, DropFacets, Work
from generation.traits.neighbours import LatentSpace

# 96 bytes a work: 96 MB for a collection of a million. Its older states are of no use to anybody.
KEPT_CATALOGUES = 4


def load_catalogue(*, collection: Collection) -> Catalogue:
    """The collection's catalogue; built once per process for each set of committed drops."""
    drops = Drop.objects.committed().filter(collection=collection).order_by("number", "pk")
    rows = list(drops.values_list("pk", "number", "kind", "facet_index__digest"))
    digests: list[tuple[int, str]] = []
    living: list[tuple[int, int, int, int]] = []
    for pk, number, kind, digest in rows:
        if kind == Drop.Kind.ON_THE_FLY:
            living.append((number, pk, *_so_far(pk)))
        elif known := digest or index_drop(drop_id=pk):
            digests.append((number, known))
    return _catalogue(tuple(digests), tuple(living))


def _so_far(drop_id: int) -> tuple[int, int]:
    """How many works of a drop are drawn, and ranked: works join while they are minted."""
    works = Artwork.objects.filter(drop=drop_id, token_id__isnull=False)
    return works.count(), works.filter(rarity_rank__isnull=False).count()


def index_drop(*, drop_id: int) -> str:
    """Write down a committed drop's traits, once; the digest, or nothing if it has no tokens."""
    works = Artwork.objects.filter(drop=drop_id, token_id__isnull=False).order_by("token_id", "pk")
    facets = DropFacets.of(_works(works))
    if not len(facets.token_ids):
        return ""
    body = facets.to_bytes()
    index, _ = FacetIndex.objects.get_or_create(
        drop_id=drop_id, defaults={"digest": facets.digest, "body": body}
    )
    return index.digest


def _works(rows: QuerySet[Artwork]) -> list[Work]:
    columns = rows.values_list("token_id", "pk", "rarity_score", "parsed")
    return [
        Work(token_id or 0, pk, score or 0.0, parsed)
        for token_id, pk, score, parsed in columns.iterator(2000)
    ]


@lru_cache(maxsize=KEPT_CATALOGUES)
def _living_facets(drop_id: int, n_works: int, n_ranked: int) -> DropFacets:
    works = Artwork.objects.filter(drop=drop_id, token_id__isnull=False).order_by("token_id", "pk")
    return DropFacets.of(_works(works))


@lru_cache(maxsize=KEPT_CATALOGUES)
def _catalogue(
    digests: tuple[tuple[int, str], ...], living: tuple[tuple[int, int, int, int], ...]
) -> Catalogue:
    """Named by what is in it, so it can never be out of date."""
    wanted = [digest for _, digest in digests]
    rows = FacetIndex.objects.filter(digest__in=wanted).values_list("digest", "body")
    parts = {digest: DropFacets.from_bytes(bytes(body)) for digest, body in rows}
    drops = {number: parts[digest] for number, digest in digests}
    drops |= {number: _living_facets(*state) for number, *state in living if state[1]}
    return Catalogue(dict(sorted(drops.items())))


def nearest_works(*, work: Artwork, n: int) -> list[tuple[int, float]]:
    """(token id, distance) of the works of the same drop that are nearest in latent space."""
    state = work.drop.seed
    if work.drop.kind == Drop.Kind.ON_THE_FLY:
        state = str(work.drop.artworks.count())
    token_ids, space = _latent_space(work.drop_id, state, _z_dim(work.drop))
    if work.token_id not in token_ids:
        return []
    near = space.nearest(token_ids.index(work.token_id), n)
    return [(token_ids[place], distance) for place, distance in near]


def _z_dim(drop: Drop) -> int:
    return int(drop.checkpoint.config.get("z_dim", GanConfig.z_dim))


# A drop of 10,000 works takes 3 MB and 0.3 s once.
@lru_cache(maxsize=16)
def _latent_space(drop_id: int, state: str, z_dim: int) -> tuple[list[int], LatentSpace]:
    """A committed drop's works as points.

    Named by the drop's seed, from which they follow, or by how many of them are drawn.
    """
    works = Artwork.objects.filter(drop=drop_id, token_id__isnull=False).order_by("token_id", "pk")
    rows = list(works.values_list("token_id", "item_seed", "requested", "start"))
    seeds = [bytes.fromhex(row[1]) for row in rows]
    starts = [row[3] for row in rows if row[3] is not None]
    own = starts if rows and len(starts) == len(rows) else None
    space = LatentSpace.of(seeds, [row[2] for row in rows], z_dim, own)
    return [row[0] or 0 for row in rows], space
