"""How often each value occurs, before and after."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from operators.report.sample import Sample

Curve = npt.NDArray[np.float64]

BINS = 96
SHOWN = (0.1, 99.9)  # percentiles of the values before, between which the bins lie


@dataclass(frozen=True, eq=False)
class Histogram:
    """Values of a sample."""

    edges: Curve  # of the bins, in the unit of the values
    before: Curve  # fraction of the pixels in each bin
    after: Curve


def histogram_of(sample: Sample) -> Histogram:
    """Return the histograms of a sample; the values before set the bins of both."""
    before, after = sample.values("before"), sample.values("after")
    edges = np.histogram_bin_edges(np.clip(before, *np.percentile(before, SHOWN)), BINS)
    fractions = (np.histogram(values, edges)[0] / values.size for values in (before, after))
    return Histogram(edges.astype(np.float64), *fractions)
