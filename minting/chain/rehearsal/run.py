"""A rehearsal from its first block to its verdict."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from minting.chain import contracts, toxic
from minting.chain.client import RpcError
from minting.chain.phases import PhaseKind
from minting.chain.rehearsal import crowd, report, stage, verdict
from minting.chain.rehearsal.crowd import Crowd, Order
from minting.chain.rehearsal.plan import NO_END, Options, Plan, Sale, move
from minting.chain.rehearsal.stage import Say, Sent, Stage
from minting.chain.rehearsal.verdict import Ledger
from minting.provenance.lineage import DropBody, Roots

N_DRAWN = 5
CALL_GAS = 2**24  # the most that a transaction may use (EIP-7825)
PAINTED = "data:application/json;base64,"
# Of what there is, this much more is asked for in the end, so that some come too late.
RUSH = 1.1
# Roots are words to the contract: these cost the same gas as those of real works.
STAND_INS = Roots(b"\1" * 32, b"\2" * 32, b"\3" * 32, b"\4" * 32)


def rehearse(plan: Plan, options: Options, program: Path, say: Say) -> dict[str, Any]:
    """Run the sale on a node of its own; the report, with its violations."""
    keys = {
        role: crowd.signers(role, n, options.seed)
        for role, n in (
            ("lead", 1),
            ("buyer", max(options.n_buyers, *map(len, plan.lists))),
            ("bot", options.n_bots),
        )
    }
    buyers = keys["buyer"][: options.n_buyers]
    with stage.running(program, plan, keys["lead"][0], options, say) as here:
        here.fund([*buyers, *keys["bot"]])
        body = stage.ready(here, plan.body)
        here.step("commit", contracts.commit_drop(body), to=here.address)
        sale = move(plan, [one.address for one in keys["buyer"]], here.now())
        call = contracts.open_sale(plan.number, body, sale.phases, sale.final_by)
        opened = here.step("open the sale", call, to=here.address)
        say(f"on sale: {body.count:,} works in {len(sale.phases)} phases")
        if plan.has_reveal:
            _capture(here, plan, body)
        crowd_ = Crowd(sale, buyers, keys["bot"], Random(options.seed))  # noqa: S311
        rushes = _sell(here, sale, crowd_, body.count)
        sent = [one for rush in rushes for one in rush]
        ledger = read_ledger(here, sent, opened.block_number)
        wrong = verdict.violations(sale, sent, ledger, body.count)
        if not wrong and _finish(here, plan, body, sale, ledger) and plan.placed:
            wrong = _paint(here, ledger)
        return _report(here, plan, options, sale, rushes, ledger) | {"violations": wrong}


def read_ledger(here: Stage, sent: Sequence[Sent], first_block: int) -> Ledger:
    minted, paid_wei = here.bought(first_block)
    wallets = sorted({one.order.signer.address for one in sent})
    return Ledger(
        supply=int(here.ask("totalSupply")),
        balance_wei=here.node.balance_wei(here.address),
        paid_wei=paid_wei,
        minted=minted,
        nonces=dict(zip(wallets, here.node.nonces(wallets), strict=True)),
    )


def _sell(here: Stage, sale: Sale, people: Crowd, count: int) -> list[list[Sent]]:
    """Moment after moment, each leaving something for the next; what was sent in each."""
    rushes: list[list[Sent]] = []
    moments = sale.moments()
    is_doubled = False
    if here.proxy is not None:
        here.proxy.fault = toxic.ANY
    for n, moment in enumerate(moments):
        here.jump(moment)
        is_last = n == len(moments) - 1
        left = _left(here, sale, count)
        wanted = int(left * RUSH) + 1 if is_last else -(-left // (len(moments) - n))
        now = here.now()
        pairs = [] if is_doubled else people.doubles(now)
        is_doubled = is_doubled or bool(pairs)
        sent = here.send_doubles(pairs)
        orders = [*people.rush(now, wanted, is_last=is_last), *people.attack(now)]
        here.say(f"moment {n + 1} of {len(moments)}: {left:,} works left, {len(orders):,} orders")
        sent += here.send(people.interleave(orders))
        if not _left(here, sale, count):
            sent += here.send(people.late(here.now()))
            rushes.append(sent)
            break
        rushes.append(sent)
    return rushes


def _left(here: Stage, sale: Sale, count: int) -> int:
    return count - int(here.ask("lotOf", sale.number)[2])


def _capture(here: Stage, plan: Plan, body: DropBody) -> None:
    """As soon as the block is there; nobody waits for it here."""
    missing = body.reveal_block + 1 - here.node.block_number()
    if missing > 0:
        here.node.call("anvil_mine", hex(missing))
    here.step("capture", contracts.capture(plan.number), to=here.address)


def _finish(here: Stage, plan: Plan, body: DropBody, sale: Sale, ledger: Ledger) -> bool:
    """What the lead does once the sale is over; whether it is."""
    if len(ledger.minted) < body.count and sale.last_end() < NO_END:
        here.jump(sale.last_end())
    is_over = len(ledger.minted) == body.count or sale.last_end() < NO_END
    auctions = [n for n, phase in enumerate(sale.phases) if phase.kind == PhaseKind.AUCTION]
    for number in auctions if is_over else []:
        here.step("settle", contracts.settle(plan.number, number), to=here.address)
    if plan.has_reveal and is_over:
        call = contracts.reveal(plan.number, body, plan.secret)
        here.step("reveal", call, to=here.address)
    if plan.is_living and is_over:
        here.step("seal", contracts.seal(plan.number, STAND_INS), to=here.address)
        first, end = body.first_token_id, body.first_token_id + body.count
        here.step("announce", contracts.announce(first, end - 1), to=here.address)
    if is_over or not plan.has_reveal:
        here.step("withdraw", contracts.withdraw(plan.number), to=here.address)
    return is_over


def _paint(here: Stage, ledger: Ledger) -> list[str]:
    """Whether the contract draws works that were sold, in the gas of a transaction."""
    sample = sorted(ledger.minted)[:: max(1, len(ledger.minted) // N_DRAWN)][:N_DRAWN]
    wrong = []
    for token_id in sample:
        data = "0x" + contracts.call("tokenURI", token_id).hex()
        try:
            raw = here.node.call(
                "eth_call", {"to": here.address, "data": data, "gas": hex(CALL_GAS)}, "latest"
            )
            told = contracts.answer("tokenURI", bytes.fromhex(raw[2:]))
        except RpcError as error:
            told = str(error)
        if not str(told).startswith(PAINTED):
            wrong.append(f"the contract does not draw work {token_id}: {str(told)[:100]}")
    here.say(f"the contract drew {len(sample) - len(wrong)} of {len(sample)} works")
    return wrong


def _report(
    here: Stage,
    plan: Plan,
    options: Options,
    sale: Sale,
    rushes: Sequence[Sequence[Sent]],
    ledger: Ledger,
) -> dict[str, Any]:
    sent = [one for rush in rushes for one in rush]
    tricks: dict[str, Order] = {one.order.trick: one.order for one in sent if one.order.trick}
    return {
        "count": plan.body.count,
        "sold": len(ledger.minted),
        "is_sold_out": len(ledger.minted) == plan.body.count,
        "earned_wei": str(ledger.paid_wei),
        "buyers": options.n_buyers,
        "bots": options.n_bots,
        "orders": len(sent),
        "faults": here.proxy.n_faults if here.proxy else 0,
        "resent": here.n_resent,
        "pace": report.pace(rushes),
        "failures": report.failures(sent),
        "mints": report.mints(sale, sent, options),
        "steps": report.steps(here.gas, options),
        "gas_prices_gwei": list(options.gas_prices_gwei),
        "eth_usd": options.eth_usd,
        "said": _said(plan, sale, ledger, [*tricks]),
    }


def _said(plan: Plan, sale: Sale, ledger: Ledger, tricks: Sequence[str]) -> list[str]:
    """In what the rehearsal was not the sale itself."""
    moments = sale.moments()
    said = [
        "Every phase kept its length and its order; all were moved so that the first began now."
    ]
    if moments and moments[-1] > moments[0]:
        skipped = (moments[-1] - moments[0]) / 3600
        said.append(
            f"Of {skipped:.1f} hours between phases only the moments of buying were played."
        )
    if any(plan.lists):
        sizes = ", ".join(str(len(one)) for one in plan.lists if one)
        said.append(f"Lists of {sizes} wallets were made again of keys of ours, at the same terms.")
    if any(phase.kind == PhaseKind.SIGNED for phase in sale.phases):
        said.append("Phases that sell by signed tickets were left out: their signer is not here.")
    if plan.placed:
        said.append(
            "What the contract draws with was deployed here once more; a chain that has it already "
            "is not paid for it again. Pools that move works were not here."
            if plan.law
            else "What the contract draws with was deployed here once more; a chain that has it "
            "already is not paid for it again."
        )
    if plan.is_living:
        said.append("The seal had stand-ins for its roots; its gas is the same.")
    if len(ledger.minted) < plan.body.count:
        said.append("Not sold out: these buyers wanted, or were allowed, no more.")
        if sale.last_end() >= NO_END:
            said.append("The sale has no end, so what follows it was not played.")
    left_out = [one for one in crowd.TRICKS if one not in tricks]
    if left_out:
        said.append(f"Not tried by bots: {', '.join(left_out)}.")
    return said
