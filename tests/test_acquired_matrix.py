"""Laws of the acquired matrix: found where k-space was filled, nothing cut where it was not; fill undoes crop."""

from functools import cache

import numpy as np
import pytest

from models.volume.acquired.fourier_grid import crop, crop_mask, fill
from models.volume.acquired.support import AcquiredMatrix, find_support
from models.volume.acquired.working_grid import acquired_grid
from models.volume.tissue import tissue_of
from validation.phantoms.k_space import Encoding
from validation.phantoms.mr_acquisition import Acquisition
from validation.phantoms.mr_scan import MRScan, Slices, mr_scan

SHAPE = (6, 128, 128)
THICK = Slices()
CLOSE = 0.1  # of the acquired lines: the margin is 5 %, and the mask blurs the cut by a line or two


@cache
def scan(acquisition: Acquisition, slices: Slices = THICK, seed: int = 3) -> MRScan:
    return mr_scan("t1", SHAPE, acquisition=acquisition, slices=slices, seed=seed)


def found(acquisition: Acquisition, slices: Slices = THICK) -> AcquiredMatrix:
    noisy = scan(acquisition, slices).phantom.noisy
    return find_support(noisy, tissue_of(noisy, "MR").threshold)


FILLED = {
    "both axes": Acquisition(Encoding((2.0, 2.0))),
    "rows": Acquisition(Encoding((4 / 3, 1.0))),
    "four coils": Acquisition(Encoding((2.0, 1.0)), coils=4),
    "masked air": Acquisition(Encoding((1.5, 1.5)), air_masked=True),
    "little noise": Acquisition(Encoding((2.0, 2.0)), noise_percent=1.0),
    "much noise": Acquisition(Encoding((2.0, 2.0)), noise_percent=14.0),
    "partial Fourier": Acquisition(Encoding((1.5, 1.5), partial_fourier=0.75)),
}
UNFILLED = {
    "plain": Acquisition(),
    "little noise": Acquisition(noise_percent=0.5),
    "partial Fourier": Acquisition(Encoding(partial_fourier=0.75)),
    "Hamming": Acquisition(Encoding(window="hamming")),
    "g-factor": Acquisition(g_factor=3.0),
}


@pytest.mark.parametrize("name", FILLED)
def test_the_acquired_matrix_of_a_filled_image_is_found(name: str) -> None:
    support, matrix = found(FILLED[name]), scan(FILLED[name]).matrix
    assert support.interpolated
    for lines, acquired, recorded in zip((support.rows, support.columns), matrix, SHAPE[1:], strict=True):
        assert lines == recorded if acquired == recorded else abs(lines / acquired - 1) <= CLOSE


def test_empty_corners_are_seen() -> None:
    assert found(Acquisition(Encoding(elliptical=True))).elliptical
    assert not found(Acquisition()).elliptical


@pytest.mark.parametrize("name", UNFILLED)
@pytest.mark.parametrize("slices", [THICK, Slices(1.25, 0.0)], ids=["thick", "thin"])  # slower: `mr_scan` keeps one
def test_nothing_is_cut_where_nothing_was_filled(name: str, slices: Slices) -> None:
    assert not found(UNFILLED[name], slices).interpolated


def test_an_image_of_zeros_is_not_interpolated() -> None:
    assert not find_support(np.zeros(SHAPE, np.float32), 1.0).interpolated


def test_filling_what_was_cut_gives_the_volume_back() -> None:
    noisy = scan(FILLED["both axes"]).phantom.noisy
    grid = acquired_grid(noisy, np.ones(SHAPE, bool), (6.0, 1.7, 1.7))
    assert grid.voxels.shape[1:] == (grid.matrix.rows, grid.matrix.columns)
    assert np.allclose(grid.filled(grid.voxels, noisy), noisy, atol=1e-3)
    assert grid.spacing[1] * grid.voxels.shape[1] == pytest.approx(1.7 * SHAPE[1])


def test_what_lies_outside_the_support_is_untouched() -> None:
    noisy = np.random.default_rng(0).normal(100, 10, (2, 48, 48)).astype(np.float32)
    matrix = AcquiredMatrix(32, 24, (48, 48), elliptical=False)
    changed = fill(np.zeros((2, 32, 24), np.float32), noisy)
    assert np.abs(crop(changed, matrix)).max() < 1e-3
    spectrum = np.fft.fft2(changed - noisy)
    assert np.abs(spectrum[:, 17:31]).max() < 1e-2
    assert np.abs(spectrum[:, :, 13:35]).max() < 1e-2


def test_zeroed_air_and_padding_stay_bit_identical() -> None:
    noisy = scan(FILLED["masked air"]).phantom.noisy
    matrix = found(FILLED["masked air"])
    changed = fill(crop(noisy, matrix) * 0.9, noisy)
    inner = np.zeros(SHAPE, bool)
    inner[:, :8, :8] = True
    assert np.array_equal(changed[inner], noisy[inner])
    assert not np.array_equal(changed, noisy)


def test_the_mask_follows_its_pixels() -> None:
    mask = np.zeros((1, 8, 8), bool)
    mask[:, :4] = True
    small = crop_mask(mask, AcquiredMatrix(4, 8, (8, 8), elliptical=False))
    assert small[0, :, 0].tolist() == [True, True, False, False]


def test_a_volume_cropped_after_interpolation_is_left_alone() -> None:
    whole = scan(FILLED["both axes"]).phantom.noisy
    assert not find_support(whole[:, 50:], tissue_of(whole, "MR").threshold).rows < SHAPE[1] - 50


@pytest.mark.parametrize(("rows", "columns"), [(24, 40), (32, 20), (24, 20)])
def test_what_was_cut_lies_in_order_in_memory(rows: int, columns: int) -> None:
    volume = np.random.default_rng(0).random((3, 32, 40), np.float32)
    assert crop(volume, AcquiredMatrix(rows, columns, (32, 40), False)).flags.c_contiguous
