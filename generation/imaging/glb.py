"""Binary glTF 2.0 (ISO/IEC 12113:2022): a file of one model, with the picture in it.

Equal arguments give equal bytes.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What the specification calls them: sections 3.6.2, 3.7.2.1, 3.8.4 and 4.4.
MAGIC, VERSION, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
USHORT, UINT, FLOAT = 5123, 5125, 5126
VERTICES, INDICES = 34962, 34963
NEAREST, CLAMP_TO_EDGE = 9728, 33071
UNLIT = "KHR_materials_unlit"
# 65535 would restart a primitive: section 3.7.2.1.
MOST_SHORT_VERTICES = 65535


@dataclass(frozen=True)
class Mesh:
    """Triangles of one material.

    ``positions`` are [N, 3] float32, x to the right, y up, z to the viewer. ``coordinates`` are
    [N, 2] float64 places in the picture from its top left corner (0, 0) to (1, 1), or None for
    one colour. ``triangles`` are [M, 3] int, counter-clockwise as seen from outside.
    """

    positions: NDArray[np.float32]
    coordinates: NDArray[np.float64] | None
    triangles: NDArray[np.int64]


@dataclass(frozen=True)
class Material:
    """What a mesh looks like: the picture if ``colour`` is None, else linear RGB from 0 to 1."""

    is_lit: bool
    colour: tuple[float, float, float] | None = None
    has_inside: bool = False  # shown where one looks behind the surface


class _Buffer:
    """The bytes behind the accessors, each view at a multiple of four (section 3.6.2.4)."""

    def __init__(self) -> None:
        self.raw = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, raw: bytes, **about: int) -> int:
        self.views.append({"buffer": 0, "byteOffset": len(self.raw), "byteLength": len(raw)})
        self.views[-1] |= about
        self.raw += raw + bytes(-len(raw) % 4)
        return len(self.views) - 1

    def accessor(self, values: NDArray[Any], target: int, **about: Any) -> int:
        width = 1 if values.ndim == 1 else values.shape[1]
        view = self.view(values.tobytes(), target=target)
        kind = {1: "SCALAR", 2: "VEC2", 3: "VEC3"}[width]
        self.accessors.append({"bufferView": view, "count": len(values), "type": kind, **about})
        return len(self.accessors) - 1


def model(
    *,
    name: str,
    png: bytes,
    parts: Sequence[tuple[Mesh, Material]],
    scale: float,
    extras: Mapping[str, Any],
) -> bytes:
    """A GLB file of meshes with one picture, whose pixels stay squares at any distance.

    Parameters
    ----------
    parts
        each mesh with its material.
    scale
        metres of one unit of the positions.
    extras
        what else the file says of itself, as JSON.
    """
    buffer = _Buffer()
    primitives = [_primitive(buffer, mesh, place) for place, (mesh, _) in enumerate(parts)]
    picture = buffer.view(png)
    materials = [_material(material) for _, material in parts]
    document = {
        "asset": {"version": "2.0", "generator": "Morphora", "extras": dict(extras)},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": name, "mesh": 0, "scale": [scale] * 3}],
        "meshes": [{"primitives": primitives}],
        "materials": materials,
        "textures": [{"sampler": 0, "source": 0}],
        "samplers": [
            {
                "magFilter": NEAREST,
                "minFilter": NEAREST,
                "wrapS": CLAMP_TO_EDGE,
                "wrapT": CLAMP_TO_EDGE,
            }
        ],
        "images": [{"bufferView": picture, "mimeType": "image/png"}],
        "buffers": [{"byteLength": len(buffer.raw)}],
        "bufferViews": buffer.views,
        "accessors": buffer.accessors,
    }
    if any("extensions" in material for material in materials):
        document["extensionsUsed"] = [UNLIT]
    return pack(document, bytes(buffer.raw))


def pack(document: Mapping[str, Any], raw: bytes) -> bytes:
    """A header of 12 bytes and two chunks (section 4.4); ``raw`` is a multiple of 4 bytes long."""
    assert len(raw) % 4 == 0
    text = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), JSON_CHUNK) + text
    chunks += struct.pack("<II", len(raw), BINARY_CHUNK) + raw
    return struct.pack("<III", MAGIC, VERSION, 12 + len(chunks)) + chunks


def _primitive(buffer: _Buffer, mesh: Mesh, material: int) -> dict[str, Any]:
    """Positions as floats, coordinates in 65535ths, indices as short as they can be."""
    places = np.ascontiguousarray(mesh.positions, dtype="<f4")
    low, high = places.min(0).tolist(), places.max(0).tolist()
    attributes = {
        "POSITION": buffer.accessor(places, VERTICES, componentType=FLOAT, min=low, max=high)
    }
    if mesh.coordinates is not None:
        assert 0 <= mesh.coordinates.min() <= mesh.coordinates.max() <= 1
        steps = np.rint(mesh.coordinates * 65535).astype("<u2")
        attributes["TEXCOORD_0"] = buffer.accessor(
            steps, VERTICES, componentType=USHORT, normalized=True
        )
    is_short = len(places) <= MOST_SHORT_VERTICES
    indices = mesh.triangles.reshape(-1).astype("<u2" if is_short else "<u4")
    kind = USHORT if is_short else UINT
    return {
        "attributes": attributes,
        "indices": buffer.accessor(indices, INDICES, componentType=kind),
        "material": material,
    }


def _material(material: Material) -> dict[str, Any]:
    """Neither metal nor gloss; without normals a viewer shades each face flat (section 3.7.2.1)."""
    surface: dict[str, Any] = {"metallicFactor": 0, "roughnessFactor": 1}
    if material.colour is None:
        surface["baseColorTexture"] = {"index": 0}
    else:
        surface["baseColorFactor"] = [*material.colour, 1]
    told: dict[str, Any] = {"pbrMetallicRoughness": surface}
    if material.has_inside:
        told["doubleSided"] = True
    return told if material.is_lit else told | {"extensions": {UNLIT: {}}}
