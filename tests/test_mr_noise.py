"""Laws of the noise of MR: several witnesses, the smallest level that some agree on, and a smooth map of it."""

from functools import cache

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from models.volume.acquired.working_grid import acquired_grid
from models.volume.noise.air import mean_over_sd, read_air
from models.volume.noise.mr_noise import measure_mr_noise
from models.volume.noise.noise_level import SliceNoise
from models.volume.noise.witnesses import Witness, agree
from models.volume.tissue import tissue_of
from validation.phantoms.k_space import Encoding
from validation.phantoms.mr_acquisition import Acquisition
from validation.phantoms.mr_scan import MRScan, mr_scan

SHAPE = (10, 160, 160)
HIGHEST = 1.1  # of the true sd, where no witness sees it
SEEN = 0.05  # relative, where one does
ACQUISITIONS = {
    "plain": Acquisition(),
    "little noise": Acquisition(noise_percent=3.0),
    "filled": Acquisition(Encoding((4 / 3, 1.0))),
    "Hamming": Acquisition(Encoding(window="hamming")),
    "partial Fourier": Acquisition(Encoding(partial_fourier=0.75)),
    "empty corners": Acquisition(Encoding((4 / 3, 4 / 3), elliptical=True)),
    "four coils": Acquisition(coils=4),
    "masked air": Acquisition(air_masked=True),
}


@cache
def measured(acquisition: Acquisition, anatomy: str = "t1") -> tuple[MRScan, SliceNoise]:
    scan = mr_scan(anatomy, SHAPE, acquisition=acquisition, seed=11)
    grid = acquired_grid(scan.phantom.noisy, np.ones(SHAPE, bool), scan.phantom.spacing)
    volume = torch.from_numpy(grid.voxels)[:, None]
    return scan, measure_mr_noise(volume, tissue_of(grid.voxels, "MR"), grid.air)


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_the_noise_level_is_that_of_the_phantom(name: str) -> None:
    scan, noise = measured(ACQUISITIONS[name])
    ratio = noise.sd / float(np.median(scan.noise_sd[scan.phantom.regions["body"]]))
    assert noise.agreement is not None
    seen = any("air" in witness.name for witness in noise.agreement.agreeing)
    assert abs(ratio - 1) < SEEN if seen else 0.95 < ratio < HIGHEST


@pytest.mark.parametrize("acquisition", [Acquisition(g_factor=3.0), Acquisition(normalised=True)], ids=["g", "NORM"])
def test_the_map_follows_noise_that_is_not_even(acquisition: Acquisition) -> None:
    scan, noise = measured(acquisition)
    bright = (scan.phantom.truth > 4 * scan.noise_sd) & scan.phantom.regions["body"]
    local = torch.nn.functional.interpolate(noise.relative_noise, SHAPE[1:], mode="bilinear")[:, 0].numpy() * noise.sd
    ratio = local[bright] / scan.noise_sd[bright]
    flat = np.median(scan.noise_sd[bright]) / scan.noise_sd[bright]
    assert np.std(np.log(ratio)) < 0.6 * np.std(np.log(flat))
    assert np.median(ratio) == pytest.approx(1, abs=0.1)


def test_even_noise_has_a_flat_map() -> None:
    _, noise = measured(ACQUISITIONS["plain"])
    assert torch.equal(noise.relative_noise, torch.ones_like(noise.relative_noise))


def test_a_filter_is_seen_in_the_coefficients() -> None:
    white, hamming = (measured(ACQUISITIONS[name])[1].coefficient_sd for name in ("plain", "Hamming"))
    assert torch.allclose(white, torch.ones_like(white))
    assert float(hamming[15]) < 0.3 * float(hamming[0])
    assert float(hamming.square().mean()) == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("coils", [1, 2, 3, 4])
def test_air_of_several_coils_shows_their_number_and_their_noise(coils: int) -> None:
    channels = np.random.default_rng(coils).normal(0, 20, (2 * coils, 4, 96, 96))
    voxels = np.sqrt((channels**2).sum(axis=0)).astype(np.float32)
    voxels[:, 24:72, 24:72] += 500
    air = read_air(voxels, 300.0)
    assert air is not None
    assert (air.coils, air.sd) == (coils, pytest.approx(20, rel=0.03))


@pytest.mark.parametrize("coils", [1, 3])
def test_air_that_a_filter_smoothed_shows_them_too(coils: int) -> None:
    white = np.random.default_rng(coils).normal(0, 1, (2 * coils, 6, 128, 128))
    smooth = gaussian_filter(white, (0, 0, 1.0, 1.0), mode="wrap")
    voxels = (20 * np.sqrt((smooth**2).sum(axis=0)) / smooth.std()).astype(np.float32)
    air = read_air(voxels, 300.0)
    assert air is not None
    assert (air.coils, air.sd) == (coils, pytest.approx(20, rel=0.03))


def test_the_chi_law_is_that_of_the_books() -> None:
    assert [round(mean_over_sd(coils), 2) for coils in (1, 2, 3, 4)] == [1.91, 2.75, 3.4, 3.94]


@pytest.mark.parametrize("air", ["masked", "uniform"])
def test_air_that_follows_no_law_says_nothing(air: str) -> None:
    voxels = np.random.default_rng(0).normal(500, 20, (4, 96, 96)).astype(np.float32)
    beyond = 0.0 if air == "masked" else np.random.default_rng(1).uniform(50, 60, (4, 20, 96))
    voxels[:, :20] = beyond
    assert read_air(voxels, 300.0) is None


def test_the_smallest_level_that_several_agree_on_decides() -> None:
    low, near, high = Witness("a", 50.0, 0.05), Witness("b", 52.0, 0.05), Witness("c", 90.0, 0.05)
    found = agree([high, near, low])
    assert found.sd == pytest.approx(51.0)
    assert found.others == (high,)
    assert agree([Witness("air", 20.0, 0.03), near, low]).sd == pytest.approx(51.0)
    assert agree([high]).sd == 90.0


def test_a_volume_without_tissue_and_one_slice_are_measured_too() -> None:
    noise = np.random.default_rng(0).normal(0, 5, (1, 1, 40, 40)).astype(np.float32)
    measured = measure_mr_noise(torch.from_numpy(noise), tissue_of(np.zeros((1, 40, 40), np.float32), "MR"), None)
    assert measured.sd == pytest.approx(5, rel=0.3)
    constant = measure_mr_noise(torch.full((4, 1, 40, 40), 7.0), tissue_of(np.full((4, 40, 40), 7.0), "MR"), None)
    assert np.isfinite(constant.sd)
    assert constant.sd > 0
