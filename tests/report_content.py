"""What the report's tests lay out: disks of soft tissue in noise, half of which is removed."""

import numpy as np

from operators.quality.assessment import Assessment, Check, LevelBias
from operators.report.content import Content, content_of
from operators.report.sample import ImagePair, Sample
from operators.report.window import window_of

SIDE = 96
NOISE = 20.0  # HU
HOSTILE = "<b>&\"'</script><script>window.foreign = 1</script>"  # a text that must stay text


def sample(images: int = 5, modality: str = "CT", seed: int = 0) -> Sample:
    """White noise of ``NOISE`` on two tissues, half of it removed."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    clean = np.where(np.hypot(x, y) < 0.45 * SIDE, 40.0, -1000.0) + np.where(np.hypot(x - 10, y) < 8, 60.0, 0.0)
    if modality != "CT":
        clean += 1000
    rng = np.random.default_rng(seed)
    pairs = []
    for number in range(1, images + 1):
        noise = rng.normal(0, NOISE, clean.shape)
        before, after = ((clean + share * noise).astype(np.float32) for share in (1, 0.5))
        pairs.append(ImagePair(number, before, after, np.ones(clean.shape, bool)))
    return Sample(tuple(pairs), images, (0.7, 0.7), "HU" if modality == "CT" else "")


def content(images: int = 5, modality: str = "CT") -> Content:
    taken = sample(images, modality)
    facts = {"source": "series 2, UID ending ..12345678", "settings": HOSTILE}
    reason = "strength 100 percent did not pass"
    return content_of(modality, "series 2", facts, (assessment(),), reason, taken, window_of(modality, taken, None))


def assessment() -> Assessment:
    """One light that is on, and one that is off."""
    checks = (Check("mean_bias", -0.02, 1, "HU", "means stay"), Check("slice_order", 2.5, 1, "", "slices stay"))
    levels = (LevelBias(-900, 0.1, 640), LevelBias(40, -0.3, 6400), LevelBias(100, 0.2, 640))
    return Assessment(60, checks, NOISE, NOISE / 2, "HU", levels)
