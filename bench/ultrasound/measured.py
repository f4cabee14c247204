"""One denoising in a fresh process: its result, its seconds and the peak of its memory."""

import math
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt

from models.compute import choose_compute
from models.fitting import Denoised, FitContext
from models.ultrasound.brightness import restore_brightness
from models.ultrasound.speckle2self import denoise_clip
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from operators.default_strength import default_strength
from validation.phantoms.speckle_physics import MAXIMUM

PUBLISHED_STEPS = 150
SEED = 0
DEFAULT = Speckle2SelfSettings()
LONG = 1e5  # seconds; no budget shortens what is judged

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TimedImages:
    """Frames of the input's shape and what they cost."""

    images: Image
    seconds: float
    gib: float  # the process's peak


def measured(method: Callable[[Image, Mask], Image], frames: Image, tissue: Mask) -> TimedImages:
    """Run ``method(frames, tissue)`` in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, method, frames, tissue).result()


def _run(method: Callable[[Image, Mask], Image], frames: Image, tissue: Mask) -> TimedImages:
    started = time.monotonic()
    images = method(frames, tissue)
    seconds = time.monotonic() - started
    return TimedImages(images, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


def ours(frames: Image, tissue: Mask) -> Image:
    """The default, at its one setting."""
    return fitted(frames, tissue, Speckle2SelfSettings()).images


def delivered(frames: Image, tissue: Mask, settings: Speckle2SelfSettings = DEFAULT) -> Image:
    """What a run that names no strength hands out."""
    done = fitted(frames, tissue, settings)
    return frames + np.float32(default_strength([done.record], "US") / 100) * (done.images - frames)


def published(frames: Image, tissue: Mask) -> Image:
    """The published method, fitted on this clip."""
    return fitted(frames, tissue, Speckle2SelfSettings("published", steps=PUBLISHED_STEPS)).images


def fitted(frames: Image, tissue: Mask, settings: Speckle2SelfSettings) -> Denoised:
    """Fit the clip as long as the settings say."""
    return denoise_clip(
        frames,
        tissue,
        maximum=MAXIMUM,
        settings=settings,
        context=FitContext(choose_compute("cpu"), SEED, LONG, math.inf, "bench"),
    )


def framewise(filtered: Callable[[Image], Image], frames: Image, tissue: Mask) -> Image:
    """A filter of single frames over a clip, its brightness restored as ours is: one gain and offset."""
    images = np.stack([filtered(frame) for frame in frames])
    restored = np.clip(restore_brightness(frames, images, tissue), 0.0, MAXIMUM)
    return np.asarray(np.where(tissue, restored, frames), np.float32)
