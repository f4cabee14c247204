"""The study of the demo: one series of each kind, sized so that all are denoised in minutes on two cores."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from validation.phantoms.anatomy import Mask, Phantom, Volume
from validation.phantoms.ct_phantom import ct_phantom
from validation.phantoms.mr_phantom import mr_phantom
from validation.phantoms.pet_phantom import pet_phantom
from validation.phantoms.phantom_study import write_cine, write_still, write_volume
from validation.phantoms.speckle_phantom import make_speckle_phantom

CT_SHAPE, MR_SHAPE, PET_SHAPE = (24, 160, 160), (32, 128, 128), (40, 64, 64)
STILL_SIZE, CINE_SIZE, CINE_FRAMES = 256, 160, 5
GREY = (0.0, 255.0)


@dataclass(frozen=True)
class DemoSeries:
    """A series of the study with its truth, and how it is judged."""

    name: str
    uid: str
    truth: Volume  # (slices or frames, rows, columns)
    region: Mask  # where PSNR and SSIM are taken, same shape
    region_name: str
    even: Mask  # where the noise is measured, same shape
    mean_of: Mask  # where the mean must be kept, same shape
    mean_unit: str  # "HU": the mean's change is told in HU; "%": in percent of it
    mean_of_truth: bool  # the mean is held against the truth's, not the input's: magnitude noise shifts the input's
    data_range: float  # of PSNR and SSIM
    windows: Mapping[str, tuple[float, float]]  # of the pictures, by name


def make_study(folder: Path, seed: int) -> list[DemoSeries]:
    """Write the study and return its series."""
    still = make_speckle_phantom(STILL_SIZE, STILL_SIZE, 1, np.random.default_rng(seed))
    cine = make_speckle_phantom(CINE_SIZE, CINE_SIZE, CINE_FRAMES, np.random.default_rng(seed + 1))
    return [
        _ct(ct_phantom(CT_SHAPE, seed=seed), folder / "ct", seed),
        _mr(mr_phantom(MR_SHAPE, seed=seed), folder / "mr", seed),
        _pet(pet_phantom(PET_SHAPE, seed=seed), folder / "pet", seed),
        _ultrasound("US still", write_still(still.frames[0], folder / "us", seed), still.truth),
        _ultrasound("US cine", write_cine(cine.frames, folder / "us", seed), cine.truth),
    ]


def _ct(phantom: Phantom, folder: Path, seed: int) -> DemoSeries:
    flat = phantom.regions["flat"]
    return DemoSeries(
        "CT", write_volume(phantom, folder, seed), phantom.truth, phantom.regions["body"], "body", flat, flat,
        mean_unit="HU", mean_of_truth=False, data_range=1500.0, windows={"soft": (-160, 240), "lung": (-1000, 200)},
    )  # fmt: skip


def _mr(phantom: Phantom, folder: Path, seed: int) -> DemoSeries:
    flat = phantom.regions["flat"]
    return DemoSeries(
        "MR", write_volume(phantom, folder, seed), phantom.truth, phantom.regions["body"], "head", flat, flat,
        mean_unit="%", mean_of_truth=True, data_range=900.0, windows={"t1": (0, 900)},
    )  # fmt: skip


def _pet(phantom: Phantom, folder: Path, seed: int) -> DemoSeries:
    everything = np.ones(phantom.truth.shape, bool)
    return DemoSeries(
        "PET", write_volume(phantom, folder, seed), phantom.truth, phantom.regions["body"], "body",
        phantom.regions["flat"], everything,
        mean_unit="%", mean_of_truth=False, data_range=11000.0, windows={"fdg": (0, 12000)},
    )  # fmt: skip


def _ultrasound(name: str, uid: str, truth: Volume) -> DemoSeries:
    everything = np.ones(truth.shape, bool)
    return DemoSeries(
        name, uid, truth, everything, "tissue", everything, everything,
        mean_unit="%", mean_of_truth=False, data_range=255.0, windows={"grey": GREY},
    )  # fmt: skip
