"""How much work a clip gets: steps and looks planned from its size, the device and the budget, never from a clock."""

from dataclasses import dataclass

import numpy as np

from models.compute import Compute
from models.retrieval import FRAMES_ALONG
from models.speckle_loss import CROP, CROPS

SECONDS_PER_MEGAPIXEL_STEP = {  # (variant, device kind, precision): measured on two cores; one GPU is a guess
    ("default", "cpu", "bfloat16"): 0.6,
    ("default", "cpu", "float32"): 1.1,
    ("default", "cuda", "bfloat16"): 0.05,
    ("default", "cuda", "float32"): 0.1,
    ("paper", "cpu", "bfloat16"): 4.0,
    ("paper", "cpu", "float32"): 6.0,
    ("paper", "cuda", "bfloat16"): 0.15,
    ("paper", "cuda", "float32"): 0.3,
}
SECONDS_PER_MEGAPIXEL_LOOK = {"cpu": 0.025, "cuda": 0.001}  # of one look in both directions
SECONDS_PER_MEGAPIXEL_OUTPUT = {"cpu": 1.8, "cuda": 0.03}  # of one frame: network, looks along time, near looks
FIT_SHARE, LOOK_SHARE = 0.4, 0.35  # of the budget, to planned steps and looks; the rest is slack
MINIMUM_STEPS = 20  # below this the network is still its first guess
MINIMUM_LOOKS = 20  # below this too little like tissue is found
CINE_LOOKS = 0.4  # of the looks of a still: a cine's frames help each other
OUTPUT_ROUNDS = 2  # of retrieval along the output
FIT_FRAMES = 4  # of a cine are fitted; its frames are much alike
RENEWALS = 2  # of the clean guess during a fit, evenly spaced
PASSES = 1 + RENEWALS  # of retrieval over the fitted frames


@dataclass(frozen=True)
class Plan:
    """Work for one clip."""

    steps: int
    fit_looks: int  # for each fitted frame
    output_looks: int  # for each frame handed out


def plan_work(shape: tuple[int, ...], variant: str, steps: int, looks: int, compute: Compute, budget: float) -> Plan:
    """The most the budget allows, ``steps`` and ``looks`` at most.

    Args:
        shape: (frames, rows, columns) of the clip.
        budget: seconds for this clip.
    """
    frames, megapixels = shape[0], shape[1] * shape[2] / 1e6
    left = max(0.0, budget - frames * megapixels * SECONDS_PER_MEGAPIXEL_OUTPUT[compute.kind])
    step_megapixels = megapixels if variant == "paper" else CROPS * CROP**2 / 1e6  # published: whole frames
    step_cost = SECONDS_PER_MEGAPIXEL_STEP[variant, compute.kind, compute.precision] * step_megapixels
    planned_steps = int(np.clip(FIT_SHARE * left / step_cost, MINIMUM_STEPS, max(steps, MINIMUM_STEPS)))
    wanted_out = looks if frames <= FRAMES_ALONG[0] else CINE_LOOKS * looks
    work = megapixels * (min(frames, FIT_FRAMES) * PASSES * looks + OUTPUT_ROUNDS * frames * wanted_out)
    allowed = LOOK_SHARE * left / (SECONDS_PER_MEGAPIXEL_LOOK[compute.kind] * max(work, 1e-9))
    fit_looks, output_looks = (
        int(np.clip(allowed * wanted, MINIMUM_LOOKS, max(wanted, MINIMUM_LOOKS))) for wanted in (looks, wanted_out)
    )
    return Plan(min(planned_steps, steps), min(fit_looks, looks), min(output_looks, looks))
