"""Pickles of networks read as inert records: nothing in the file is ever called.

A pickle is a program that names functions to call. Here every name it may use is on a list, and
what the list gives are builders of our own that check their arguments; any other name ends the
reading. The source code that such files carry along is text like any other.
"""

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor
from torch.storage import TypedStorage

NUMBERS = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}


class RefusedPickleError(Exception):
    """A pickle asks for something that is not on the list, or is damaged; the message says what."""


@dataclass
class Record:
    """An object of a class that was not loaded: the class's name and its attributes."""

    class_name: str
    state: dict[str, Any]


class _Dict(dict[Any, Any]):
    """A dict with attributes, of which only the items count."""

    def __setstate__(self, state: object) -> None:
        raise RefusedPickleError("a dict with a state of its own")


class _Dtype:
    """A numeric dtype by its code."""

    def __init__(self, code: str, *_: object) -> None:
        if code not in NUMBERS:
            raise RefusedPickleError(f"an array of {code!r}, not of numbers")
        self.code, self.order = code, "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("<", ">", "|", "="):
            raise RefusedPickleError(f"byte order {state[1]!r}")
        self.order = state[1]

    @property
    def numpy(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.code)


class _Array:
    """A numeric array, complete once its state has come."""

    value: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, raw = state
        if not isinstance(dtype, _Dtype) or not isinstance(raw, bytes):
            raise RefusedPickleError("an array that is not of numbers")
        flat = np.frombuffer(raw, dtype.numpy)
        self.value = flat.reshape(shape, order="F" if fortran else "C").copy()


class _Ndarray:
    """Names numpy's array type where a pickle asks for it."""


def _array(kind: object, *_: object) -> _Array:
    if kind is not _Ndarray:
        raise RefusedPickleError("an array of a class of its own")
    return _Array()


def _scalar(dtype: object, raw: object) -> float | int | bool:
    if not isinstance(dtype, _Dtype) or not isinstance(raw, bytes):
        raise RefusedPickleError("a scalar that is not a number")
    number: float | int | bool = np.frombuffer(raw, dtype.numpy)[0].item()
    return number


def _storage(raw: bytes) -> TypedStorage:
    found = torch.load(io.BytesIO(raw), weights_only=True, map_location="cpu")
    if not isinstance(found, TypedStorage):
        raise RefusedPickleError("bytes that are not a tensor's storage")
    return found


def _tensor(
    storage: object, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> Tensor:
    """A copy of the part of ``storage`` that size and stride name, within its bounds."""
    if not isinstance(storage, TypedStorage) or len(size) != len(stride):
        raise RefusedPickleError("a tensor without a storage")
    if offset < 0 or min((0, *size)) < 0 or min((0, *stride)) < 0:
        raise RefusedPickleError(f"a tensor at {offset}, of {size}, stride {stride}")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    n_held = storage._size()  # type: ignore[no-untyped-call]
    if 0 not in size and last >= n_held:
        raise RefusedPickleError(f"a tensor of {size} in a storage of {n_held}")
    whole = torch.tensor([], dtype=storage.dtype).set_(storage._untyped_storage)
    return whole.as_strided(size, stride, offset).clone()


def _parameter(tensor: Tensor, *_: object) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise RefusedPickleError("a parameter that is not a tensor")
    return tensor


def _persistent(meta: dict[str, Any]) -> Record:
    """The object of a class that travels as source text: its name and state, the text unread."""
    name, state = meta.get("class_name"), meta.get("state")
    if meta.get("type") != "class" or not isinstance(name, str) or not isinstance(state, dict):
        raise RefusedPickleError("an object without class name and state")
    return Record(name, state)


def _rebuilt(kind: Callable[[], Any], base: object, state: object) -> Any:
    if kind not in (_Dict, OrderedDict) or state:
        raise RefusedPickleError("an object rebuilt from a class that is not a dict")
    return kind()


_ARRAYS = ("numpy.core.multiarray", "numpy._core.multiarray")
ALLOWED: dict[tuple[str, str], Any] = {
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _persistent,
    ("dnnlib.util", "EasyDict"): _Dict,
    ("collections", "OrderedDict"): OrderedDict,
    ("builtins", "dict"): dict,
    ("copyreg", "_reconstructor"): _rebuilt,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch.storage", "_load_from_bytes"): _storage,
    ("numpy", "ndarray"): _Ndarray,
    ("numpy", "dtype"): _Dtype,
    **{(module, "_reconstruct"): _array for module in _ARRAYS},
    **{(module, "scalar"): _scalar for module in _ARRAYS},
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise RefusedPickleError(f"it asks for {module}.{name}") from None

    def persistent_load(self, pid: object) -> NoReturn:
        raise RefusedPickleError("it refers to something outside the file")


def read_pickle(path: Path) -> Any:
    """What a pickle describes, objects as ``Record``, arrays as ``_Array``, tensors as copies.

    Raises
    ------
    RefusedPickleError
        The file names a function that is not on the list, or is not a whole pickle.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file).load()  # every name it can reach is in ALLOWED
    except RefusedPickleError:
        raise
    except Exception as error:  # a hostile file can raise anything from within pickle
        raise RefusedPickleError(f"not a whole pickle: {type(error).__name__}: {error}") from error


def tensors(record: Record, prefix: str = "") -> dict[str, Tensor]:
    """All parameters and buffers of a network by their dotted names."""
    found: dict[str, Tensor] = {}
    for kind in ("_parameters", "_buffers"):
        for name, value in record.state.get(kind, {}).items():
            if isinstance(value, _Array):
                value = torch.from_numpy(value.value)
            if value is None:
                continue
            if not isinstance(value, Tensor):
                raise RefusedPickleError(f"{prefix}{name} is not a tensor")
            found[f"{prefix}{name}"] = value
    for name, child in record.state.get("_modules", {}).items():
        if child is None:
            continue
        if not isinstance(child, Record):
            raise RefusedPickleError(f"{prefix}{name} is not a network")
        found |= tensors(child, f"{prefix}{name}.")
    return found
