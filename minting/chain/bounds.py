"""What the holders' bounds are called on chain, and what they mean.

A name is ASCII in 32 bytes; one that is longer than 31, or not ASCII, stands there as its
keccak256. Values are millionths, both ends included.

- ``entropy``: the least normalised entropy of an attribute's shares; the low end counts.
- ``step``: the largest total variation between the shares of two drops; the high end counts.
- ``share.ATTRIBUTE.VALUE``: between which shares an option may lie; 0 to 0 forbids it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from minting.chain.abi import compiled
from minting.provenance.keccak import keccak256

ENTROPY, STEP = "entropy", "step"
MILLION = 1_000_000
LONGEST = 31

Option = tuple[str, str]
Range = tuple[float, float]


def share_name(attribute: str, value: str) -> str:
    """The name of an option's range. Nothing escapes dots: two options may share a name."""
    return f"share.{attribute}.{value}"


def pack(name: str) -> bytes:
    """A name as 32 bytes."""
    if name.isascii() and len(name) <= LONGEST:
        return name.encode().ljust(32, b"\0")
    return keccak256(name.encode())


def unpack(word: bytes, options: Iterable[Option]) -> str:
    """The name of 32 bytes, that of an option where it is one's hash; otherwise hexadecimal."""
    known = {pack(name): name for name in (share_name(*option) for option in options)}
    if word in known:
        return known[word]
    text = word.rstrip(b"\0")
    is_name = len(text) <= LONGEST and text.isascii() and text.decode("ascii").isprintable()
    return text.decode("ascii") if text and is_name else "0x" + word.hex()


def as_range(low: int, high: int) -> Range:
    """Of millionths."""
    return low / MILLION, high / MILLION


def ranges(found: Mapping[str, Range], options: Iterable[Option]) -> dict[Option, Range]:
    """The bounds of shares among bounds by name, by attribute and value."""
    named = {option: share_name(*option) for option in options}
    return {option: found[name] for option, name in named.items() if name in found}


def set_bounds(name: str, low: int, high: int) -> bytes:
    """The call that holders vote on."""
    return compiled("ParameterBounds").call("setBounds", pack(name), low, high)


def read_set_bounds(call: bytes) -> tuple[bytes, int, int] | None:
    """Name, low and high of such a call; None if it is another one."""
    example = set_bounds(STEP, 0, 0)
    if len(call) != len(example) or call[:4] != example[:4]:
        return None
    name, *ends = (call[at : at + 32] for at in (4, 36, 68))
    low, high = (int.from_bytes(end, signed=True) for end in ends)
    return (name, low, high) if all(abs(end) < 2**127 for end in (low, high)) else None


def words(name: str, low: float, high: float, option: Option | None = None) -> str:
    """What a bound says, such as "red hat: at most 10 %"."""
    if name == ENTROPY:
        return f"evenness of shares: at least {_percent(low)} %"
    if name == STEP:
        return f"change of shares per drop: at most {_percent(high)} %"
    said = " ".join(reversed(option)).replace("_", " ") if option else name
    return f"{said}: {_limits(low, high)}"


def _limits(low: float, high: float) -> str:
    if high <= 0:
        return "no works"
    if low <= 0:
        return "no limit" if high >= 1 else f"at most {_percent(high)} % of works"
    if high >= 1:
        return f"at least {_percent(low)} % of works"
    if low == high:
        return f"exactly {_percent(low)} % of works"
    return f"{_percent(low)} to {_percent(high)} % of works"


def _percent(share: float) -> str:
    return f"{100 * share:.4f}".rstrip("0").rstrip(".")


def table(options: Iterable[Option]) -> dict[str, Any]:
    """Name -> what is sent for it, of everything that can be bounded."""
    names = [ENTROPY, STEP, *(share_name(*option) for option in options)]
    return {name: "0x" + pack(name).hex() for name in names}
