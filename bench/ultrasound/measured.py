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
from models.fitting import FitContext
from models.ultrasound.brightness import restore_brightness
from models.ultrasound.speckle2self import Speckle2SelfSettings, denoise_clip
from validation.phantoms.speckle_physics import MAXIMUM

PUBLISHED_STEPS = 150
SEED = 0
LONG = 1e5  # seconds; no budget shortens what is judged

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Measured:
    """Frames of the input's shape and what they cost."""

    images: Image
    seconds: float
    gib: float  # the process's peak


def measured(method: Callable[[Image, Mask], Image], frames: Image, tissue: Mask) -> Measured:
    """Run ``method(frames, tissue)`` in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, method, frames, tissue).result()


def _run(method: Callable[[Image, Mask], Image], frames: Image, tissue: Mask) -> Measured:
    started = time.monotonic()
    images = method(frames, tissue)
    seconds = time.monotonic() - started
    return Measured(images, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


def ours(frames: Image, tissue: Mask) -> Image:
    """The default, at its one setting."""
    return _fitted(frames, tissue, Speckle2SelfSettings())


def published(frames: Image, tissue: Mask) -> Image:
    """The published method, fitted on this clip."""
    return _fitted(frames, tissue, Speckle2SelfSettings("published", steps=PUBLISHED_STEPS))


def _fitted(frames: Image, tissue: Mask, settings: Speckle2SelfSettings) -> Image:
    return denoise_clip(
        frames,
        tissue,
        maximum=MAXIMUM,
        settings=settings,
        context=FitContext(choose_compute("cpu"), SEED, LONG, math.inf, "bench"),
    ).images


def framewise(filtered: Callable[[Image], Image], frames: Image, tissue: Mask) -> Image:
    """A filter of single frames over a clip, its brightness restored as ours is: one gain and offset."""
    images = np.stack([filtered(frame) for frame in frames])
    restored = np.clip(restore_brightness(frames, images, tissue), 0.0, MAXIMUM)
    return np.asarray(np.where(tissue, restored, frames), np.float32)
