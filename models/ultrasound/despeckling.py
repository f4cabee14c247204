"""The default ultrasound fit: retrieval and a network take turns, each with what the other made of the clip.

In: a clip in units of its spread and its tissue; out: the clip without speckle, and the steps taken.
Order: initial estimate by retrieval among raw patches -> fit on transplanted speckle, the estimate renewed by retrieval
along the network's output -> every frame through the network -> a cine's frames, output and raw, averaged along time
where they are similar -> twice the mean of that output and of retrieval along it -> what is left of the grain settled
by its similar neighbours.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from models.compute import Compute
from models.fitting import FitContext, fit
from models.ultrasound.perturbation import gaussian
from models.ultrasound.retrieval import Likeness, draw_offsets, near_offsets, offsets_in_time, retrieve
from models.ultrasound.speckle_loss import TransplantLoss
from models.ultrasound.speckle_network import ScaleMixer
from models.ultrasound.speckle_plan import FIT_FRAMES, OUTPUT_ROUNDS, RENEWALS, Plan

CHANNELS = 16  # of the network's first level
LEARNING_RATE = 2e-3
BACKGROUND_SIGMA = 5.0, 7.0  # pixels, axial and lateral; what is left above it is speckle
BRIGHTEST_SPECKLE = 2.2  # sds; one grain of speckle in 10000 is brighter: what is, is an echo and not to be removed
ECHO = 3, 5  # pixels, axial and lateral: the grain of the speckle
FIRST_PATCH, FIRST_TOLERANCE = 13, 1.0  # pixels, speckle sds; raw patches of one tissue differ by 1.4 of them
GUIDED_PATCH, GUIDED_TOLERANCE = 3, 0.4  # pixels, speckle sds; the guide's own noise is a fifth of one
ALONG_PATCH, ALONG_TOLERANCE = 7, 0.4  # pixels, speckle sds; of a place in other frames of a cine
SETTLED_PATCH, SETTLED_TOLERANCE = 1, 0.1  # pixels, speckle sds; what is left of the speckle's grain after retrieval


@dataclass(frozen=True)
class ScaledClip:
    """Frames of zero mean and unit spread inside the tissue, zero outside."""

    frames: torch.Tensor  # (frames, rows, columns) float32
    tissue: torch.Tensor  # (rows, columns) bool


def despeckle(
    clip: ScaledClip,
    plan: Plan,
    context: FitContext,
) -> tuple[torch.Tensor, int]:
    """The clip without speckle, and the steps taken."""
    compute, rng = context.compute, np.random.default_rng(context.seed)
    network = ScaleMixer(CHANNELS).to(compute.device)
    chosen = np.unique(np.linspace(0, len(clip.frames) - 1, FIT_FRAMES).round().astype(int))
    fitted = clip.frames[chosen]
    sd = speckle_sd(ScaledClip(fitted, clip.tissue))
    first, guided = Likeness(FIRST_PATCH, FIRST_TOLERANCE * sd), Likeness(GUIDED_PATCH, GUIDED_TOLERANCE * sd)
    offsets = draw_offsets(plan.fit_offsets, rng)

    def renew(learnt: bool) -> torch.Tensor:
        with torch.autocast(compute.kind, enabled=False):
            guide, likeness = (predict(network, fitted, compute), guided) if learnt else (fitted, first)
            estimate = retrieve(fitted, guide, clip.tissue, offsets, likeness, context.deadline)
            return keep_echoes(estimate, fitted, BRIGHTEST_SPECKLE * sd)

    renewals = frozenset(plan.steps * turn // (RENEWALS + 1) for turn in range(1, RENEWALS + 1))
    draw_loss = TransplantLoss(network, fitted, clip.tissue, context.seed, renew, renewals)
    taken = fit(network, draw_loss, context, steps=plan.steps, learning_rate=LEARNING_RATE)
    image = keep_echoes(predict(network, clip.frames, compute), clip.frames, BRIGHTEST_SPECKLE * sd)
    return _refined(image, clip, plan.output_offsets, sd, rng, context.deadline), taken


def _refined(
    image: torch.Tensor, clip: ScaledClip, offsets: int, sd: float, rng: np.random.Generator, deadline: float
) -> torch.Tensor:
    """The network's output averaged with what was recorded where it is alike, in time and in the frame."""
    along, guided, settled = (
        Likeness(patch, tolerance * sd)
        for patch, tolerance in (
            (ALONG_PATCH, ALONG_TOLERANCE),
            (GUIDED_PATCH, GUIDED_TOLERANCE),
            (SETTLED_PATCH, SETTLED_TOLERANCE),
        )
    )
    image = retrieve(image, image, clip.tissue, offsets_in_time(), along, deadline)
    raw = retrieve(clip.frames, image, clip.tissue, offsets_in_time(), along, deadline)
    for _ in range(OUTPUT_ROUNDS):
        recorded = retrieve(raw, image, clip.tissue, draw_offsets(offsets, rng), guided, deadline)
        if time.monotonic() > deadline:
            break  # a mean over too few offsets is of no use
        image = 0.5 * (image + recorded)
    return retrieve(image, image, clip.tissue, near_offsets(), settled, deadline)


def keep_echoes(image: torch.Tensor, frames: torch.Tensor, brightest: float) -> torch.Tensor:
    """The image at most ``brightest`` darker than the frames, less so around what exceeds it: an echo keeps its foot.

    Both are (frames, rows, columns).
    """
    excess = (frames - image - brightest).clamp(min=0.0)
    rows, columns = (side // 2 for side in ECHO)
    near = functional.max_pool2d(excess[:, None], ECHO, 1, (rows, columns))[:, 0]
    return torch.maximum(image, frames - (brightest - near).clamp(min=0.0))


def speckle_sd(clip: ScaledClip) -> float:
    """Standard deviation of fully developed speckle: the median over the brighter half, which black does not clip."""
    frames = clip.frames[:, None]
    level = gaussian(frames, *BACKGROUND_SIGMA)
    variance = gaussian((frames - level).square(), *BACKGROUND_SIGMA)[:, 0, clip.tissue]
    level = level[:, 0, clip.tissue]
    return float(variance[level >= level.median()].median().sqrt())


@torch.no_grad()
def predict(network: torch.nn.Module, frames: torch.Tensor, compute: Compute) -> torch.Tensor:
    """Every frame (frames, rows, columns) through the network, float32."""
    with compute.autocast():
        return torch.stack([network(frame[None, None])[0, 0].float() for frame in frames])
