"""Who comes to the sale: buyers, who keep to its terms, and bots, who do not."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from minting.chain import contracts
from minting.chain.node import LOCAL_CHAIN_ID
from minting.chain.phases import PhaseKind
from minting.chain.rehearsal.plan import Sale
from minting.chain.signer import Signer
from minting.provenance import allowlist
from minting.provenance.keccak import keccak256

OVER_CAP = "over the cap"
WRONG_PRICE = "wrong price"
NOT_LISTED = "not on the list"
SAME_NONCE = "same nonce twice"
SOLD_OUT = "after the last work"
TRICKS = (OVER_CAP, WRONG_PRICE, NOT_LISTED, SAME_NONCE, SOLD_OUT)
N_RETRIES = 3
# One work costs 60,000 to 120,000 gas, each further one 25,000.
BASE_GAS, WORK_GAS = 160_000, 40_000
# A wallet whose cap is filled by more transactions than this is not filled by a bot.
MAX_FILLING = 5


@dataclass(frozen=True)
class Order:
    """What a wallet sends; ``trick`` is why the contract has to refuse it, empty if it need not."""

    signer: Signer
    phase: int
    quantity: int
    value_wei: int
    call: bytes
    trick: str = ""

    @property
    def gas(self) -> int:
        return BASE_GAS + WORK_GAS * self.quantity


def signers(role: str, n: int, seed: int) -> list[Signer]:
    """Keys that follow from the seed."""
    texts = (f"{seed}/{role}/{i}" for i in range(n))
    return [Signer("0x" + keccak256(text.encode()).hex(), LOCAL_CHAIN_ID) for text in texts]


class Crowd:
    """Buyers and bots of one sale, and how many works each of them has asked for."""

    def __init__(
        self, sale: Sale, buyers: Sequence[Signer], bots: Sequence[Signer], chance: Random
    ) -> None:
        self.buyers, self.bots = buyers, bots
        self._sale = sale
        self._chance = chance
        self._asked: Counter[tuple[str, int]] = Counter()
        self._entries = [{one.wallet: one for one in entries} for entries in sale.lists]
        self._proofs = [
            dict(zip(places, allowlist.proofs(list(places.values())), strict=True))
            for places in self._entries
        ]

    def rush(self, time: int, wanted: int, *, is_last: bool) -> list[Order]:
        """Orders of buyers for ``wanted`` works, if they may have so many; in the end of each."""
        phases = self._sale.running(time)
        waiting = deque(self._chance.sample(self.buyers, len(self.buyers)))
        orders: list[Order] = []
        works = turns = 0
        while waiting and (works < wanted or (is_last and turns < len(self.buyers))):
            turns += 1
            order = self._next(waiting[0], phases, time)
            buyer = waiting.popleft()
            if order is not None:
                waiting.append(buyer)
                orders.append(order)
                works += order.quantity
        return orders

    def attack(self, time: int) -> list[Order]:
        """What the bots try at a moment, with what a buyer sends first so that a cap is full."""
        orders: list[Order] = []
        for phase in self._sale.running(time):
            for n, bot in enumerate(self.bots):
                trick = TRICKS[n % len(TRICKS)]
                if trick == OVER_CAP:
                    orders += self._over_cap(bot, phase, time)
                elif trick == WRONG_PRICE:
                    orders += self._wrong_price(bot, phase, time)
                elif trick == NOT_LISTED:
                    orders.append(self._not_listed(bot, phase, time))
        return orders

    def doubles(self, time: int) -> list[tuple[Order, Order]]:
        """Pairs of good orders, each to be signed under one nonce."""
        open_to_all = [n for n in self._sale.running(time) if not self._entries[n]]
        if not open_to_all:
            return []
        pairs = []
        for bot in self._with(SAME_NONCE):
            phase = open_to_all[0]
            most = self._most(bot, phase)
            pairs.append(
                (self._order(bot, phase, 1, time), self._order(bot, phase, min(2, most), time))
            )
        return pairs

    def late(self, time: int) -> list[Order]:
        """What is tried when nothing is left."""
        orders: list[Order] = []
        for phase in self._sale.running(time)[:1]:
            for bot in self._with(SOLD_OUT):
                wallet = self._able(bot, phase)
                orders += [self._order(wallet, phase, 1, time, SOLD_OUT)] * N_RETRIES
        return orders

    def interleave(self, orders: Iterable[Order]) -> list[Order]:
        """At random, but each wallet's in their order."""
        queues: dict[str, deque[Order]] = {}
        for order in orders:
            queues.setdefault(order.signer.address, deque()).append(order)
        turns = [address for address, queue in queues.items() for _ in queue]
        self._chance.shuffle(turns)
        return [queues[address].popleft() for address in turns]

    def _with(self, trick: str) -> list[Signer]:
        return [bot for n, bot in enumerate(self.bots) if TRICKS[n % len(TRICKS)] == trick]

    def _able(self, bot: Signer, phase: int) -> Signer:
        """The bot, or of a list somebody who is on it."""
        members = [one for one in self.buyers if one.address in self._entries[phase]]
        return self._chance.choice(members) if members else bot

    def _next(self, buyer: Signer, phases: Sequence[int], time: int) -> Order | None:
        """A buyer's next order; None once it has asked for all that it may have."""
        open_ones = [n for n in phases if self._most(buyer, n) > 0]
        if not open_ones:
            return None
        phase = self._chance.choice(open_ones)
        quantity = self._chance.randint(1, self._most(buyer, phase))
        return self._order(buyer, phase, quantity, time)

    def _most(self, buyer: Signer, phase: int) -> int:
        """How many works a wallet may ask for now in one transaction."""
        terms, entries = self._sale.phases[phase], self._entries[phase]
        entry = entries.get(buyer.address)
        if terms.kind == PhaseKind.LISTED and entry is None:
            return 0
        cap = entry.max_quantity if entry else terms.max_per_wallet
        left = cap - self._asked[buyer.address, phase] if cap else terms.max_per_transaction
        return min(left, terms.max_per_transaction)

    def _order(self, buyer: Signer, phase: int, quantity: int, time: int, trick: str = "") -> Order:
        if not trick:
            self._asked[buyer.address, phase] += quantity
        entry = self._entries[phase].get(buyer.address)
        price_wei = entry.price_wei if entry else self._sale.phases[phase].price_at(time)
        call = contracts.mint(self._sale.number, phase, quantity)
        if entry is not None:
            call = contracts.mint_listed(
                self._sale.number,
                phase,
                quantity,
                max_quantity=entry.max_quantity,
                price_wei=price_wei,
                proof=self._proofs[phase][buyer.address],
            )
        return Order(buyer, phase, quantity, price_wei * quantity, call, trick)

    def _over_cap(self, bot: Signer, phase: int, time: int) -> list[Order]:
        """More than a transaction may have; and, where a cap can be filled, one more than it."""
        wallet = self._able(bot, phase)
        most = self._sale.phases[phase].max_per_transaction
        orders = [self._order(wallet, phase, most + 1, time, OVER_CAP)]
        cap = self._sale.cap(phase, wallet.address)
        if cap and cap <= MAX_FILLING * most:
            while room := max(0, self._most(wallet, phase)):
                orders.append(self._order(wallet, phase, room, time))
            orders.append(self._order(wallet, phase, 1, time, OVER_CAP))
        return orders

    def _wrong_price(self, bot: Signer, phase: int, time: int) -> list[Order]:
        """A wei too much; of an auction, which takes more, a wei less than it ever asks."""
        order = self._order(self._able(bot, phase), phase, 1, time, WRONG_PRICE)
        value_wei = order.value_wei + 1
        if self._sale.phases[phase].kind == PhaseKind.AUCTION:
            value_wei = self._sale.phases[phase].floor_wei - 1
        if value_wei < 0:
            return []
        return [Order(order.signer, phase, 1, value_wei, order.call, WRONG_PRICE)]

    def _not_listed(self, bot: Signer, phase: int, time: int) -> Order:
        """Another wallet's place; where there is no list, one that is made up."""
        entry = next(iter(self._entries[phase].values()), None)
        price_wei = entry.price_wei if entry else self._sale.phases[phase].price_at(time)
        call = contracts.mint_listed(
            self._sale.number,
            phase,
            1,
            max_quantity=entry.max_quantity if entry else 1,
            price_wei=price_wei,
            proof=self._proofs[phase][entry.wallet] if entry else [],
        )
        return Order(bot, phase, 1, price_wei, call, NOT_LISTED)
