"""Who does not vote or trade as they like, but to push something."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentiment.simulation.world import Ints, Sales, Works, World

N_TEAMS = 4  # of a split attack
WASH_FACTOR = 3.0
ATTACKS = ("naive20", "naive40", "camouflaged", "split", "wash30", "drift")


@dataclass(frozen=True)
class Attack:
    """A part of all voters who choose the option that is liked least wherever it is at stake.

    Parameters
    ----------
    share
        of the voters, the first ones.
    by_coin
        whether they vote at random otherwise, or as they like.
    n_targets
        options among which they are divided, the least liked of so many categories.
    wash_share
        of the sales, which are theirs: works of the first target, at ``WASH_FACTOR`` of their
        price, half of them back and forth.
    drift
        part of the taste that is drawn anew each round, in standard deviations.
    """

    share: float = 0.0
    by_coin: bool = False
    n_targets: int = 1
    wash_share: float = 0.0
    drift: float = 0.0


def named(name: str) -> Attack:
    """The attack of a name; none for the empty one.

    Raises
    ------
    ValueError
        There is none of this name.
    """
    known = {
        "": Attack(),
        "naive20": Attack(0.2, by_coin=True),
        "naive40": Attack(0.4, by_coin=True),
        "camouflaged": Attack(0.2),
        "split": Attack(0.2, n_targets=N_TEAMS),
        "wash30": Attack(wash_share=0.3),
        "drift": Attack(drift=0.15),
    }
    if name not in known:
        raise ValueError(f"{name!r} is none of {', '.join(ATTACKS)}")
    return known[name]


def targets(world: World, n_targets: int, chance: np.random.Generator) -> Ints:
    """Columns of the least liked options of categories drawn by lot."""
    effects = world.options.reshape(world.shape.n_categories, -1)
    drawn = chance.permutation(world.shape.n_categories)[:n_targets]
    columns: Ints = drawn * world.shape.n_options + effects[drawn].argmin(1)
    return columns


def cast(
    attack: Attack,
    works: Works,
    voters: Ints,
    pair: tuple[Ints, Ints],
    honest: NDArray[np.bool_],
    pushed: Ints,
    n_voters: int,
    chance: np.random.Generator,
) -> NDArray[np.bool_]:
    """Whether the left work [V] is chosen, by members of the attack as it wants.

    Parameters
    ----------
    honest : [V] what each voter would choose.
    pushed : columns of the options that are pushed.
    """
    option = pushed[voters % len(pushed)]
    shown = [works.traits[side, option] for side in pair]
    otherwise = chance.random(len(voters)) < 0.5 if attack.by_coin else honest
    forced = np.where(shown[0] == shown[1], otherwise, shown[0] > shown[1])
    found: NDArray[np.bool_] = np.where(voters < attack.share * n_voters, forced, honest)
    return found


def wash(
    attack: Attack, works: Works, sales: Sales, pushed: Ints, chance: np.random.Generator
) -> Sales:
    """The sales with a part of them made up: dear ones of works that show what is pushed."""
    n = int(attack.wash_share * len(sales.places))
    shown = np.flatnonzero(works.traits[:, pushed[0]])
    if not n or not len(shown):
        return sales
    places, price = sales.places.copy(), sales.log_price.copy()
    buyers, sellers = sales.buyers.copy(), sales.sellers.copy()
    first = chance.permutation(len(places))[:n]
    first.sort()
    wallets = -1 - np.arange(2 * n)  # theirs are below zero
    places[first] = shown[chance.integers(len(shown), size=n)]
    price[first] = np.median(sales.log_price) + np.log(WASH_FACTOR) + chance.normal(0, 0.1, n)
    sellers[first], buyers[first] = wallets[:n], wallets[n:]
    there, back = first[: n // 2 * 2 : 2], first[1 : n // 2 * 2 : 2]
    half = len(there) // 2  # of these pairs the second sale undoes the first
    places[back[:half]] = places[there[:half]]
    sellers[back[:half]], buyers[back[:half]] = buyers[there[:half]], sellers[there[:half]]
    return Sales(places, price, sellers, buyers)
