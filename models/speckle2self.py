"""Despeckling of one ultrasound clip by a network fitted on that clip alone, after Speckle2Self (arXiv 2507.06828).

In: stored grey frames of one still or one cine and the mask of tissue; out: the same with the speckle removed, each
pixel at the mean grey of its tissue (the mean of log-compressed speckle), and nothing changed outside the tissue.

Order: grey to units of the clip's spread -> targets (``default``: retrieved beyond the speckle's reach; ``paper``:
the clip's own scales) -> one fit of planned length -> every frame through the network -> brightness restored by one
gain and offset for the whole clip.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from models.brightness import restore_brightness
from models.compute import Compute
from models.fitting import Denoised, FitRecord, fit
from models.speckle_loss import CROP, CROPS, PaperLoss, RetrievalLoss
from models.speckle_network import PublishedNetwork, ScaleMixer

METHOD = "Speckle2Self"
SECONDS_PER_MEGAPIXEL_STEP = {  # (variant, device kind, precision): of one step, measured, two cores or one H200 class
    ("default", "cpu", "bfloat16"): 0.8,
    ("default", "cpu", "float32"): 1.6,
    ("default", "cuda", "bfloat16"): 0.03,
    ("default", "cuda", "float32"): 0.05,
    ("paper", "cpu", "bfloat16"): 3.0,
    ("paper", "cpu", "float32"): 5.0,
    ("paper", "cuda", "bfloat16"): 0.1,
    ("paper", "cuda", "float32"): 0.15,
}
FIT_SHARE = 0.6  # of the budget goes to planned steps; the rest is targets, output and slack
MINIMUM_STEPS = 20  # below this the network is still its first guess

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Speckle2SelfSettings:
    """What a user may choose; ``variant`` paper is the published method, fitted on the clip at hand."""

    variant: Literal["default", "paper"] = "default"
    steps: int = 250
    learning_rate: float = 2e-3
    channels: int = 24  # of the default network's first level
    candidates: int = 300  # places looked at for each target
    matches: int = 32  # best of them that are averaged


def denoise_clip(
    frames: Image,
    tissue: Mask,
    *,
    maximum: float,
    settings: Speckle2SelfSettings,
    compute: Compute,
    seed: int,
    budget: float,
    label: str,
) -> Denoised:
    """Remove the speckle of one still (one frame) or one cine.

    Args:
        frames: (frames, rows, columns) stored grey, 0 to ``maximum``.
        tissue: (rows, columns); pixels outside neither train nor change.
        maximum: largest storable grey.
        budget: seconds for this clip, from which the steps are planned; the clock only stops what overruns it.
        label: shown beside the progress; holds nothing of the patient.

    Returns:
        Frames of the same shape, equal to the input outside the tissue, and the record of the fit.
    """
    started = time.monotonic()
    steps = plan_steps(settings, compute, budget)
    inside = frames[:, tissue]
    if inside.size == 0 or float(np.ptp(inside)) == 0.0:
        return Denoised(frames.copy(), _record(settings, compute, seed, steps=0, taken=0))
    mean, spread = float(inside.mean(dtype=np.float64)), float(inside.std(dtype=np.float64))
    filled = torch.from_numpy((np.where(tissue, frames, mean) - mean) / spread).to(compute.device, torch.float32)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = _network(settings).to(compute.device)
    draw_loss = _loss(settings, network, filled, torch.from_numpy(tissue).to(compute.device), seed)
    rate, deadline = settings.learning_rate, started + budget
    taken = fit(network, draw_loss, compute, steps=steps, learning_rate=rate, deadline=deadline, label=label)
    predicted = restore_brightness(frames, _predict(network, filled, compute) * spread + mean, tissue)
    images = np.where(tissue, np.clip(predicted, 0.0, maximum), frames).astype(np.float32)
    return Denoised(images, _record(settings, compute, seed, steps, taken))


def plan_steps(settings: Speckle2SelfSettings, compute: Compute, budget: float) -> int:
    """Steps that fit the budget by the written cost table, at most those of the settings."""
    cost = SECONDS_PER_MEGAPIXEL_STEP[settings.variant, compute.kind, compute.precision] * CROPS * CROP**2 / 1e6
    return int(np.clip(FIT_SHARE * budget / cost, MINIMUM_STEPS, settings.steps))


def _record(settings: Speckle2SelfSettings, compute: Compute, seed: int, steps: int, taken: int) -> FitRecord:
    return FitRecord(METHOD, settings.variant, compute.kind, compute.precision, seed, steps, taken)


def _network(settings: Speckle2SelfSettings) -> torch.nn.Module:
    return PublishedNetwork() if settings.variant == "paper" else ScaleMixer(settings.channels)


def _loss(
    settings: Speckle2SelfSettings, network: torch.nn.Module, frames: torch.Tensor, tissue: torch.Tensor, seed: int
) -> Callable[[], torch.Tensor]:
    if settings.variant == "paper":
        return PaperLoss(network, frames, tissue, seed)
    return RetrievalLoss(network, frames, tissue, seed, settings.candidates, settings.matches)


@torch.no_grad()
def _predict(network: torch.nn.Module, frames: torch.Tensor, compute: Compute) -> Image:
    network.eval()
    with compute.autocast():
        planes = [network(frame[None, None])[0, 0].float().cpu().numpy() for frame in frames]
    return np.stack(planes)
