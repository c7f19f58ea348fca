"""What it takes to have works move, in gas, as it was measured; tests measure it again.

A transaction's own 21,000 are in it.
"""

LIBRARIES, NETWORK = 2_974_276, 5_339_987  # once for a chain, whichever collections use them
LABEL, PAINTER, COLLECTION, STAKING = 180_221, 1_790_129, 5_498_282, 1_037_845
LOCKER, NAMING = 47_470, 53_641  # the collection is told of its stakes and of its law
EVOLUTION, RULE = 3_546_924, 112_562
PUBLISH, PROVE = 102_374, 91_291  # a proof is of one work
INTERACT = 85_203  # the first of a work; later ones take less
PRICES_GWEI = (5, 20, 100)
GWEI_PER_ETH = 10**9


def deployment(n_rules: int) -> int:
    """All contracts of a collection that moves, where the chain has none of them yet."""
    own = LABEL + PAINTER + COLLECTION + STAKING + LOCKER + NAMING
    return LIBRARIES + NETWORK + own + EVOLUTION + RULE * n_rules


def epochs(n_epochs: int, n_proofs: int) -> int:
    return PUBLISH * n_epochs + PROVE * n_proofs


def in_eth(gas: int) -> list[float]:
    """For each price of gas."""
    return [gas * price / GWEI_PER_ETH for price in PRICES_GWEI]
