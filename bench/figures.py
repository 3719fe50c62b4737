"""Figures and how they are shown: each with its limit, and whether that is kept."""

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence

PAIRS = 20
RESAMPLES = 10_000


def at_most(name: str, value: float, limit: float, unit: str = "ms") -> bool:
    """Print one figure with the most it may be; tell whether that is kept."""
    return _shown(name, f"{value:8.1f} {unit}", f"at most {limit:g} {unit}", kept=value <= limit)


def at_least(name: str, value: float, limit: float, unit: str = "") -> bool:
    """Print one figure with the least it may be; tell whether that is kept."""
    return _shown(name, f"{value:8.3f} {unit}", f"at least {limit:g} {unit}", kept=value >= limit)


def _shown(name: str, value: str, limit: str, *, kept: bool) -> bool:
    print(f"{name:<84}{value:<12} {limit:<16} {'kept' if kept else 'NOT KEPT'}", flush=True)
    return kept


def wall_ms(action: Callable[[], object]) -> float:
    """Time on the wall of one call, in ms."""
    before = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - before)


def lower_bound(ratios: Sequence[float]) -> float:
    """Lower end of the 95 % interval of the geometric mean of `ratios`.

    A bootstrap over the pairs: 10,000 resamples with a fixed seed, of which 2.5 % lie below.
    """
    logs = [math.log(ratio) for ratio in ratios]
    draw = random.Random(1)  # noqa: S311  no secret
    means = sorted(statistics.fmean(draw.choices(logs, k=len(logs))) for _ in range(RESAMPLES))
    return math.exp(means[RESAMPLES * 25 // 1000])


def geometric_mean(ratios: Sequence[float]) -> float:
    """Mean of ratios."""
    return statistics.geometric_mean(ratios)
