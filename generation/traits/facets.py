"""Which works show which traits, as bitmaps: filters and counts without the database.

A committed drop never changes, so its works are written down once (``DropFacets``); the drops of a
collection together are a ``Catalogue``. Places are the works in the order of their token ids, and
bit ``i`` of a bitmap speaks of place ``i``.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
ABSENT = "none"
MAGIC = b"facets1\0"
# Names of a catalogue's groups: which drop a work is of, and its attributes behind a prefix, so
# that an attribute may have any name.
DROP = "drop"
TRAIT = "trait."


class UnknownFacetError(KeyError):
    """A filter names an attribute or a value that no work has."""

    def __init__(self, group: str, value: str) -> None:
        super().__init__(f"{group}={value}")
        self.group = group
        self.value = value


class FacetsFormatError(ValueError):
    """Bytes are not facets of a drop."""


@dataclass(frozen=True)
class Work:
    """What of one committed work is filtered, counted and ordered."""

    token_id: int
    artwork_id: int
    score: float
    traits: Mapping[str, str]


@dataclass(frozen=True)
class DropFacets:
    """The works of one committed drop, ascending by token id.

    Parameters
    ----------
    token_ids, artwork_ids
        [N] int64.
    scores
        rarity scores [N] float64.
    values
        attribute -> its values in this drop; an attribute that a work has not is the value none.
    codes
        [number of attributes, N] uint16: the place in ``values`` of what each work shows.
    """

    token_ids: NDArray[np.int64]
    artwork_ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    values: dict[str, list[str]]
    codes: NDArray[np.uint16]

    @classmethod
    def of(cls, works: Iterable[Work]) -> Self:
        rows = sorted(works, key=lambda work: work.token_id)
        names = list(dict.fromkeys(name for row in rows for name in row.traits))
        values, codes = {}, np.zeros((len(names), len(rows)), np.uint16)
        for at, name in enumerate(names):
            shown = [row.traits.get(name, ABSENT) for row in rows]
            values[name] = sorted(set(shown))
            places = {value: place for place, value in enumerate(values[name])}
            codes[at] = [places[value] for value in shown]
        return cls(
            token_ids=np.array([row.token_id for row in rows], np.int64),
            artwork_ids=np.array([row.artwork_id for row in rows], np.int64),
            scores=np.array([row.score for row in rows], np.float64),
            values=values,
            codes=codes,
        )

    def to_bytes(self) -> bytes:
        """The same bytes for the same works, little-endian, compressed."""
        header = json.dumps({"n": len(self.token_ids), "values": self.values}).encode()
        arrays = (
            self.token_ids.astype("<i8"),
            self.artwork_ids.astype("<i8"),
            self.scores.astype("<f8"),
            self.codes.astype("<u2"),
        )
        body = b"".join(array.tobytes() for array in arrays)
        return MAGIC + zlib.compress(struct.pack("<I", len(header)) + header + body)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        if not raw.startswith(MAGIC):
            raise FacetsFormatError("no facets of a drop")
        try:
            body = zlib.decompress(raw[len(MAGIC) :])
            (length,) = struct.unpack_from("<I", body)
            header = json.loads(body[4 : 4 + length])
            n, values = header["n"], header["values"]
            at = 4 + length
            words = [np.frombuffer(body, kind, n, at + 8 * n * i) for i, kind in enumerate(WORDS)]
            codes = np.frombuffer(body, "<u2", n * len(values), at + 24 * n)
        except (zlib.error, struct.error, ValueError, KeyError, TypeError) as error:
            raise FacetsFormatError(f"no facets of a drop: {error}") from error
        token_ids, artwork_ids, scores = words
        return cls(
            token_ids.astype(np.int64),
            artwork_ids.astype(np.int64),
            scores.astype(np.float64),
            values,
            codes.astype(np.uint16).reshape(len(values), n),
        )

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_bytes()).hexdigest()


WORDS = ("<i8", "<i8", "<f8")


@dataclass(frozen=True)
class Group:
    """Values of which a work may have any: one attribute, the drops, or what is on sale.

    ``bits`` is [number of values, words] uint64.
    """

    values: tuple[str, ...]
    bits: Bits

    @classmethod
    def of(cls, masks: Mapping[str, NDArray[np.bool_]]) -> Self:
        """From a mask [N] for each value."""
        return cls(tuple(masks), np.stack([pack(mask) for mask in masks.values()]))

    def any_of(self, name: str, chosen: Collection[str]) -> Bits:
        """Works that have one of the values; UnknownFacetError for a value that is none."""
        for value in chosen:
            if value not in self.values:
                raise UnknownFacetError(name, value)
        rows = [self.values.index(value) for value in chosen]
        either: Bits = np.bitwise_or.reduce(self.bits[rows], axis=0)
        return either


@dataclass(frozen=True)
class Found:
    """Works that pass all filters, and for each group how many works each of its values has.

    The counts of a group follow the other groups' filters, not its own: what would be there if
    that value were chosen.
    """

    bits: Bits
    total: int
    counts: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Share:
    """One trait of a work within its drop; ``bits`` is its information, -log2 of its share."""

    attribute: str
    value: str
    count: int
    share: float
    bits: float


@dataclass(frozen=True)
class Breakdown:
    """How a rarity score comes about: the sum of the bits over the drop's entropy."""

    shares: list[Share]
    n_traits: Share
    entropy: float
    n_works: int

    @property
    def bits(self) -> float:
        return sum(share.bits for share in self.shares) + self.n_traits.bits

    @property
    def score(self) -> float:
        return self.bits / self.entropy if self.entropy > 0 else 0.0


@dataclass(frozen=True)
class Slice:
    """The next places of an order that pass a mask; ``start`` counts the passing ones before."""

    places: NDArray[np.int64]
    start: int
    has_next: bool

    @property
    def has_previous(self) -> bool:
        return self.start > 0


class Catalogue:
    """The committed works of a collection: bitmaps, orders, and where each drop lies."""

    def __init__(self, drops: Mapping[int, DropFacets]) -> None:
        """``drops`` by their numbers; token ids are unique among them."""
        self.drops = dict(sorted(drops.items(), key=lambda item: _first(item[1])))
        parts = list(self.drops.values())
        self.token_ids = _joined([part.token_ids for part in parts], np.int64)
        self.artwork_ids = _joined([part.artwork_ids for part in parts], np.int64)
        self.scores = _joined([part.scores for part in parts], np.float64)
        assert (np.diff(self.token_ids) > 0).all(), "drops overlap"
        self.groups = self._groups()
        self.by_rarity = np.lexsort((self.token_ids, -self.scores)).astype(np.int64)
        self.newest = np.arange(len(self), dtype=np.int64)[::-1]

    def __len__(self) -> int:
        return len(self.token_ids)

    def _groups(self) -> dict[str, Group]:
        """A group for each attribute and for the drops; values that no work has are not there."""
        if not self.drops:
            return {}
        starts = np.cumsum([0] + [len(part.token_ids) for part in self.drops.values()])
        names = dict.fromkeys(name for part in self.drops.values() for name in part.values)
        groups = {f"{TRAIT}{name}": self._trait_group(name, starts) for name in names}
        drop_masks = {}
        for number, start, stop in zip(self.drops, starts, starts[1:], strict=False):
            drop_masks[str(number)] = np.zeros(len(self), np.bool_)
            drop_masks[str(number)][start:stop] = True
        return groups | {DROP: Group.of(drop_masks)}

    def _trait_group(self, name: str, starts: NDArray[np.int64]) -> Group:
        found: set[str] = set()
        for part in self.drops.values():
            found.update(part.values.get(name, [ABSENT]))
        values = sorted(found, key=lambda value: (value == ABSENT, value))
        codes = np.zeros(len(self), np.uint16)
        for part, start, stop in zip(self.drops.values(), starts, starts[1:], strict=False):
            if name not in part.values:
                codes[start:stop] = values.index(ABSENT)
                continue
            places = np.array([values.index(value) for value in part.values[name]], np.uint16)
            codes[start:stop] = places[part.codes[list(part.values).index(name)]]
        return Group.of({value: codes == place for place, value in enumerate(values)})

    def place_of(self, token_id: int) -> int | None:
        """Where a token stands, or None."""
        if not 0 <= token_id < 2**63:
            return None
        place = int(np.searchsorted(self.token_ids, token_id))
        is_there = place < len(self) and int(self.token_ids[place]) == token_id
        return place if is_there else None

    def mask_of(self, token_ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
        """[N]: whether each place is one of the tokens; unknown tokens are passed over."""
        mask = np.zeros(len(self), np.bool_)
        wanted = np.asarray(token_ids, np.int64)
        mask[np.searchsorted(self.token_ids, wanted[self.has(wanted)])] = True
        return mask

    def has(self, token_ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each token is there, in the order given."""
        wanted = np.asarray(token_ids, np.int64)
        if not len(self):
            return np.zeros(len(wanted), np.bool_)
        places = np.minimum(np.searchsorted(self.token_ids, wanted), len(self) - 1)
        found: NDArray[np.bool_] = self.token_ids[places] == wanted
        return found

    def search(
        self, chosen: Mapping[str, Collection[str]], more: Mapping[str, Group] | None = None
    ) -> Found:
        """Works with any of the chosen values in every group that has some chosen.

        ``more`` are groups that change with time, such as what is minted. UnknownFacetError for a
        group or value that is not there.
        """
        groups = self.groups | dict(more or {})
        picked = {}
        for name, values in chosen.items():
            if not values:
                continue
            if name not in groups:
                raise UnknownFacetError(name, next(iter(values)))
            picked[name] = groups[name].any_of(name, values)
        passing = self._all_of(picked.values())
        counts = {}
        for name, group in groups.items():
            others = passing
            if name in picked:
                others = self._all_of(bits for other, bits in picked.items() if other != name)
            n = np.bitwise_count(group.bits & others).sum(axis=1, dtype=np.int64)
            counts[name] = dict(zip(group.values, n.tolist(), strict=True))
        return Found(passing, int(np.bitwise_count(passing).sum(dtype=np.int64)), counts)

    def _all_of(self, bits: Iterable[Bits]) -> Bits:
        every = pack(np.ones(len(self), np.bool_))
        for one in bits:
            every &= one
        return every

    def slice_after(
        self, bits: Bits, order: NDArray[np.int64], at: int, size: int, *, backwards: bool = False
    ) -> Slice:
        """``size`` passing places of ``order`` from index ``at`` on, or those just before it."""
        passing = np.flatnonzero(unpack(bits, len(self))[order])
        start = int(np.searchsorted(passing, at))
        if backwards:
            start = max(0, start - size)
        chosen = passing[start : start + size]
        return Slice(order[chosen], start, start + size < len(passing))

    def breakdown(self, number: int, token_id: int) -> Breakdown:
        """The information of each trait of a work in its drop, by OpenRarity's rule.

        The same sum as ``rarity.score``, taken apart: an absent trait is a value with its own
        share, and the number of traits is one more.
        """
        part = self.drops[number]
        place = int(np.searchsorted(part.token_ids, token_id))
        n = len(part.token_ids)
        n_traits = np.zeros(n, np.int64)
        shares, entropy = [], 0.0
        for (attribute, values), codes in zip(part.values.items(), part.codes, strict=True):
            empty = np.array([value.lower().strip() in (ABSENT, "") for value in values])
            n_traits += ~empty[codes]
            share, part_entropy = _share(attribute, values, codes, place)
            shares.append(share)
            entropy += part_entropy
        counts, codes = np.unique(n_traits, return_inverse=True)
        total, part_entropy = _share("traits", [str(k) for k in counts.tolist()], codes, place)
        return Breakdown(shares, total, entropy + part_entropy, n)


def _share(
    attribute: str, values: Sequence[str], codes: NDArray[Any], place: int
) -> tuple[Share, float]:
    """What one work's value in an attribute says, and the attribute's entropy in bits."""
    counts = np.bincount(codes, minlength=len(values))
    shares = counts[counts > 0] / len(codes)
    code = int(codes[place])
    share = float(counts[code] / len(codes))
    # + 0.0 turns the -0.0 of a certain value into 0.
    bits = float(-np.log2(share)) + 0.0
    return Share(attribute, values[code], int(counts[code]), share, bits), float(
        -(shares @ np.log2(shares))
    )


def pack(mask: NDArray[np.bool_]) -> Bits:
    """A mask [N] as words; bit i of word w is place 64 w + i."""
    n_words = -(-len(mask) // 64)
    raw = np.zeros(8 * n_words, np.uint8)
    packed = np.packbits(mask, bitorder="little")
    raw[: len(packed)] = packed
    return raw.view("<u8").astype(np.uint64, copy=False)


def unpack(bits: Bits, n: int) -> NDArray[np.bool_]:
    """The mask [n] that ``pack`` packed."""
    raw = bits.astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(raw, count=n, bitorder="little").view(np.bool_)


def _first(part: DropFacets) -> int:
    return int(part.token_ids[0]) if len(part.token_ids) else 0


def _joined(parts: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)
