"""Evidence: the noise figure and the picture of before, after and removed."""

import io

import numpy as np
import pytest
from PIL import Image

from app.validation import phantoms
from operators.evidence.noise import NoEvenTissueError, even_tissue, noise_sd
from operators.evidence.pictures import comparison_png


@pytest.mark.parametrize(("make", "shape", "gap"), [(phantoms.ct, (8, 128, 128), 1), (phantoms.pet, (24, 64, 64), 2)])
def test_noise_figure_finds_the_noise_and_its_fall(make, shape, gap):
    phantom = make(shape)
    noise = phantom.noisy - phantom.truth
    even = even_tissue(phantom.noisy, np.ones(shape, bool), gap)
    before, after = (noise_sd(phantom.truth + part * noise, even) for part in (1.0, 0.5))
    assert before == pytest.approx(noise[phantom.regions["flat"]].std(), rel=0.25)
    assert after == pytest.approx(before / 2, rel=0.3)


def test_noise_figure_ignores_padding_and_follows_the_unit():
    noise = np.random.default_rng(0).standard_normal((4, 40, 40), np.float32)
    valid = np.ones(noise.shape, bool)
    valid[:, :12] = False
    padded = np.where(valid, 1000 + 5 * noise, -2000).astype(np.float32)
    even = even_tissue(padded, valid)
    assert not even[:, :15].any()
    assert noise_sd(padded, even) == pytest.approx(5, rel=0.1)


def test_no_tissue_is_an_error_that_says_so():
    with pytest.raises(NoEvenTissueError, match="even tissue"):
        even_tissue(np.zeros((2, 16, 16), np.float32), np.zeros((2, 16, 16), bool))


def test_picture_has_three_panels_and_shows_what_was_removed():
    before = np.full((40, 60), 100.0, np.float32)
    after = before.copy()
    after[10:20, 20:40] -= 20
    picture = np.asarray(Image.open(io.BytesIO(comparison_png(before, after, (0.0, 200.0)))).convert("L"), float)
    height, width = picture.shape
    assert width > 3 * height * 1.2
    left, right = picture[height // 2 :, 8 : width // 3 - 8], picture[height // 2 :, -width // 3 + 8 : -8]
    assert np.ptp(left) == 0
    assert np.ptp(right) > 50
    np.testing.assert_allclose(np.median(right), 127, atol=2)


def test_picture_repeats_bit_by_bit():
    noise = np.random.default_rng(0).standard_normal((20, 20), np.float32)
    assert comparison_png(noise, noise / 2, (-3, 3)) == comparison_png(noise, noise / 2, (-3, 3))
