"""The figures of one method on one phantom, as a row of the table."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from bench.ultrasound import speckle_measures as measures
from bench.ultrasound.measured import Image, TimedImages
from validation.phantoms.speckle_physics import MAXIMUM
from validation.phantoms.speckle_scan import SpeckleScan
from validation.scoring import psnr, ssim

Row = dict[str, float]


def still_row(phantoms: Sequence[SpeckleScan], results: Sequence[TimedImages]) -> Row:
    """Figures of realisations of one still: the first decides all but bias, which is their mean."""
    first, done = phantoms[0], results[0]
    biases = _biases(phantoms, [each.images for each in results])
    return _frame_row(first, done.images, 0) | biases | {"s": done.seconds, "GiB": done.gib}


def cine_row(phantoms: Sequence[SpeckleScan], results: Sequence[TimedImages]) -> Row:
    """Figures of realisations of one cine: of the first the mean over its frames, and how it behaves in time."""
    phantom, done = phantoms[0], results[0]
    rows = [_frame_row(phantom, done.images, frame) for frame in range(len(done.images))]
    biases = _biases(phantoms, [each.images for each in results])
    motion = {
        "moving PSNR": measures.moving_psnr(phantom.truth, done.images),
        "flicker": measures.flicker(phantom.truth, done.images),
        "lag": measures.lag(phantom.truth, done.images),
    }
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return means | biases | motion | {"s": done.seconds, "GiB": done.gib}


def _frame_row(phantom: SpeckleScan, images: Image, frame: int) -> Row:
    truth, recorded, image = phantom.truth[frame], phantom.frames[frame], images[frame]
    width, height = measures.point_ratios(phantom.scene, truth, image)
    return {
        "PSNR": psnr(image[None], truth[None], phantom.tissue[None], MAXIMUM),
        "SSIM": ssim(image[None], truth[None], phantom.tissue[None], MAXIMUM, "gaussian"),
        "gCNR": measures.mean_gcnr(phantom.scene, image, phantom.tissue),
        "edge": measures.edge_ratio(phantom.scene, truth, image, phantom.tissue),
        "point": width,
        "peak": height,
        "homogeneity": measures.homogeneity(image, recorded),
    }


def _biases(phantoms: Sequence[SpeckleScan], results: Sequence[Image]) -> Row:
    """Mean and largest bias of the cysts' contrast, and the largest error of the local mean, over all frames."""
    local: dict[float, list[float]] = {}
    for phantom, images in zip(phantoms, results, strict=True):
        for truth, recorded, image in zip(phantom.truth, phantom.frames, images, strict=True):
            for level, error in measures.local_mean_errors(truth, recorded, image, phantom.tissue).items():
                local.setdefault(level, []).append(error)
    row = {"local mean": max(abs(float(np.mean(each))) for each in local.values())}
    if len(phantoms) > 1:  # one realisation does not separate bias from chance
        row = _contrast(phantoms, results) | row
    return row


def _contrast(phantoms: Sequence[SpeckleScan], results: Sequence[Image]) -> Row:
    def of(clips: Iterable[Image]) -> npt.NDArray[np.float64]:
        pairs = zip(phantoms, clips, strict=True)
        return np.array([measures.contrasts(phantom.scene, clip, phantom.tissue) for phantom, clip in pairs])

    truth, recorded = of(each.truth for each in phantoms), of(each.frames for each in phantoms)
    biases = np.abs(measures.contrast_biases(truth, recorded, of(results)))
    return {"contrast dB": float(biases.mean()), "worst dB": float(biases.max())}
