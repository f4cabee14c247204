"""Figures of a denoised phantom, against its exact truth; grey in units of 255, lengths in pixels.

Bias of the local mean is taken against the recorded frame instead of the truth: its expectation is the truth, and the
deviation of one realisation cancels. A cyst holds too few grains of speckle for that: an image follows their deviation
from the truth in part, and the truth not at all.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.optimize import curve_fit
from scipy.special import erf
from skimage.feature import graycomatrix, graycoprops

from validation.phantoms.speckle_physics import DYNAMIC_RANGE_DB, MAXIMUM
from validation.phantoms.speckle_scene import Disk, Scene

DB_PER_GREY = DYNAMIC_RANGE_DB / MAXIMUM
GCNR_BINS = np.linspace(0.0, 256.0, 65)
RING = 1.30, 1.75  # of a cyst's radius: its surroundings
CORE_MARGIN = 4.0  # pixels inside a cyst's border that the point spread function blurs
LOCAL_SIGMA = 6.0  # pixels, of a local mean
LEVEL_STEP, LEVEL_FRACTION = 16.0, 0.01  # grey; least fraction of the pixels at which a level's mean is known
LEAST_CHANCE = 1e-12  # squared decibels; with less the recorded contrast is the truth
EDGE_CONTRAST_DB = 10.0  # least contrast of a cyst whose edge is measured
POINT_REACH = 10  # pixels around a point
STATIC_TOLERANCE = 0.05  # grey, by which the truth of a static pixel may change from frame to frame
MOVING_LEAST = 2.0  # grey, by which that of a moving one changes at least

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Real = npt.NDArray[np.float64]


def gcnr(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Generalised contrast to noise ratio: one less the overlap of the two grey histograms."""
    first, second = (np.histogram(each, GCNR_BINS)[0] / each.size for each in (one, other))
    return float(1.0 - np.minimum(first, second).sum())


def cysts(scene: Scene, tissue: Mask) -> Iterator[tuple[Disk, Mask, Mask]]:
    """Each cyst with the mask of its core and of its surroundings."""
    side = len(tissue)
    y, x = np.meshgrid(*[np.arange(side) / side] * 2, indexing="ij")
    for disk in scene.cysts:
        distance = np.hypot(y - disk.y, x - disk.x)
        core = distance < max(disk.radius - CORE_MARGIN / side, 0.5 * disk.radius)
        ring = (distance > RING[0] * disk.radius + CORE_MARGIN / side) & (
            distance < RING[1] * disk.radius + CORE_MARGIN / side
        )
        if (tissue | ~ring).all():
            yield disk, core, ring


def mean_gcnr(scene: Scene, image: Image, tissue: Mask) -> float:
    """Mean over the cysts."""
    return float(np.mean([gcnr(image[core], image[ring]) for _, core, ring in cysts(scene, tissue)]))


def contrasts(scene: Scene, images: Image, tissue: Mask) -> Real:
    """Each cyst's contrast in decibels, the mean over the images (frames, rows, columns)."""
    grey = images.mean(axis=0, dtype=np.float64)
    return np.array([grey[core].mean() - grey[ring].mean() for _, core, ring in cysts(scene, tissue)]) * DB_PER_GREY


def contrast_biases(truth: Real, recorded: Real, image: Real) -> Real:
    """Return each cyst's error of contrast that is no chance of the speckle, from contrasts (realisations, cysts).

    The recorded contrast deviates from the truth by chance, and the image's follows it by a factor that all cysts
    share: 1 of the recorded image, 0 of the truth. What it follows is taken off before the mean over realisations, so
    that both read 0.
    """
    chance, error = recorded - truth, image - truth
    deviation = chance - chance.mean(axis=0)
    followed = float((deviation * error).sum() / max(float((deviation**2).sum()), LEAST_CHANCE))
    return np.asarray((error - followed * chance).mean(axis=0))


def local_mean_errors(truth: Image, recorded: Image, image: Image, tissue: Mask) -> dict[float, float]:
    """Grey by which the local mean differs from the recorded one's, by the local mean of the truth."""
    weight = gaussian_filter(tissue.astype(np.float32), LOCAL_SIGMA)[tissue]
    level, error = (
        gaussian_filter(np.where(tissue, each, 0.0), LOCAL_SIGMA)[tissue] / weight for each in (truth, image - recorded)
    )
    bins = np.floor(level / LEVEL_STEP)
    return {
        float((each + 0.5) * LEVEL_STEP): float(error[bins == each].mean())
        for each in np.unique(bins)
        if np.mean(bins == each) > LEVEL_FRACTION
    }


def edge_ratio(scene: Scene, truth: Image, image: Image, tissue: Mask) -> float:
    """Width of the edges of contrasting cysts over the truth's; the median."""
    ratios = [
        _edge_width(image, disk) / _edge_width(truth, disk)
        for disk, *_ in cysts(scene, tissue)
        if abs(disk.decibels) >= EDGE_CONTRAST_DB
    ]
    return float(np.median(ratios))


def _edge_width(image: Image, disk: Disk) -> float:
    """Sigma of the error function that fits the image around a cyst's border, along the radius."""
    side = len(image)
    y, x = np.meshgrid(*[np.arange(side) / side] * 2, indexing="ij")
    radius = np.hypot(y - disk.y, x - disk.x) * side
    border = disk.radius * side
    near = (radius > max(0.0, border - 12.0)) & (radius < border + 14.0)

    def step(
        r: npt.NDArray[np.float64], inside: float, outside: float, middle: float, width: float
    ) -> npt.NDArray[np.float64]:
        return inside + (outside - inside) * 0.5 * (1.0 + erf((r - middle) / (np.sqrt(2.0) * width)))

    inner, outer = (float(image[near & mask].mean()) for mask in (radius < border, radius > border))
    limits = [0.0, 0.0, border - 6.0, 0.3], [256.0, 256.0, border + 6.0, 30.0]
    fitted = curve_fit(step, radius[near], image[near], [inner, outer, border, 2.0], bounds=limits)[0]
    return float(fitted[3])


def point_ratios(scene: Scene, truth: Image, image: Image) -> tuple[float, float]:
    """Full width at half height of the mean point over the truth's, and its height over the truth's."""
    (wide, high), (true_wide, true_high) = (_mean_point(scene, each) for each in (image, truth))
    return wide / true_wide, high / true_high


def _mean_point(scene: Scene, image: Image) -> tuple[float, float]:
    """Mean of the axial and lateral widths at half height, and the height, of the average point."""
    side, reach = len(image), POINT_REACH
    patches = []
    for y, x in scene.points:
        row, column = round(y * side), round(x * side)
        patches.append(image[row - reach : row + reach + 1, column - reach : column + reach + 1])
    mean = np.mean(patches, axis=0)
    base = float(np.median(np.concatenate([mean[:2].ravel(), mean[-2:].ravel()])))
    peak = float(mean[reach - 2 : reach + 3, reach - 2 : reach + 3].max())
    row, column = np.unravel_index(mean[reach - 2 : reach + 3, reach - 2 : reach + 3].argmax(), (5, 5))
    widths = [_half_width(line, base, peak) for line in (mean[row + reach - 2], mean[:, column + reach - 2])]
    return float(np.mean(widths)), peak - base


def _half_width(line: npt.NDArray[np.float32], base: float, peak: float) -> float:
    fine = map_coordinates(line, [np.linspace(0, len(line) - 1, 20 * len(line))], order=1)
    middle = int(np.argmax(fine))
    above = fine > 0.5 * (base + peak)
    left = middle - int(np.argmin(above[middle::-1])) if not above[: middle + 1].all() else 0
    right = middle + int(np.argmin(above[middle:])) if not above[middle:].all() else len(fine) - 1
    return (right - left) * (len(line) - 1) / (20 * len(line) - 1)


def homogeneity(image: Image, recorded: Image) -> float:
    """Of neighbours along a row in 8 bits, after the image is scaled to the recorded mean."""
    scaled = np.clip(np.rint(image * (recorded.mean() / max(float(image.mean()), 1e-6))), 0, MAXIMUM).astype(np.uint8)
    return float(graycoprops(graycomatrix(scaled, [1], [0], 256, normed=True), "homogeneity")[0, 0])


def flicker(truth: Image, images: Image) -> float:
    """Rms change from frame to frame where the truth stands still, in grey."""
    still = np.abs(np.diff(truth, axis=0)).max(axis=0) < STATIC_TOLERANCE
    return float(np.sqrt(np.mean(np.diff(images, axis=0)[:, still] ** 2)))


def lag(truth: Image, images: Image) -> float:
    """Frames by which moving parts come late: the shift in time that explains most of their error."""
    speed = 0.5 * (truth[2:] - truth[:-2])
    moving = np.abs(speed) > MOVING_LEAST
    error = (images - truth)[1:-1]
    return float(-(error * speed)[moving].sum() / (speed**2)[moving].sum())


def moving_psnr(truth: Image, images: Image) -> float:
    """PSNR over the pixels whose truth changes from frame to frame."""
    moving = np.abs(0.5 * (truth[2:] - truth[:-2])) > MOVING_LEAST
    return float(20.0 * np.log10(MAXIMUM) - 10.0 * np.log10(np.mean((images - truth)[1:-1][moving] ** 2)))
