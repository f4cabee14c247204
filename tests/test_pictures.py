"""Evidence: the picture of before, after and removed."""

import io

import numpy as np
from PIL import Image

from operators.report.comparison import comparison_png


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
