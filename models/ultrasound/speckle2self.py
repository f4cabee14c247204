"""Despeckling of one ultrasound clip by a network fitted on that clip alone, after Speckle2Self (arXiv 2507.06828).

In: stored grey frames of one still or one cine and the mask of tissue. Out: the same with the speckle removed, each
pixel at the mean grey of its tissue (the mean of log-compressed speckle), and nothing changed outside the tissue.

Order: crop to the tissue -> plan the work from the budget -> scale grey by the clip's spread -> fit the variant
(``default``: despeckling.py; ``published``: the published scales, losses and network) -> restore the brightness by
one gain and offset for the whole clip -> (``default``) give lines and spots back as recorded -> blend into the frames,
over some pixels at the border of the tissue.
"""

import math

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import distance_transform_edt

from models.costs import Cost
from models.fitting import Denoised, FitContext, WorkDone
from models.robust import evenly_spaced
from models.training_loop import fit
from models.ultrasound.brightness import restore_brightness
from models.ultrasound.despeckling import ScaledClip, despeckle, predict, speckle_sd
from models.ultrasound.feather import feather
from models.ultrasound.perturbation import to_unit_range
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.ultrasound.speckle_loss import PublishedLoss
from models.ultrasound.speckle_network import PublishedNetwork
from models.ultrasound.speckle_plan import FIT_FRAMES, STEP_UNITS, Plan, after_steps, most_plan, plan_work
from models.ultrasound.structures import restore_structures

METHOD = "Speckle2Self"
LEARNING_RATE = 1e-3  # of the published method
SPECKLE_PERCENT = "speckle_percent"  # measure of a fit: sd of the recorded speckle, of the full grey scale
STRUCTURES_PERCENT = "structures_percent"  # measure of a fit: of the tissue, where lines and spots were given back

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def denoise_clip(
    frames: Image,
    tissue: Mask,
    *,
    maximum: float,
    settings: Speckle2SelfSettings,
    context: FitContext,
) -> Denoised:
    """Remove the speckle of one still (one frame) or one cine.

    Args:
        frames: (frames, rows, columns) stored grey, 0 to ``maximum``.
        tissue: (rows, columns); pixels outside neither train nor change.
        maximum: largest storable grey.
        settings: variant, steps and search offsets.
        context: compute, seed, budget, deadline and label of this fit.

    Returns:
        Frames of the same shape, equal to the input outside the tissue, and the record of the fit.
    """
    images, work = frames.astype(np.float32), WorkDone(0, 0)
    measures: dict[str, float] = {}
    if tissue.any() and np.ptp(frames[:, tissue]) > 0.0:
        rows, columns = (slice(axis.min(), axis.max() + 1) for axis in np.nonzero(tissue))
        window, inside = images[:, rows, columns], tissue[rows, columns]
        plan = plan_work(window.shape, settings, context.costs, context.budget)
        with context.seeded():
            predicted, taken = _fit_variant(window, inside, plan, settings.variant, context)
        output = np.clip(restore_brightness(window, predicted, inside), 0.0, maximum)
        if settings.variant == "default":
            measures[SPECKLE_PERCENT] = 100 * _speckle_sd(window, inside) / maximum
            output, measures[STRUCTURES_PERCENT] = restore_structures(window, output, inside, context.compute.device)
        images[:, rows, columns] = window + feather(tissue)[rows, columns] * (output - window)
        work = WorkDone(plan.steps, taken, plan.given_up(most_plan(window.shape, settings), taken))
    return Denoised(images, context.record(METHOD, settings.variant, work, measures))


def _speckle_sd(frames: Image, tissue: Mask) -> float:
    clip = np.where(tissue, frames[evenly_spaced(len(frames), FIT_FRAMES)], 0).astype(np.float32)
    return speckle_sd(ScaledClip(torch.from_numpy(clip), torch.from_numpy(tissue)))


def _fit_variant(frames: Image, tissue: Mask, plan: Plan, variant: str, context: FitContext) -> tuple[Image, int]:
    device = context.compute.device
    mean, spread = (float(f(frames[:, tissue], dtype=np.float64)) for f in (np.mean, np.std))
    rows, columns = distance_transform_edt(~tissue, return_distances=False, return_indices=True)
    filled = np.ascontiguousarray(frames[:, rows, columns])  # numpy lays the frames of one pixel side by side
    scaled = torch.from_numpy((filled - mean) / spread).to(device, torch.float32)
    clip = ScaledClip(scaled, torch.from_numpy(tissue).to(device))
    if variant == "published":
        predicted, taken = _fit_published(clip, plan, context)
    else:
        predicted, taken = despeckle(clip, plan, context)
    return predicted.cpu().numpy() * np.float32(spread) + np.float32(mean), taken


def _fit_published(clip: ScaledClip, plan: Plan, context: FitContext) -> tuple[torch.Tensor, int]:
    """Speckle2Self as published, on this clip: its output has no absolute brightness."""
    network = PublishedNetwork().to(context.compute.device)
    draw_loss = PublishedLoss(network, clip.frames, clip.tissue, context.seed)
    shape = clip.frames.shape
    in_time = context.before(after_steps(context.costs, shape, plan))
    cost = Cost(context.costs[STEP_UNITS["published"]].of(math.prod(shape[1:])), 0.0, 0.0)
    taken = fit(network, draw_loss, in_time, steps=plan.steps, learning_rate=LEARNING_RATE, cost=cost)
    return predict(network, to_unit_range(clip.frames[:, None])[:, 0], context.compute), taken
