"""The figures of one method on one phantom, as a row of the table."""

from collections.abc import Sequence

import numpy as np

from bench.ultrasound import speckle_measures as measures
from bench.ultrasound.measured import Image, Measured
from validation.phantoms.speckle_physics import MAXIMUM
from validation.phantoms.speckle_scan import SpeckleScan
from validation.scoring import psnr, ssim

Row = dict[str, float]


def still_row(phantoms: Sequence[SpeckleScan], results: Sequence[Measured]) -> Row:
    """Figures of realisations of one still: the first decides all but bias, which is their mean."""
    first, done = phantoms[0], results[0]
    contrast, local = _biases(phantoms, [each.images for each in results])
    return _frame_row(first, done.images, 0) | contrast | local | {"s": done.seconds, "GiB": done.gib}


def cine_row(phantom: SpeckleScan, done: Measured) -> Row:
    """Figures of a cine, the mean over its frames, and how it behaves in time."""
    rows = [_frame_row(phantom, done.images, frame) for frame in range(len(done.images))]
    contrast, local = _biases([phantom], [done.images])
    motion = {
        "moving PSNR": measures.moving_psnr(phantom.truth, done.images),
        "flicker": measures.flicker(phantom.truth, done.images),
        "lag": measures.lag(phantom.truth, done.images),
    }
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return means | contrast | local | motion | {"s": done.seconds, "GiB": done.gib}


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


def _biases(phantoms: Sequence[SpeckleScan], results: Sequence[Image]) -> tuple[Row, Row]:
    """Mean and largest error of contrast and the largest of the local mean, errors averaged over all frames first."""
    contrast: dict[float, list[float]] = {}
    local: dict[float, list[float]] = {}
    for phantom, images in zip(phantoms, results, strict=True):
        for truth, recorded, image in zip(phantom.truth, phantom.frames, images, strict=True):
            found = measures.contrast_errors(phantom.scene, recorded, image, phantom.tissue)
            levels = measures.local_mean_errors(truth, recorded, image, phantom.tissue)
            for into, each in ((contrast, found), (local, levels)):
                for key, error in each.items():
                    into.setdefault(key, []).append(error)
    errors, greys = ([abs(float(np.mean(each))) for each in into.values()] for into in (contrast, local))
    return {"contrast dB": float(np.mean(errors)), "worst dB": max(errors)}, {"local mean": max(greys)}
