"""Checks that need the chain alone: contract, chain of drops, their fates, their lineage."""

from collections.abc import Callable

from minting.provenance import lineage
from minting.provenance.keccak import ZERO
from minting.verification.findings import (
    Finding,
    NotCheckableError,
    Said,
    judge,
    require,
)
from minting.verification.ledger import KINDS, ChainDrop, Ledger
from minting.verification.node import BlockHeader, Node

CHAIN = "chain"
SIGNED_AS = "Morphora"  # whatever a collection is called


def check_contract(node: Node, ledger: Ledger) -> list[Finding]:
    code = judge("contract code", CHAIN, lambda: _code(ledger))
    if node.contract in ledger.foreign:
        return [code]
    return [
        judge("block", CHAIN, lambda: _block(node, ledger)),
        code,
        judge("chain of drops", CHAIN, lambda: _heads(ledger)),
    ]


def check_drop(
    drop: ChainDrop, ledger: Ledger, block: BlockHeader, header: Callable[[int], BlockHeader]
) -> list[Finding]:
    """What the chain alone says about one drop; ``header`` finds a block by its number."""
    subject = f"drop {drop.number}"
    return [
        judge("state on chain", subject, lambda: _fate(drop, ledger)),
        judge("reveal", subject, lambda: _reveal(drop, block, header)),
    ]


def check_tally(drop: ChainDrop) -> list[Finding]:
    """As far as it goes without the votes."""
    return [judge("vote tally", f"drop {drop.number}", lambda: _tally(drop))]


def _block(node: Node, ledger: Ledger) -> Said:
    require(ledger.domain[0] == b"\x0f", "the contract's EIP-712 domain is not that of its code")
    said = ledger.domain[3:7]
    wanted = (ledger.chain_id, node.contract.lower(), ZERO, ())
    require(
        said == wanted and ledger.domain[1] == SIGNED_AS,
        f"the node is on chain {ledger.chain_id}, the contract says {said[0]}",
    )
    told = f"as of block {node.block.number}, 0x{node.block.hash.hex()}, of chain {said[0]}"
    return f"{told}; compare the hash with one from elsewhere", {"block": node.block.number}


def _code(ledger: Ledger) -> Said:
    require(ledger.variant != "", "there is no contract at this address")
    foreign = ", ".join(ledger.foreign)
    require(not foreign, f"not the code that is committed here: {foreign}")
    return f"{ledger.variant} and its libraries, byte for byte what is committed here"


def _heads(ledger: Ledger) -> Said:
    head, next_id = ZERO, 1
    for drop in ledger.drops:
        head = lineage.drop_head(head, drop.body)
        require(head == drop.head, f"the body of drop {drop.number} is not what its head says")
        require(drop.body.first_token_id == next_id, f"ids of drop {drop.number} leave a gap")
        next_id += drop.body.count
    require(head == ledger.head, f"{len(ledger.drops)} drops do not lead to the contract's head")
    if not ledger.drops:
        raise NotCheckableError("no drop was committed yet")
    n_drops = len(ledger.drops)
    return f"{n_drops} committed drops lead to the contract's head", {"drops": n_drops}


def _fate(drop: ChainDrop, ledger: Ledger) -> Said:
    """The contract's own record against the events."""
    if drop.final_by is None:
        raise NotCheckableError("committed; its sale was not opened yet")
    if not drop.phases:
        raise NotCheckableError("passed over: it came too late for its reveal block")
    wanted = (
        drop.reveal_block,
        max(phase.end for phase in drop.phases),
        drop.final_by,
        KINDS.index(drop.kind),
        bool(drop.block_hash),
        bool(drop.secret),
        drop.is_final,
        drop.has_failed,
    )
    require(ledger.fates[drop.number] == wanted, "the contract's record is not what events say")
    require(not drop.has_failed, "it was declared failed: its buyers can have their money back")
    state = "final" if drop.is_final else "not final yet"
    return f"{drop.kind}, {drop.body.count} works at most, {state}"


def _reveal(drop: ChainDrop, block: BlockHeader, header: Callable[[int], BlockHeader]) -> Said:
    """Secret, block and seed fit what was committed; who is late with them is told on."""
    if drop.kind == KINDS[0]:
        return "nothing to reveal: its works were committed"
    if not drop.secret or (drop.kind == KINDS[2] and drop.sealed is None):
        due = drop.final_by or 0
        missing = "its roots are" if drop.secret else "its secret is"
        require(
            not due or block.timestamp <= due,
            f"{missing} withheld: they were due by {due} (seconds since 1970), and anybody may "
            "have the contract declare the drop failed",
        )
        if not drop.secret:
            raise NotCheckableError(f"the secret is not told yet; it is due by {due}")
    require(
        lineage.seed_commit(drop.secret, drop.number) == drop.body.seed_commit,
        "the secret is not the one that was committed to",
    )
    require(
        header(drop.reveal_block).hash == drop.block_hash,
        f"the hash that was kept is not that of block {drop.reveal_block}",
    )
    require(
        lineage.drop_seed(drop.secret, drop.block_hash) == drop.drop_seed,
        "the seed does not follow from secret and block",
    )
    return f"the seed follows from the committed secret and the hash of block {drop.reveal_block}"


def check_descent(drop: ChainDrop, ledger: Ledger) -> Finding:
    """As far as the hashes on chain tell it; see ``folder.check_descent``."""
    return judge("descent of parameters", f"drop {drop.number}", lambda: _descent(drop, ledger))


def _descent(drop: ChainDrop, ledger: Ledger) -> Said:
    earlier = ledger.drops[: drop.number - 1]
    parent, own = drop.body.parent_params_hash, drop.body.params_hash
    for other in earlier:
        if parent == other.body.params_hash:
            return f"its parameters are a step from those of drop {other.number}"
        if own == other.body.params_hash and parent == other.body.parent_params_hash:
            return f"its parameters are those of drop {other.number}"
    if not earlier and parent == ZERO:
        return "the first: its parameters descend from no others"
    raise NotCheckableError(
        "its parameters are no step from an earlier drop's: the drop's CAR has what lies between"
    )


def _tally(drop: ChainDrop) -> Said:
    if drop.body.vote_tally_root == ZERO:
        return "no votes were named"
    raise NotCheckableError("votes led here, and their round's file was not given")
