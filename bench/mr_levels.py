"""The measured noise of MR over the true one: ``python -m bench.mr_levels [--anatomy flair] [--seeds 21]``.

Prints a row for each way of acquiring and each anatomy: the local level over the true one in the body, its median and
its 2nd and 98th percentile, the uncertainty stated, and each witness over the true median (one that was not used in
brackets). Last, how often the uncertainty held the truth.
"""

import argparse
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from bench.scale import table
from bench.volumes.mr_cases import PLAIN
from models.volume.acquired.working_grid import acquired_grid
from models.volume.noise.mr_noise import measure_mr_noise
from models.volume.noise.noise_level import SliceNoise
from models.volume.tissue import tissue_of
from validation.phantoms.anatomy import Phantom, Volume
from validation.phantoms.k_space import Encoding
from validation.phantoms.mr_receive import COILS
from validation.phantoms.mr_scan import ANATOMIES, MRScan, mr_scan

FILLED = (2.0, 2.0)
WITH_AIR = {
    "plain": PLAIN,
    "noise of 3 %": replace(PLAIN, noise_percent=3.0),
    "filled by 2": replace(PLAIN, encoding=Encoding(zero_fill=FILLED)),
    "filled by 1.33 in one axis": replace(PLAIN, encoding=Encoding(zero_fill=(1.0, 1.33))),
    "empty corners": replace(PLAIN, encoding=Encoding(zero_fill=(1.5, 1.5), elliptical=True)),
    "partial Fourier": replace(PLAIN, encoding=Encoding(partial_fourier=0.75)),
    "Hamming": replace(PLAIN, encoding=Encoding(window="hamming")),
    "Hamming, filled by 2": replace(PLAIN, encoding=Encoding(zero_fill=FILLED, window="hamming")),
    "Fermi, filled by 1.5": replace(PLAIN, encoding=Encoding(zero_fill=(1.5, 1.5), window="fermi")),
    "g-factor 2": replace(PLAIN, g_factor=2.0),
    "g-factor 3": replace(PLAIN, g_factor=3.0, noise_percent=4.0),
    "four coils": replace(PLAIN, coils=COILS),
    "NORM": replace(PLAIN, coils=COILS, normalised=True),
}
ACQUISITIONS = WITH_AIR | {f"{name}, air masked": replace(one, air_masked=True) for name, one in WITH_AIR.items()}
SLICES = 12
LOW, HIGH = 0.02, 0.98  # quantiles of the map over the truth
BRIGHT = 4.0  # sds of noise above which a magnitude's noise is that of its real part


def measured(phantom: Phantom) -> SliceNoise:
    """Measure the noise of an MR volume as the method does."""
    grid = acquired_grid(phantom.noisy, np.ones(phantom.noisy.shape, bool), phantom.spacing)
    return measure_mr_noise(torch.from_numpy(grid.voxels)[:, None], tissue_of(grid.voxels, "MR"), grid.air)


def local_sd(noise: SliceNoise, size: tuple[int, ...]) -> Volume:
    """Return the measured sd at each voxel of slices of ``size``."""
    return noise.sd * functional.interpolate(noise.relative_noise, size, mode="bilinear")[:, 0].numpy()


def row(name: str, anatomy: str, seed: int, side: int) -> tuple[tuple[str, ...], bool]:
    """Return the row of one phantom, and whether the uncertainty holds the truth."""
    scan = mr_scan(anatomy, (SLICES, side, side), acquisition=ACQUISITIONS[name], seed=seed)
    noise, body = measured(scan.phantom), scan.phantom.regions["body"]
    assert noise.agreement is not None
    agreement, over_truth = noise.agreement, _map_over_truth(scan, noise, body)
    true = float(np.median(scan.noise_sd[body]))
    low, level, high = np.quantile(over_truth, (LOW, 0.5, HIGH))
    used = [f"{witness.name.split(' of ')[0]} {witness.sd / true:.2f}" for witness in agreement.agreeing]
    unused = [f"({witness.name.split(' of ')[0]} {witness.sd / true:.2f})" for witness in agreement.others]
    holds = abs(level - 1) <= agreement.uncertainty
    figures = f"{level:.2f}", f"{agreement.uncertainty:.2f}", "yes" if holds else "NO", f"{low:.2f}-{high:.2f}"
    return (name, anatomy, str(seed), *figures, ", ".join((*used, *unused))), holds


def _map_over_truth(scan: MRScan, noise: SliceNoise, body: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    bright = body & (scan.phantom.truth > BRIGHT * scan.noise_sd)
    return np.asarray(local_sd(noise, body.shape[1:])[bright] / scan.noise_sd[bright])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--anatomy", choices=list(ANATOMIES), action="append", help="all if left out")
    parser.add_argument("--seeds", default="21", help="with commas between them")
    parser.add_argument("--size", type=int, default=144, help="rows and columns")
    given = parser.parse_args()
    rows, held = [], 0
    for seed in map(int, given.seeds.split(",")):
        for anatomy in given.anatomy or ANATOMIES:
            for name in ACQUISITIONS:
                figures, holds = row(name, anatomy, seed, given.size)
                rows.append(figures)
                held += holds
    print(table(("acquired", "anatomy", "seed", "level", "+-", "holds", "map", "witnesses over the truth"), *rows))
    print(f"\nthe uncertainty held the truth in {held} of {len(rows)}")


if __name__ == "__main__":
    main()
