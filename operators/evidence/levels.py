"""How often each value occurs, and by how much the mean moved at each level of tissue.

A voxel's level is its value after: the value before is moved by noise, and a denoiser that brings each back to its
tissue would seem to raise the low and to lower the high ones.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from operators.evidence.sample import Sample

Curve = npt.NDArray[np.float64]

BINS = 96  # of the histogram
REACH = (0.1, 99.9)  # percentiles shown
LEVELS = 10  # each of as many voxels as the others


@dataclass(frozen=True, eq=False)
class Levels:
    """Histograms and bias of a sample."""

    edges: Curve  # of the bins of the histogram
    before: Curve  # share of the voxels in each bin
    after: Curve
    level: Curve  # mean value after, of each tenth of the tissue's voxels
    bias: Curve  # mean of after - before in it
    error: Curve  # twice the standard error of that mean, voxels taken as independent
    mean_bias: float  # over all tissue


def levels_of(sample: Sample) -> Levels:
    """The levels of a sample."""
    before, after = sample.values("before"), sample.values("after")
    edges = np.histogram_bin_edges(np.clip(before, *np.percentile(before, REACH)), BINS)
    tissue = after > sample.air()
    if not tissue.any():
        tissue = np.ones(after.shape, bool)
    level, change = after[tissue].astype(np.float64), (after - before)[tissue].astype(np.float64)
    parts = [part for part in np.array_split(np.argsort(level, kind="stable"), LEVELS) if part.size]
    return Levels(
        edges,
        np.histogram(before, edges)[0] / before.size,
        np.histogram(after, edges)[0] / after.size,
        np.array([level[part].mean() for part in parts]),
        np.array([change[part].mean() for part in parts]),
        np.array([2 * change[part].std() / np.sqrt(part.size) for part in parts]),
        float(change.mean()),
    )
