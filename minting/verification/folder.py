"""A drop's folder out of its CAR file, and whether it is the one that the chain names."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minting.provenance import cid, lineage, merkle, metadata
from minting.provenance.canonical import canonicalize
from minting.provenance.car import Car
from minting.provenance.keccak import keccak256
from minting.provenance.lineage import Roots
from minting.provenance.merkle import Leaf
from minting.verification.findings import (
    FailedError,
    Finding,
    NotCheckableError,
    Said,
    judge,
    named,
    require,
)
from minting.verification.ledger import KINDS, ChainDrop

PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class Folder:
    """A drop's files as its CAR has them; ``told`` is what it says of how they came about."""

    car: Car
    images: dict[int, bytes]  # number of a work -> CID
    texts: dict[int, bytes]
    nodes: dict[str, cid.Node]  # what packing the files again gives, by name
    about: dict[int, Any]  # metadata, read
    image_hashes: dict[int, bytes]
    text_hashes: dict[int, bytes]
    told: dict[str, Any]
    told_raw: bytes

    @property
    def numbers(self) -> list[int]:
        return sorted(self.images)

    def image(self, number: int) -> bytes:
        return self.car.read(self.images[number])

    @property
    def rows(self) -> dict[int, dict[str, Any]]:
        """What is told of each work."""
        return {row["token_id"]: row for row in self.told["works"]}


def load(path: Path) -> Folder:
    """Read a CAR file; CarError or another ValueError if it is no drop's."""
    car = Car(path)
    top = car.folder(car.root)
    images, texts = _numbered(car, top["images"], ".png"), _numbered(car, top["metadata"], ".json")
    if set(images) != set(texts) or not images:
        raise ValueError("not every work has a picture and metadata")
    nodes: dict[str, cid.Node] = {}
    image_hashes, about, text_hashes = {}, {}, {}
    pictures, descriptions = {}, {}
    for number in sorted(images):
        raw, text = car.read(images[number]), car.read(texts[number])
        pictures[f"{number}.png"], descriptions[f"{number}.json"] = map(cid.file_node, (raw, text))
        image_hashes[number] = hashlib.sha256(raw).digest()
        text_hashes[number] = keccak256(text)
        about[number] = _canonical(text, f"metadata of {number}")
    nodes["images"], nodes["metadata"] = cid.directory(pictures), cid.directory(descriptions)
    told_raw = car.read(top[PROVENANCE]) if PROVENANCE in top else b""
    if told_raw:
        nodes[PROVENANCE] = cid.file_node(told_raw)
    return Folder(
        car=car,
        images=images,
        texts=texts,
        nodes=nodes,
        about=about,
        image_hashes=image_hashes,
        text_hashes=text_hashes,
        told=_canonical(told_raw, PROVENANCE) if told_raw else {},
        told_raw=told_raw,
    )


def check(folder: Folder, drop: ChainDrop) -> list[Finding]:
    """The folder against the chain: every byte of it follows from the root."""
    subject, roots = f"drop {drop.number}", drop.roots
    if roots is None:
        why = "its works are not sealed: the chain has no root to compare with"
        return [judge("folder", subject, lambda: _refuse(why))]
    return [
        judge("CAR", subject, lambda: _packed(folder)),
        judge("folder", subject, lambda: _address(folder, roots)),
        judge("ids", subject, lambda: _ids(folder, drop)),
        judge("pictures and metadata", subject, lambda: _root(folder, roots)),
        judge("picture's address", subject, lambda: _addresses(folder, drop)),
        judge("what is told of works", subject, lambda: _rows(folder)),
        judge("parameters", subject, lambda: _parameters(folder, drop)),
        judge("code", subject, lambda: _code(folder, drop)),
        judge("curation log", subject, lambda: _curation(folder, drop)),
    ]


def check_here(folder: Folder, code: Mapping[str, str], subject: str) -> Finding:
    """Whether the code that runs here is the one that drew the drop."""
    return judge("code that runs here", subject, lambda: _here(folder, code))


def check_file(name: str, path: Path, wanted: str, subject: str) -> Finding:
    """A file that was given, against its sha256."""

    def ask() -> Said:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        require(found == wanted, f"sha256 of {path.name} is {found}, the drop's has {wanted}")
        return f"{path.name} is the one that was committed to, sha256 {found}"

    return judge(name, subject, ask)


def told(folder: Folder, name: str) -> Any:
    """A part of what is told; NotCheckableError in folders that tell nothing."""
    if not folder.told:
        raise NotCheckableError(f"the folder has no {PROVENANCE}")
    if name not in folder.told:
        raise FailedError(f"{PROVENANCE} has no {name}")
    return folder.told[name]


def _refuse(why: str) -> Said:
    raise NotCheckableError(why)


def _numbered(car: Car, name: bytes, suffix: str) -> dict[int, bytes]:
    found = {}
    for text, entry in car.folder(name).items():
        number = int(text.removesuffix(suffix))
        if text != f"{number}{suffix}":
            raise ValueError(f"{text[:60]!r} is no name of a work's file")
        found[number] = entry
    return found


def _canonical(raw: bytes, name: str) -> dict[str, Any]:
    value = json.loads(raw)
    if not isinstance(value, dict) or canonicalize(value) != raw:
        raise ValueError(f"{name} is not in its canonical form")
    return value


def _packed(folder: Folder) -> Said:
    root = cid.directory(folder.nodes)
    require(
        root.cid == folder.car.root,
        f"its files pack to {root.text} under {cid.PROFILE}, the CAR says {folder.car.node.text}",
    )
    n_works = len(folder.images)
    said = f"{n_works} works, every block checked; the files pack to {root.text}"
    return said, {"works": n_works}


def _address(folder: Folder, roots: Roots) -> Said:
    require(folder.car.node.digest == roots.folder, "the chain names another folder")
    require(folder.nodes["images"].digest == roots.image_root, "the chain names other pictures")
    return "the one that the chain names, and so is its folder of pictures"


def _ids(folder: Folder, drop: ChainDrop) -> Said:
    first, count = drop.body.first_token_id, drop.body.count
    numbers = folder.numbers
    require(
        numbers == list(range(first, first + len(numbers))) and len(numbers) <= count,
        f"works {numbers[0]} to {numbers[-1]}, the chain has {count} from {first} on",
    )
    require(len(numbers) == count or drop.kind == KINDS[2], f"{len(numbers)} of {count} works")
    return f"{numbers[0]} to {numbers[-1]}"


def _root(folder: Folder, roots: Roots) -> Said:
    leaves = [Leaf(n, folder.text_hashes[n], folder.image_hashes[n]) for n in folder.numbers]
    require(
        merkle.root(leaves) == roots.metadata_root,
        "pictures and metadata do not lead to the root on chain",
    )
    provenance = lineage.image_provenance([leaf.image_hash for leaf in leaves])
    require(provenance == roots.provenance, "the provenance hash is another one")
    return "lead to the root on chain, and the pictures in order to the provenance hash"


def _addresses(folder: Folder, drop: ChainDrop) -> Said:
    """Metadata name their own picture: in the folder, or by its own CID if drawn after the mint."""
    inside = f"ipfs://{folder.nodes['images'].text}"
    wrong = []
    for number in folder.numbers:
        own = f"ipfs://{cid.Node(folder.images[number], 0).text}"
        wanted = own if drop.kind == KINDS[2] else f"{inside}/{number}.png"
        if folder.about[number]["image"] != wanted:
            wrong.append(number)
    require(not wrong, f"metadata name another picture: {named(wrong)}")
    return "every work's metadata name its own picture"


def _rows(folder: Folder) -> Said:
    """What is told of works is about these works."""
    rows = {row["token_id"]: row for row in told(folder, "works")}
    require(
        sorted(rows) == folder.numbers and len(folder.told["works"]) == len(rows),
        "not the works that the folder has",
    )
    wrong = [
        number
        for number, row in rows.items()
        if row["image_sha256"] != folder.image_hashes[number].hex()
        or row["metadata_keccak256"] != folder.text_hashes[number].hex()
        or row["leaf"] != merkle.leaf_hash(_leaf(folder, number)).hex()
    ]
    require(not wrong, f"hashes of other works: {named(wrong)}")
    return "has the hashes of each"


def _leaf(folder: Folder, number: int) -> Leaf:
    return Leaf(number, folder.text_hashes[number], folder.image_hashes[number])


def _parameters(folder: Folder, drop: ChainDrop) -> Said:
    own, parent = told(folder, "parameters"), told(folder, "parent_parameters")
    require(
        lineage.params_hash(own) == drop.body.params_hash, "parameters are not the committed ones"
    )
    wanted = lineage.params_hash(parent) if parent else bytes(32)
    require(wanted == drop.body.parent_params_hash, "they descend from others than committed")
    return "hash to what was committed, and so do those they were derived from"


def _code(folder: Folder, drop: ChainDrop) -> Said:
    files = told(folder, "code")
    require(lineage.code_hash(files) == drop.body.code_hash, "not the code that was committed to")
    return f"{len(files)} source files hash to what was committed"


def _here(folder: Folder, code: Mapping[str, str]) -> Said:
    files = told(folder, "code")
    if files != code:
        n_other = sum(files.get(name) != code.get(name) for name in {*files, *code})
        raise NotCheckableError(
            f"{n_other} source files differ from those that drew this drop: what is drawn or read "
            "again here need not come out the same"
        )
    return "is the code that was committed to"


def _curation(folder: Folder, drop: ChainDrop) -> Said:
    if drop.kind == KINDS[2]:
        require(drop.body.curation_log_root == bytes(32), "a log of works that did not exist")
        return "none: works that are drawn on the fly are not chosen"
    entries, signed = told(folder, "curation"), told(folder, "curation_signature")
    root = lineage.curation_root(entries)
    require(root == drop.body.curation_log_root, "the log is not the one that was committed to")
    slug, number = folder.told["collection"]["slug"], folder.told["drop"]["number"]
    text = lineage.curation_text(slug, number, len(entries), root)
    require(signed["text"] == text, "another text was signed")
    signer = _signer(text, signed["signature"])
    require(signer == signed["signer"], f"signed by {signer}, not by {signed['signer']}")
    return f"{len(entries)} entries lead to the committed root, signed by {signer}"


def _signer(text: str, signature: str) -> str:
    from eth_account import Account
    from eth_account.messages import encode_defunct
    from eth_keys.exceptions import BadSignature

    try:
        found = Account.recover_message(encode_defunct(text=text), signature=signature)
    except BadSignature as error:
        raise FailedError("the signature is none") from error
    return str(found)


def check_descent(folder: Folder, drop: ChainDrop, earlier: list[ChainDrop]) -> Finding:
    """From a drop's parameters back to an earlier drop's, over sets that had no drop."""

    def ask() -> Said:
        bodies = told(folder, "ancestors")
        hashes = [lineage.params_hash(body) for body in bodies]
        parent = drop.body.parent_params_hash
        require((hashes[0] if hashes else bytes(32)) == parent, "the ancestry begins with others")
        known = {hashed for other in earlier for hashed in _hashes(other)} - {bytes(32)}
        reached = {drop.body.params_hash, *hashes} & known
        require(bool(reached) or not earlier, "its parameters descend from no earlier drop's")
        steps = len(hashes)
        return f"{steps} earlier sets of parameters, back to " + (
            "those of an earlier drop" if earlier else "the first of all"
        )

    return judge("descent of parameters", f"drop {drop.number}", ask)


def _hashes(drop: ChainDrop) -> tuple[bytes, bytes]:
    return drop.body.params_hash, drop.body.parent_params_hash


def rarity_rows(folder: Folder) -> list[metadata.Row]:
    """Traits of each work, in order."""
    return [metadata.traits(folder.about[number]) for number in folder.numbers]
