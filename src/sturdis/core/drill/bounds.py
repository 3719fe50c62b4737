"""What so many trials without a loss say of the next one: bounds of a share, and how to write them.

A drill that lost nothing in 1,000 faults does not show that a fault costs nothing; it shows that
the share of faults that do is below a bound. The bound is the exact one of Clopper and Pearson:
the largest share under which so few were still seen in one of 20 such drills.
"""

from math import exp, lgamma, log, log1p

CONFIDENCE = 0.95
"""One-sided: in 95 of 100 records the share is below the bound."""

HALVINGS = 60
"""Steps of the search: the bound is good to 2^-60."""


def upper(seen: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """Give the upper bound of a share of which `seen` were seen in `trials` trials.

    Without one seen it is 1 - (1 - confidence)^(1 / trials), just below 3 / trials.

    Raises:
        ValueError: There are no trials, or more were seen than tried.
    """
    if not 0 <= seen <= trials or trials < 1:
        raise ValueError(f"{seen} of {trials}")
    if seen == trials:
        return 1.0
    low, high = seen / trials, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if at_most(seen, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def at_most(seen: int, trials: int, share: float) -> float:
    """Give the chance that at most `seen` of `trials` are hit, each with the chance `share`."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return 1.0 if seen >= trials else 0.0
    hit, missed = log(share), log1p(-share)
    ways = (
        lgamma(trials + 1) - lgamma(count + 1) - lgamma(trials - count + 1)
        + count * hit + (trials - count) * missed
        for count in range(seen + 1)
    )  # fmt: skip
    return min(1.0, sum(exp(one) for one in ways))


def percent(share: float) -> str:
    """Write a bound with two digits that count, rounded up so that it stays one: `0.30 %`."""
    digits = 2 if share < 0.1 else 1  # noqa: PLR2004  below 10 %
    step = 10**-digits
    steps = share * 100 / step
    whole = int(steps) + (steps > int(steps))
    return f"{whole * step:.{digits}f} %"
