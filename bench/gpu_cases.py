"""The series that ``bench.gpu`` times, made from phantoms, and how they are denoised and checked in memory."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.compute import Compute
from models.fitting import FitContext
from models.ultrasound.speckle2self import denoise_clip
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.volume.ns_n2n import denoise_volume
from models.volume.ns_n2n_settings import NSN2NSettings
from models.volume.tissue import tissue_of
from operators.quality.clip_checks import ClipPair, assess_clip
from operators.quality.gate_settings import GateSettings
from operators.quality.restoring import restore
from operators.quality.volume_checks import assess_volume
from operators.quality.volume_pair import VolumePair
from validation.phantoms.ct_phantom import ct_phantom
from validation.phantoms.mr_phantom import mr_phantom
from validation.phantoms.pet_phantom import pet_phantom
from validation.phantoms.speckle_phantom import make_speckle_phantom

Images = npt.NDArray[np.float32]
SPACING = (1.0, 1.0, 1.0)  # mm
BUDGET, SMALL_BUDGET = 240.0, 1.0  # s, the command's default; for the fewest steps
GREY = 255.0  # of a clip


@dataclass(frozen=True)
class Case:
    """One series of known truth, the seconds that it may take, and the budget by which its work is planned."""

    name: str
    modality: str
    noisy: Images
    truth: Images
    bar: float
    budget: float = BUDGET

    def denoised(self, compute: Compute) -> Images:
        """Return the series through the default method with the default budget."""
        context = FitContext(compute, 0, self.budget, math.inf, self.name, modality=self.modality)
        if self.modality == "US":
            tissue, us = np.ones(self.noisy.shape[1:], bool), Speckle2SelfSettings()
            return denoise_clip(self.noisy, tissue, maximum=GREY, settings=us, context=context).images
        valid, settings = np.ones(self.noisy.shape, bool), NSN2NSettings()
        return denoise_volume(self.noisy, valid, spacing=SPACING, settings=settings, context=context).images

    def check(self, images: Images, compute: Compute) -> None:
        """Restore and assess ``images`` as the command would; a volume is changed."""
        settings = GateSettings()
        if self.modality == "US":
            tissue = np.ones(images.shape[1:], bool)
            assess_clip(ClipPair(self.noisy, images, tissue, GREY, compute.device), 100, settings)
            return
        threshold = tissue_of(self.noisy, self.modality).threshold
        pair = VolumePair(
            self.noisy, images, np.ones(images.shape, bool), SPACING, threshold, self.modality, compute.device
        )
        restore(pair, settings)
        assess_volume(pair, 100, settings)

    def psnr(self, images: Images) -> float:
        """Return the peak signal-to-noise ratio in dB; the peak is the truth's range."""
        error = float(np.sqrt(np.square(images - self.truth, dtype=np.float64).mean()))
        return 20 * math.log10(float(np.ptp(self.truth)) / max(error, 1e-9))


def cases(small: bool) -> list[Callable[[], Case]]:
    """Return the makers of all series; ``small`` ones only show that everything runs."""
    if small:
        return [
            lambda: replace(_volume("MR", (6, 48, 48), math.inf), budget=SMALL_BUDGET),
            lambda: replace(_clip("still", 1, 48, math.inf), budget=SMALL_BUDGET),
        ]
    return [
        lambda: _tiled("CT", (6, 2, 2), (50, 256, 256), 20.0),
        lambda: _volume("MR", (30, 256, 256), 3.0),
        lambda: _volume("PT", (40, 64, 64), 3.0),
        lambda: _clip("still", 1, 512, 2.0),
        lambda: _clip("cine", 64, 512, 5.0),
    ]


def compared(small: bool) -> Case:
    """Return the volume that both the GPU and the CPU denoise."""
    if small:
        return replace(_volume("CT", (8, 64, 64), math.inf), budget=SMALL_BUDGET)
    return _volume("CT", (24, 192, 192), math.inf)


def _volume(modality: str, shape: tuple[int, int, int], bar: float) -> Case:
    if modality == "PT":
        phantom = pet_phantom(seed=5)
    else:
        phantom = (ct_phantom if modality == "CT" else mr_phantom)(shape, seed=5)
    size = " x ".join(map(str, phantom.noisy.shape))
    return Case(f"{modality} {size}", modality, phantom.noisy.astype(np.float32), phantom.truth, bar)


def _tiled(modality: str, times: tuple[int, int, int], shape: tuple[int, int, int], bar: float) -> Case:
    """Return a phantom side by side with itself: larger ones take minutes to make."""
    part = _volume(modality, shape, bar)
    noisy, truth = (np.tile(images, times) for images in (part.noisy, part.truth))
    return Case(f"{modality} {' x '.join(map(str, noisy.shape))}", modality, noisy, truth, bar)


def _clip(name: str, frames: int, side: int, bar: float) -> Case:
    phantom = make_speckle_phantom(side, side, frames, np.random.default_rng(5))
    return Case(f"{name} {frames} x {side} x {side}", "US", phantom.frames, phantom.truth, bar)
