"""Figures with their 95 % confidence interval: by bootstrap over repeats, or exactly where the law is known.

A repeat is what may be taken as independent of the others: a lesion, a region of interest, a block of slices. A
statistic takes the numbers of the repeats to use, so that before and after can be resampled together.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 500  # the interval's ends are then right to about a tenth of its width
SEED = 0  # of the resampling, so that the document repeats

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Measured:
    """A figure, its 95 % confidence interval and the repeats behind it.

    Ends of the interval are the value itself where nothing is left to chance, and not a number where one repeat says
    nothing about the spread.
    """

    value: float
    low: float
    high: float
    repeats: int


def bootstrapped(statistic: Callable[..., float], *repeats: int) -> Measured:
    """Return the statistic of all repeats with its percentile bootstrap interval.

    Args:
        statistic: takes, for each group of repeats, the indices of those to use.
        repeats: how many each group has; groups are resampled independently.
    """
    groups = tuple(np.arange(count) for count in repeats)
    value = float(statistic(*groups))
    if min(repeats) < 2 or not math.isfinite(value):
        return Measured(value, math.nan, math.nan, min(repeats))
    interval = stats.bootstrap(
        groups, statistic, n_resamples=RESAMPLES, confidence_level=CONFIDENCE, method="percentile", vectorized=False,
        rng=np.random.default_rng(SEED),
    ).confidence_interval  # fmt: skip
    return Measured(value, float(interval.low), float(interval.high), min(repeats))


def mean_of(values: NDArray[np.floating]) -> Measured:
    """Return the mean of one value for each repeat."""
    return bootstrapped(lambda chosen: float(np.mean(values[chosen], dtype=np.float64)), len(values))


def largest_of(values: NDArray[np.floating]) -> Measured:
    """Return the mean that lies farthest from 0, as its size, of several items; values are (repeats, items)."""
    means = values.mean(axis=0, dtype=np.float64)
    worst = int(np.argmax(np.abs(means)))
    return mean_of(values[:, worst] * np.sign(means[worst]))


def least_of(values: NDArray[np.floating]) -> Measured:
    """Return the lowest mean of several items; values are (repeats, items)."""
    return mean_of(values[:, int(np.argmin(values.mean(axis=0)))])


def exact(value: float, repeats: int = 1) -> Measured:
    """Return a figure that holds no chance: a difference of bytes, a count of files."""
    return Measured(value, value, value, repeats)


def rate(events: int, exposure: float, repeats: int) -> Measured:
    """Return events for each unit of exposure with the exact interval of a Poisson count."""
    tail = (1 - CONFIDENCE) / 2
    low = stats.chi2.ppf(tail, 2 * events) / 2 if events else 0.0
    high = stats.chi2.ppf(1 - tail, 2 * events + 2) / 2
    return Measured(events / exposure, float(low / exposure), float(high / exposure), repeats)
