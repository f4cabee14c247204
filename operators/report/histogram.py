"""How often each value occurs, before and after."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from operators.report.sample import Sample

Curve = npt.NDArray[np.float64]

BINS = 96
REACH = (0.1, 99.9)  # percentiles shown


@dataclass(frozen=True, eq=False)
class Histogram:
    """Of a sample."""

    edges: Curve  # of the bins, in the unit of the values
    before: Curve  # share of the pixels in each bin
    after: Curve


def histogram_of(sample: Sample) -> Histogram:
    """The histograms of a sample, in bins that the values before set for both."""
    before, after = sample.values("before"), sample.values("after")
    edges = np.histogram_bin_edges(np.clip(before, *np.percentile(before, REACH)), BINS)
    shares = (np.histogram(values, edges)[0] / values.size for values in (before, after))
    return Histogram(edges.astype(np.float64), *shares)
