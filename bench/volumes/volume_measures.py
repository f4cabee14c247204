"""What is measured of one denoised volume, against the truth where it is known.

Contrasts and edges are read as means over many voxels, so that noise left in them averages out.
"""

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from bench.volumes.bench_cases import Case
from bench.volumes.structure import residual_structure
from validation.phantoms.anatomy import Mask, Volume
from validation.scoring import score

EDGE_STEP = {"CT": (25.0, 60.0), "MR": (40.0, 100.0), "PT": (300.0, 1200.0)}  # of truth a pixel: edges of low contrast
SOFT_HU = (-150.0, 150.0)  # CT edges lie between soft tissues of some 100 HU difference
RING = (1, 4)  # pixels in plane around a structure: what it stands out from
SMALL = ("lesions", "vessels", "nodules", "spheres")  # regions whose contrast must be retained
COLUMNS = ("psnr", "ssim", "bias", "noise", "edge", *SMALL, "structure")


def measure(case: Case, image: Volume, corrected: bool = False) -> dict[str, float]:
    """The figures of `COLUMNS` that this case allows.

    psnr (dB) and ssim within the body; bias in flat tissue (HU, else percent of the truth); noise left in flat tissue
    (fraction of that before); edge: width over that before denoising; the fraction of contrast that small structures
    retain; structure: see `structure`, which also says what ``corrected`` is.
    """
    figures = {"structure": residual_structure(case, image, corrected)}
    if case.truth is None:
        return figures
    truth, body, flat = case.truth, case.regions["body"], case.regions["flat"]
    scored = score(image, truth, body, flat, case.data_range)
    figures |= {"psnr": scored.psnr, "ssim": scored.ssim}
    if flat.any():
        bias = float((image - truth)[flat].mean(dtype=np.float64))
        figures["bias"] = bias if case.modality == "CT" else 100 * bias / float(truth[flat].mean())
        figures["noise"] = scored.noise / float((case.noisy - truth)[flat].std(dtype=np.float64))
    if (edges := low_contrast_edges(case)).any():
        figures["edge"] = _slope(case.noisy, truth, edges) / _slope(image, truth, edges)
    return figures | contrasts_retained(case, image)


def low_contrast_edges(case: Case) -> Mask:
    """Where the truth rises in plane by so much a pixel, apart from strong edges."""
    assert case.truth is not None
    low, high = EDGE_STEP[case.modality]
    rise = np.hypot(*_gradient(case.truth))
    edges = case.regions["body"] & (rise >= low) & (rise <= high)
    if case.modality == "CT":
        size = (1, 5, 5)
        lowest, highest = ndimage.minimum_filter(case.truth, size), ndimage.maximum_filter(case.truth, size)
        edges &= (lowest > SOFT_HU[0]) & (highest < SOFT_HU[1])
    return np.asarray(edges)


def contrasts_retained(case: Case, image: Volume) -> Mapping[str, float]:
    """Of each kind of small structure: its mean over that of the ring around, over the same in the truth."""
    assert case.truth is not None
    regions = {name: case.regions[name] for name in SMALL if name in case.regions and case.regions[name].any()}
    taken = np.logical_or.reduce(list(regions.values())) if regions else None
    retained = {}
    for name, inside in regions.items():
        near, far = (_grown(inside, reach) for reach in RING)
        ring = far & ~near & ~taken & case.regions["body"]
        retained[name] = _contrast(image, inside, ring) / _contrast(case.truth, inside, ring)
    return retained


def _contrast(volume: Volume, inside: Mask, ring: Mask) -> float:
    return float(volume[inside].mean(dtype=np.float64) - volume[ring].mean(dtype=np.float64))


def _grown(mask: Mask, pixels: int) -> Mask:
    return np.asarray(ndimage.binary_dilation(mask, np.ones((1, 2 * pixels + 1, 2 * pixels + 1), bool)))


def _gradient(volume: Volume) -> tuple[Volume, Volume]:
    down, right = np.gradient(volume, axis=(1, 2))
    return down, right


def _slope(volume: Volume, truth: Volume, edges: Mask) -> float:
    """Gradient of the volume along that of the truth, over it: 1 for edges as steep, free of the noise's part."""
    true, seen = (np.stack([axis[edges] for axis in _gradient(which)]).astype(np.float64) for which in (truth, volume))
    return float((true * seen).sum() / (true * true).sum())
