"""What wallets of a simulated community do in a Uniswap v3 pool by which a law moves works."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minting.chain import evolving, uniswap
from minting.chain.abi import FACTORY, SALT
from minting.chain.client import Client
from minting.chain.uniswap import Artefact, Position, Venue
from minting.evolution.rules import Rule
from sentiment.management.wallets import Holder, attempt

CROSSING = 0.25  # of trades: as many aim at the edge or the middle of somebody's position
NEAR = 2000  # ticks; an edge that is further off costs too much: the price would be a fifth higher
WIDTHS = (2, 12)  # from the price to either end of a position, in spacings of ticks
MOST_WEI = 10**18  # of each token in one change of a position
PURSE_WEI = 10 * MOST_WEI  # of a token in hand before a trade
KEPT_WEI = 10**18  # of ether for everything else
WITHOUT_END = 2**255


@dataclass(frozen=True)
class Trader:
    """A wallet at the pool of a rule; ``number`` is the rule's in its evolution."""

    node: Client
    wallet: Holder
    venue: Venue
    evolution: str
    number: int
    rule: Rule
    chance: np.random.Generator

    def provide(self, token_ids: Sequence[int]) -> bool:
        """Have a position of one's own count for an owned work for which none does.

        It is opened if there is none to spare.
        """
        named = evolving.read_positions(self.node, self.evolution, self.number, token_ids)
        own = self.positions()
        numbers = {position.number for position in own}
        bare = [one for one, by in zip(token_ids, named, strict=True) if by not in numbers]
        if not bare:
            return False
        idle = [one.number for one in own if one.liquidity and one.number not in named]
        position = self._pick(idle) or self.open_position()
        if position is None:
            return False
        call = evolving.name_position(self.number, self._pick(bare), position)
        return attempt(self.node, self.wallet, self.evolution, call)

    def open_position(self) -> int | None:
        """A position around the price that gives the rule a level by lot; its number."""
        tick, spacing = self.venue.read_price(self.node).tick, self.venue.spacing
        reach = int(self.chance.integers(*WIDTHS))
        nearest = tick // spacing
        ticks = ((nearest - reach) * spacing, (nearest + 1 + reach) * spacing)
        level = int(self.chance.integers(1, self.rule.highest + 1))
        most = self._most(self._liquidity(level), ticks)
        call = self.venue.open(self.address, ticks, most)
        if not self._send_to_manager(most, call):
            return None
        return self.positions()[-1].number

    def adjust(self) -> bool:
        """Put into a position of one's own, or take out of it, until it gives a level by lot."""
        position = self._pick(self.positions())
        if position is None:
            return False
        level = int(self.chance.integers(self.rule.highest + 1))
        return self.change(position, self._liquidity(level) - position.liquidity)

    def change(self, position: Position, more: int) -> bool:
        """So much liquidity more, or less."""
        if more < 0:
            call = self.venue.remove(position.number, -more, self.address)
            return attempt(self.node, self.wallet, self.venue.manager, call)
        most = self._most(more, (position.lower, position.upper))
        return self._send_to_manager(most, self.venue.add(position.number, most))

    def swap(self) -> bool:
        """Move the price by a little, or past the edge of a position, or back into one."""
        tick = self.venue.read_price(self.node).tick
        aim = self._crossing(tick) if self.chance.random() < CROSSING else None
        if aim is None:
            aim = tick + int(self.chance.integers(1, 1 + self.venue.spacing)) * self._pick([-1, 1])
        return self.trade_to(aim)

    def trade_to(self, tick: int) -> bool:
        """Trade until the price is within a tick, or the purse is empty."""
        aim_x96 = uniswap.root_x96(tick + 0.5)
        is_first = aim_x96 < self.venue.read_price(self.node).root_x96
        given = self.venue.tokens[0 if is_first else 1]
        self._place_router()
        if not self._prepare(given, PURSE_WEI, self.venue.router):
            return False
        call = self.venue.trade(self.address, PURSE_WEI, is_first=is_first, root_x96=aim_x96)
        return attempt(self.node, self.wallet, self.venue.router, call)

    def positions(self) -> list[Position]:
        return self.venue.read_positions(self.node, self.address)

    @property
    def address(self) -> str:
        return str(self.wallet.account.address)

    def _crossing(self, tick: int) -> int | None:
        """A tick at which a position by lot is the other way round: out of range, or in it."""
        n = self.venue.count(self.node)
        position = self.venue.read_nth(self.node, int(self.chance.integers(n))) if n else None
        if position is None or not position.liquidity:
            return None
        if position.lower <= tick < position.upper:
            aim = min((position.lower - 1, position.upper), key=lambda edge: abs(edge - tick))
        else:
            aim = (position.lower + position.upper) // 2
        return aim if abs(aim - tick) < NEAR else None

    def _liquidity(self, level: int) -> int:
        """As much as gives a level, up to twice as much; nothing gives level 0."""
        doublings = self.rule.offset + level - 1 + self.chance.random()
        return int(2**doublings) if level else 0

    def _most(self, liquidity: int, ticks: tuple[int, int]) -> tuple[int, int]:
        """What so much liquidity takes of each token, but no more than a wallet gives for it."""
        first, second = uniswap.amounts(liquidity, ticks, self.venue.read_price(self.node).root_x96)
        return min(first, MOST_WEI), min(second, MOST_WEI)

    def _send_to_manager(self, amounts: tuple[int, int], call: bytes) -> bool:
        manager = self.venue.manager
        sides = zip(self.venue.tokens, amounts, strict=True)
        is_ready = all(self._prepare(token, wei, manager) for token, wei in sides)
        return is_ready and attempt(self.node, self.wallet, manager, call)

    def _prepare(self, token: str, amount_wei: int, spender: str) -> bool:
        """Have so much of a token in hand, wrapped if need be, and free for its spender."""
        missing = amount_wei - self._ask(token, "balanceOf", self.address)
        if missing > 0 and not self._wrap(token, missing):
            return False
        if self._ask(token, "allowance", self.address, spender) >= amount_wei:
            return True
        call = self._wrapped.call("approve", spender, WITHOUT_END)
        return attempt(self.node, self.wallet, token, call)

    def _wrap(self, token: str, amount_wei: int) -> bool:
        """Ether into the token; False if that is not what the token is, or too little is there."""
        if self.node.balance_wei(self.address) < amount_wei + KEPT_WEI:
            return False
        return attempt(self.node, self.wallet, token, self._wrapped.call("deposit"), amount_wei)

    def _place_router(self) -> None:
        """Have the factory create the router where it is not there yet."""
        if self.node.call("eth_getCode", self.venue.router, "latest") == "0x":
            attempt(self.node, self.wallet, FACTORY, SALT + self.venue.router_code)

    def _ask(self, token: str, name: str, *addresses: str) -> int:
        raw = self.node.read(token, self._wrapped.call(name, *addresses))
        return int(self._wrapped.answer(name, raw))

    @property
    def _wrapped(self) -> Artefact:
        return uniswap.artefact(self.venue.packages, "v2-periphery", "WETH9")

    def _pick(self, rows: Sequence[Any]) -> Any:
        return rows[int(self.chance.integers(len(rows)))] if rows else None
