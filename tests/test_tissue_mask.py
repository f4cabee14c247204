"""Where ultrasound tissue is: the whole sector, without what a scanner draws."""

import numpy as np
import pytest
from scipy import ndimage

from operators.dicom.regions import Regions
from operators.dicom.tissue_evidence import TissueEvidence
from operators.dicom.tissue_mask import tissue_mask

ROWS, COLUMNS = 300, 400
MAXIMUM = 255.0
APEX = 20  # row in which the fans meet the probe
WIDTH = 3  # pixels that a border may be off
LETTER = np.array([[1, 0, 0, 0, 1], [1, 0, 0, 1, 0], [1, 1, 1, 0, 0], [1, 0, 0, 1, 0], [1, 0, 0, 0, 1]], bool)  # a K


def speckle(seed: int = 0, mean: float = 70.0) -> np.ndarray:
    """Correlated log-compressed speckle, (rows, columns)."""
    rng = np.random.default_rng(seed)
    wave = ndimage.gaussian_filter(rng.standard_normal((2, ROWS, COLUMNS)), (0, 1.2, 1.8))
    intensity = np.log((wave**2).sum(axis=0) / (wave**2).sum(axis=0).mean())
    return np.clip(mean + 18 * intensity, 2, 255).round().astype(np.float32)


def fan(outer: int = 270, inner: int = 60) -> np.ndarray:
    """The sector of a curved probe."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    radius = np.hypot(rows + inner - APEX, columns - COLUMNS / 2)
    angle = np.abs(np.arctan2(columns - COLUMNS / 2, rows + inner - APEX))
    return (radius > inner) & (radius < outer) & (angle < 0.6)


def found(*frames: np.ndarray) -> np.ndarray:
    evidence = TissueEvidence((ROWS, COLUMNS))
    for frame in frames:
        evidence.add(frame.astype(np.float32), np.zeros((ROWS, COLUMNS), bool))
    return tissue_mask(evidence, Regions(None, np.zeros((ROWS, COLUMNS), bool), False), MAXIMUM)


def off_by(mask: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """The largest distance, in pixels, of missed pixels from the outside, and of pixels too many from the sector."""
    missed, added = truth & ~mask, mask & ~truth
    depths = ndimage.distance_transform_edt(np.pad(truth, 1))[1:-1, 1:-1], ndimage.distance_transform_edt(~truth)
    return tuple(float(depth[wrong].max(initial=0)) for depth, wrong in zip(depths, (missed, added), strict=True))


@pytest.mark.parametrize("frames", [1, 6])
def test_a_sector_drawn_above_black_is_found_whole_though_its_depth_is_dark(frames):
    lit = fan() & (np.arange(ROWS)[:, None] < 120)
    pictures = [np.where(lit, speckle(seed), np.where(fan(), 1, 0)) for seed in range(frames)]
    missed, added = off_by(found(*pictures), fan())
    assert missed <= 4 * WIDTH  # the fan's pointed corners
    assert added <= WIDTH


def test_lumen_shadow_and_dark_border_are_in_the_hull_of_what_is_lit():
    picture = np.where(fan(), speckle(), 0.0)
    picture[120:180, 170:240] = picture[180:, 120:150] = 0
    tissue = found(picture)
    assert tissue[120:180, 170:240].all()
    assert tissue[180:205, 125:150].all()
    assert off_by(tissue, fan())[1] <= WIDTH


def test_what_lies_above_the_arc_of_a_curved_probe_is_no_tissue():
    tissue = found(np.where(fan(), speckle(), 0.0))
    above = ~fan() & (np.hypot(np.arange(ROWS)[:, None] + 60 - APEX, np.arange(COLUMNS) - COLUMNS / 2) < 55)
    assert not tissue[above].any()


def test_a_bright_thin_echo_and_a_bright_dot_are_tissue():
    picture = speckle()
    profile = 190 * np.exp(-0.5 * (np.arange(-6, 7) / 1.5) ** 2)
    waving = 1 + 0.1 * np.sin(np.arange(120) / 7)
    picture[100:113, 100:220] = np.maximum(picture[100:113, 100:220], profile[:, None] * waving)
    picture[200:213, 200:213] = np.maximum(picture[200:213, 200:213], profile[:, None] * profile / 190)
    tissue = found(picture)
    assert tissue[90:120, 90:230].all()
    assert tissue[195:220, 195:220].all()


def test_laterally_interpolated_speckle_with_long_runs_of_equal_pixels_is_tissue():
    picture = np.repeat(speckle()[:, ::12], 12, axis=1)[:, :COLUMNS]
    assert found(picture).mean() > 0.98


def test_smooth_tissue_in_the_even_blocks_of_strong_compression_is_tissue():
    smooth = ndimage.gaussian_filter(speckle(), 2)
    blocks = np.kron(smooth[4::8, 4::8], np.ones((8, 8)))[:ROWS, :COLUMNS].round()
    picture = speckle()
    picture[: blocks.shape[0] // 2, : blocks.shape[1]] = blocks[: blocks.shape[0] // 2]
    assert found(picture).mean() > 0.98


def test_a_screen_that_is_as_dark_as_the_sector_is_no_floor():
    picture = np.where(fan() & (np.arange(ROWS)[:, None] < 120), speckle(), 1)
    picture[280:290, 10:40] = 0  # the shadow of a letter
    assert off_by(found(picture), fan())[1] <= WIDTH


@pytest.mark.parametrize("frames", [1, 6])
@pytest.mark.parametrize("noise", [0, 6])
def test_letters_lines_and_bars_are_left_with_and_without_compression_noise(frames, noise):
    rng = np.random.default_rng(0)
    text, drawn = np.zeros((ROWS, COLUMNS), bool), np.zeros((ROWS, COLUMNS), bool)
    for column in range(150, 210, 14):
        text[60:70, column : column + 10] = np.kron(LETTER, np.ones((2, 2)))
    drawn[120, 100:300] = drawn[220, 100:300] = drawn[120:221, 100] = drawn[120:221, 299] = True
    pictures = []
    for seed in range(frames):
        picture = speckle(seed)
        picture[text] = 230
        picture[drawn] = 200
        picture[60:200, 380:] = 120
        pictures.append(np.clip(picture + noise * rng.uniform(-1, 1, picture.shape), 0, 255))
    tissue = found(*pictures)
    assert not tissue[text].any()
    assert not tissue[drawn].any()
    assert noise or not tissue[62:198, 382:].any()
    assert tissue[130:210, 110:290].mean() > 0.99
    assert tissue[240:].mean() > 0.99
