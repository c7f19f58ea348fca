"""Epochs: a snapshot of what the chain cannot know, its root on the chain, and a work's proof.

One epoch at a time: the next one begins once the last is read from the chain.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction

from minting.chain import evolving
from minting.evolution import epochs
from minting.evolution.epochs import Leaf
from minting.evolution.rules import Law
from minting.models import ChainTransaction, Contract, ProvenLevels, Snapshot
from minting.services.chain import load_signer
from minting.services.outbox import intend
from minting.services.painting import law_of, student

Kind = ChainTransaction.Kind
# Proofs that may wait for their block at a time: some 100,000 gas each, a block has 30 million.
MOST_PROOFS = 50


def next_epoch(contract: Contract) -> int:
    """The number that the contract gives to what is published next, as far as it is read."""
    last = contract.epochs.order_by("-number", "-pk").first()
    return 1 if last is None else last.number + 1


@transaction.atomic
def request_epoch(
    *,
    contract: Contract,
    until_block: int,
    evidence: Mapping[str, Any],
    quantities: Mapping[int, Sequence[int]],
) -> Snapshot | None:
    """The epoch that is due, on its way to the chain; None where every level is proven already.

    An epoch that is on its way is given back as it is. ``evidence`` is what the quantities were
    computed from; they are as in ``minting.evolution.epochs.leaves``.
    """
    locked = Contract.objects.select_for_update().get(pk=contract.pk)
    number = next_epoch(locked)
    snapshot = Snapshot.objects.filter(contract=locked, number=number).first()
    if snapshot is None:
        snapshot = _snapshot(locked, number, until_block, evidence, quantities)
    if snapshot is None:
        return None
    call = evolving.publish(_word(snapshot.root), _word(snapshot.snapshot_hash))
    sender = load_signer().address
    intend(kind=Kind.EPOCH, contract=locked, call=call, sender=sender, again=number)
    return snapshot


def _snapshot(
    contract: Contract,
    number: int,
    until_block: int,
    evidence: Mapping[str, Any],
    quantities: Mapping[int, Sequence[int]],
) -> Snapshot | None:
    law = law_of(contract)
    document = {
        "chain_id": contract.chain_id,
        "collection": contract.address,
        "evolution": contract.evolution_address,
        "epoch": number,
        "until_block": until_block,
        "student_sha256": student(contract.collection).sha256,
        "rules": [rule.name for rule in law.proven],
        "works": [[token_id, *map(str, own)] for token_id, own in sorted(quantities.items())],
        **evidence,
    }
    digest = epochs.snapshot_hash(document)
    found = epochs.leaves(law, number, digest, quantities)
    levels = [[leaf.token_id, *leaf.levels] for leaf in found]
    if not _changed(contract, law, levels):
        return None
    return Snapshot.objects.create(
        contract=contract,
        number=number,
        until_block=until_block,
        document=document,
        snapshot_hash="0x" + digest.hex(),
        root="0x" + epochs.root(found).hex(),
        levels=levels,
    )


def _changed(contract: Contract, law: Law, levels: Sequence[Sequence[int]]) -> list[Sequence[int]]:
    """The rows whose levels are not what was proven last."""
    rows = ProvenLevels.objects.filter(token__contract=contract).order_by("epoch", "pk")
    proven = dict(rows.values_list("token__token_id", "levels"))
    nothing = [0] * len(law.proven)
    return [row for row in levels if list(row[1:]) != proven.get(row[0], nothing)]


@transaction.atomic
def request_proofs(*, contract: Contract, most: int = MOST_PROOFS) -> int:
    """Ask for proofs of works that the newest epoch moved, so many at a time; how many are new.

    What is left over is asked for in the next call, what was asked for never again.
    """
    snapshot = newest_snapshot(contract)
    if snapshot is None:
        return 0
    Contract.objects.select_for_update().get(pk=contract.pk)
    sent = ChainTransaction.objects.filter(contract=contract, kind=Kind.PROVE)
    room = most - sent.unsettled().count()
    start = f"{Kind.PROVE}:{contract.pk}:{snapshot.number}:"
    asked = set(sent.filter(key__startswith=start).values_list("key", flat=True))
    changed = [row[0] for row in _changed(contract, law_of(contract), snapshot.levels)]
    due = [token_id for token_id in changed if f"{start}{token_id}" not in asked]
    sender = load_signer().address
    ChainTransaction.objects.bulk_create(
        ChainTransaction(
            key=f"{start}{leaf.token_id}",
            kind=Kind.PROVE,
            contract=contract,
            chain_id=contract.chain_id,
            sender=sender,
            call=evolving.prove(leaf, proof),
        )
        for leaf, proof in _proven(snapshot, due[: max(0, room)])
    )
    return min(len(due), max(0, room))


def newest_snapshot(contract: Contract) -> Snapshot | None:
    """Of the newest epoch on the chain; None if there is none, or it is not ours."""
    last = contract.epochs.order_by("-number", "-pk").first()
    if last is None:
        return None
    return Snapshot.objects.filter(contract=contract, number=last.number, root=last.root).first()


def _proven(snapshot: Snapshot, token_ids: Sequence[int]) -> Iterator[tuple[Leaf, list[bytes]]]:
    if not token_ids:
        return
    found = [
        Leaf(snapshot.number, row[0], _word(snapshot.snapshot_hash), tuple(row[1:]))
        for row in snapshot.levels
    ]
    by_id = {leaf.token_id: leaf for leaf in found}
    proofs = epochs.proofs(found, token_ids)
    yield from ((by_id[i], proof) for i, proof in zip(token_ids, proofs, strict=True))


def _word(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
