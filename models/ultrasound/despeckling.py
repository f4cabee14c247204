"""The default ultrasound fit: retrieval and a network take turns, each works on the other's result.

In: a clip in units of its spread, and its tissue. Out: the clip without speckle, and the steps taken.

Order: initial estimate by retrieval, guided by a cine's frames averaged over time, or by a first estimate of a still
from its raw patches -> fit on transplanted speckle, the estimate renewed by retrieval guided by the network's output ->
every frame through the network -> a cine's frames, output and raw, averaged over time where they are similar -> the
mean of output and retrieval guided by it, twice for a still -> the rest of the grain averaged over similar neighbours.

Small faint cysts and the fibres of muscle do not stand out of the speckle of one frame, so that comparing its patches
fills them; they stand out of the mean of seven frames, and of a first estimate. Both guide the initial estimate alone:
tissue that moves is smeared in the mean.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from models.compute import Compute
from models.filters import gaussian
from models.fitting import FitContext
from models.robust import evenly_spaced
from models.training_loop import fit
from models.ultrasound.retrieval import (
    FIT_REACH,
    FRAMES_AT_ONCE,
    SearchOffset,
    Similarity,
    draw_offsets,
    is_cine,
    near_offsets,
    offsets_in_time,
    retrieve,
)
from models.ultrasound.speckle_loss import TransplantLoss
from models.ultrasound.speckle_network import ScaleMixer
from models.ultrasound.speckle_plan import FIT_FRAMES, RENEWALS, Plan, after_steps, output_rounds, step_with_renewals

CHANNELS = 16  # of the network's first scale
LEARNING_RATE = 2e-3
BACKGROUND_SIGMA = 5.0, 7.0  # pixels, axial and lateral; the difference from this background is speckle
BRIGHTEST_SPECKLE = 2.2  # speckle sds; one grain of speckle in 10000 is brighter, so that brighter pixels are echoes
ECHO = 3, 5  # pixels, axial and lateral: the grain of the speckle
RAW = Similarity(13, 1.0)  # pixels, speckle sds; raw patches of one tissue differ by 1.4 of them
BY_MEANS = Similarity(9, 1.2)  # of a cine's means over time: patches no larger than a small cyst; sds of their speckle
BY_ESTIMATE = Similarity(7, 0.4)  # of a still's first estimate; with .3 a point of the demo's still fades
GUIDED = Similarity(3, 0.4)  # the guide's own noise is a fifth of a speckle sd
IN_TIME = Similarity(7, 0.4)  # of the same place in other frames of a cine
IN_GRAIN = Similarity(1, 0.1)  # what is left of the speckle's grain after retrieval


@dataclass(frozen=True)
class ScaledClip:
    """Frames of zero mean and unit spread inside the tissue; outside each pixel has the value of the nearest tissue."""

    frames: torch.Tensor  # (frames, rows, columns) float32
    tissue: torch.Tensor  # (rows, columns) bool


def despeckle(clip: ScaledClip, plan: Plan, context: FitContext) -> tuple[torch.Tensor, int]:
    """Return the clip without speckle, and the steps taken."""
    compute, rng = context.compute, np.random.default_rng(context.seed)
    network = ScaleMixer(CHANNELS).to(compute.device)
    chosen = evenly_spaced(len(clip.frames), FIT_FRAMES)
    fitted = clip.frames[chosen]
    sd = speckle_sd(ScaledClip(fitted, clip.tissue))
    offsets = draw_offsets(plan.fit_offsets, rng, FIT_REACH)
    in_time = context.before(after_steps(context.costs, clip.frames.shape, plan))

    def search(guide: torch.Tensor, similarity: Similarity) -> torch.Tensor:
        return retrieve(fitted, guide, clip.tissue, offsets, similarity, in_time.latest)

    def search_first(guide: torch.Tensor, similarity: Similarity) -> torch.Tensor:
        with context.stage("offset", fitted.numel() * len(offsets)):
            return search(guide, similarity)

    if is_cine(len(clip.frames)):
        raw = clip.frames
        means = retrieve(raw, raw, clip.tissue, offsets_in_time(), RAW.scaled_by(sd), in_time.latest)[chosen]
        first = means, BY_MEANS.scaled_by(speckle_sd(ScaledClip(means, clip.tissue)))
    else:
        first = search_first(fitted, RAW.scaled_by(sd)), BY_ESTIMATE.scaled_by(sd)

    def renew(by_network: bool) -> torch.Tensor:
        with torch.autocast(compute.kind, enabled=False):
            if by_network:
                estimate = search(predict(network, fitted, compute), GUIDED.scaled_by(sd))
            else:
                estimate = search_first(*first)
            return restore_echoes(estimate, fitted, BRIGHTEST_SPECKLE * sd)

    renewals = frozenset(plan.steps * turn // (RENEWALS + 1) for turn in range(1, RENEWALS + 1))
    draw_loss = TransplantLoss(network, fitted, clip.tissue, context.seed, renew, renewals)
    cost = step_with_renewals(context.costs, fitted.shape, plan)
    taken = fit(network, draw_loss, in_time, steps=plan.steps, learning_rate=LEARNING_RATE, cost=cost)
    image = restore_echoes(predict(network, clip.frames, compute), clip.frames, BRIGHTEST_SPECKLE * sd)
    rounds = [draw_offsets(plan.output_offsets, rng) for _ in range(output_rounds(len(clip.frames)))]
    return _refined(image, clip, rounds, sd, context), taken


def restore_echoes(image: torch.Tensor, frames: torch.Tensor, brightest: float) -> torch.Tensor:
    """Return the image, raised to at most ``brightest`` below the frames, and nearer to them around echoes.

    Echoes exceed the image by more than ``brightest``. Both are (frames, rows, columns).
    """
    excess = (frames - image - brightest).clamp(min=0.0)
    rows, columns = (side // 2 for side in ECHO)
    near = functional.max_pool2d(excess[:, None], ECHO, 1, (rows, columns))[:, 0]
    return torch.maximum(image, frames - (brightest - near).clamp(min=0.0))


def speckle_sd(clip: ScaledClip) -> float:
    """Return the sd of fully developed speckle: the median of what is above the mean, which black does not clip."""
    frames = clip.frames[:, None]
    background = gaussian(frames, BACKGROUND_SIGMA)
    variance = gaussian((frames - background).square(), BACKGROUND_SIGMA)[:, 0, clip.tissue]
    background = background[:, 0, clip.tissue]
    return float(variance[background >= background.mean()].median().sqrt())


@torch.no_grad()
def predict(network: torch.nn.Module, frames: torch.Tensor, compute: Compute) -> torch.Tensor:
    """Return every frame (frames, rows, columns) through the network, float32."""
    with compute.autocast():
        batches = torch.split(frames, FRAMES_AT_ONCE[frames.device.type])
        return torch.cat([network(batch[:, None])[:, 0].float() for batch in batches])


def _refined(
    image: torch.Tensor, clip: ScaledClip, rounds: list[tuple[SearchOffset, ...]], sd: float, context: FitContext
) -> torch.Tensor:
    """Return the network's output averaged with the recorded frames where they are similar, in time and in space."""
    guided, in_time, in_grain = (similarity.scaled_by(sd) for similarity in (GUIDED, IN_TIME, IN_GRAIN))
    image = retrieve(image, image, clip.tissue, offsets_in_time(), in_time, context.latest)
    raw = retrieve(clip.frames, image, clip.tissue, offsets_in_time(), in_time, context.latest)
    for offsets in rounds:
        recorded = retrieve(raw, image, clip.tissue, offsets, guided, context.latest)
        if context.expired:
            break  # a mean over too few offsets is of no use
        image = 0.5 * (image + recorded)
    return retrieve(image, image, clip.tissue, near_offsets(), in_grain, context.latest)
