"""How much work a clip gets: steps and offsets, from its size, the device and the budget, never from a clock."""

from dataclasses import dataclass

import numpy as np

from models.compute import Compute
from models.ultrasound.retrieval import FRAMES_ALONG
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.ultrasound.speckle_loss import CROP, CROPS

SECONDS_PER_MEGAPIXEL_STEP = {  # (variant, device kind, precision): measured on two cores; cuda: assumed
    ("default", "cpu", "bfloat16"): 0.6,
    ("default", "cpu", "float32"): 1.1,
    ("default", "cuda", "bfloat16"): 0.05,
    ("default", "cuda", "float32"): 0.1,
    ("published", "cpu", "bfloat16"): 4.0,
    ("published", "cpu", "float32"): 6.0,
    ("published", "cuda", "bfloat16"): 0.15,
    ("published", "cuda", "float32"): 0.3,
}
SECONDS_PER_MEGAPIXEL_OFFSET = {"cpu": 0.025, "cuda": 0.001}  # of one offset in both directions
SECONDS_PER_MEGAPIXEL_OUTPUT = {"cpu": 1.8, "cuda": 0.03}  # of one frame: network, offsets along time, near offsets
FIT_FRACTION, SEARCH_FRACTION = 0.4, 0.35  # of the budget, to planned steps and offsets; the rest is slack
MINIMUM_STEPS = 20  # below this the network has hardly changed from its initial smoothing
MINIMUM_OFFSETS = 20  # below this too little similar tissue is found
CINE_OFFSETS = 0.4  # of the offsets of a still: a cine's frames help each other
OUTPUT_ROUNDS = 2  # of retrieval along the output
FIT_FRAMES = 4  # of a cine are fitted; its frames are similar
RENEWALS = 2  # of the estimate during a fit, evenly spaced
PASSES = 1 + RENEWALS  # of retrieval over the fitted frames


@dataclass(frozen=True)
class Plan:
    """Work for one clip."""

    steps: int
    fit_offsets: int  # for each fitted frame
    output_offsets: int  # for each frame of the output


def plan_work(shape: tuple[int, ...], settings: Speckle2SelfSettings, compute: Compute, budget: float) -> Plan:
    """Return the most work that the budget allows, with at most the steps and offsets of the settings.

    Args:
        shape: (frames, rows, columns) of the clip.
        budget: seconds for this clip.
    """
    frames, megapixels, offsets = shape[0], shape[1] * shape[2] / 1e6, settings.search_offsets
    left = max(0.0, budget - frames * megapixels * SECONDS_PER_MEGAPIXEL_OUTPUT[compute.kind])
    step_megapixels = megapixels if settings.variant == "published" else CROPS * CROP**2 / 1e6  # whole frames or crops
    step_cost = SECONDS_PER_MEGAPIXEL_STEP[settings.variant, compute.kind, compute.precision] * step_megapixels
    steps = _limited(FIT_FRACTION * left / step_cost, settings.steps, MINIMUM_STEPS)
    output_wanted = offsets if frames <= FRAMES_ALONG[0] else CINE_OFFSETS * offsets
    work = megapixels * (min(frames, FIT_FRAMES) * PASSES * offsets + OUTPUT_ROUNDS * frames * output_wanted)
    allowed = SEARCH_FRACTION * left / (SECONDS_PER_MEGAPIXEL_OFFSET[compute.kind] * max(work, 1e-9))
    fit_offsets, output_offsets = (
        min(offsets, _limited(allowed * wanted, wanted, MINIMUM_OFFSETS)) for wanted in (offsets, output_wanted)
    )
    return Plan(min(steps, settings.steps), fit_offsets, output_offsets)


def _limited(affordable: float, wanted: float, least: int) -> int:
    """Return the affordable work, but no more than wanted and no less than ``least``."""
    return int(np.clip(affordable, least, max(wanted, least)))
