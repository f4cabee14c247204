"""What the report's tests lay out: disks of soft tissue in noise, half of which is removed."""

import numpy as np

from operators.quality.assessment import Assessment, Check, LevelBias
from operators.report.content import Content, Subject, content_of
from operators.report.sample import ImagePair, Sample
from operators.report.verdict import HandedOut

SIDE = 96
NOISE = 20.0  # HU
REASON = "strength 100 percent did not pass"
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
        before, after = ((clean + fraction * noise).astype(np.float32) for fraction in (1, 0.5))
        pairs.append(ImagePair(number, before, after, np.ones(clean.shape, bool)))
    return Sample(tuple(pairs), images, (0.7, 0.7), "HU" if modality == "CT" else "")


def content(images: int = 5, modality: str = "CT", reason: str = REASON) -> Content:
    taken = sample(images, modality)
    facts = {"source": "series 2, UID ending ..12345678", "settings": HOSTILE}
    handed_out = HandedOut((assessment(),), ("",), reason)
    return content_of(Subject(modality, "series 2", facts), handed_out, taken, None)


def assessment() -> Assessment:
    """One check passed, one failed, one not measured."""
    checks = (
        Check("mean_bias", -0.02, 1, "HU", "means stay"),
        Check("level_bias", -0.4, 1, "HU", "levels stay", raw=-3.0),
        Check("slice_order", 2.5, 1, "", "slices stay"),
        Check("edge_width", None, 10, "%", "edges stay"),
    )
    levels = (LevelBias(-900, 0.1, 640, 0.02), LevelBias(40, -0.3, 6400, 0.1), LevelBias(100, 0.2, 640, 0.05))
    return Assessment(60, checks, NOISE, NOISE / 2, "HU", levels)
