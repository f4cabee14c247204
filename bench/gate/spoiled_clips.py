"""An ultrasound still of known truth, honest and spoiled."""

import numpy as np

from bench.gate.honest_outputs import SETTINGS, part_of
from bench.gate.spoilers import STRETCH
from operators.quality.clip_checks import ClipPair, assess_clip
from validation.phantoms.speckle_phantom import make_speckle_phantom

SHIFT = 8.0  # grey values of 255: 3 %


def clip_trial(seed: int) -> dict[str, tuple[str, ...]]:
    """Return the failed checks of each; what is retained of the speckle is as in a volume."""
    rng = np.random.default_rng(seed)
    made = make_speckle_phantom(192, 192, 3, rng)
    tissue = np.ones(made.truth.shape[1:], bool)
    after = made.truth + part_of(rng, made.frames - made.truth)
    middle = after.mean()
    spoiled = {
        "honest": after,
        "contrast +10 %": middle + STRETCH * (after - middle),
        "offset 3 HU / 3 %": after + SHIFT,
        "one frame 3 % brighter": after + np.float32([0, SHIFT, 0])[:, None, None],
    }
    pairs = {name: ClipPair(made.frames, image.astype(np.float32), tissue, 255.0) for name, image in spoiled.items()}
    return {
        name: tuple(check.name for check in assess_clip(pair, 100, SETTINGS).faults) for name, pair in pairs.items()
    }
