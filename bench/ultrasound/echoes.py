"""Echoes of known contrast put into real frames: what of them each method leaves, at the same texture left.

Adding to log-compressed grey multiplies the echo's amplitude, so that the speckle goes with it. Lines at any angle,
points and dark cysts have a contrast in sds of the speckle around them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import ndimage
from skimage.restoration import denoise_nl_means

from bench.ultrasound.figures import Row
from bench.ultrasound.measured import Image, Mask, delivered, framewise
from bench.ultrasound.peers import Filter, log_bm3d, obnlm
from models.compute import PROCESSOR
from models.ultrasound.coherence import significance
from models.ultrasound.structures import DARK
from operators.quality.seam import border_step
from validation.phantoms.insertions import Insertion, Shape, draw_insertions, inserted, retained
from validation.phantoms.speckle_physics import MAXIMUM

PIXELS = (1.0, 1.0, 1.0)  # shapes are in pixels here, not mm
KINDS: dict[str, tuple[tuple[Shape, ...], tuple[float, ...]]] = {  # largest first: they need most room
    "line": ((Shape(3.0, 50.0), Shape(3.0, 25.0)), (2.0, 3.0, 4.0, 6.0)),
    "cyst": ((Shape(14.0),), (1.0, 2.0)),
    "point": ((Shape(3.0), Shape(4.0)), (3.0, 4.0, 6.0)),
}
APART = 10  # pixels between two of them
BORDER = 28  # pixels from the border of the tissue
SPECKLE_SIGMA, NEAR = 4.0, 12.0  # pixels: what a blur takes off is speckle; where its sd is taken
LEAST_SPECKLE = 1.0  # grey; less is black
HOMOGENEOUS_FRACTION = 0.1  # of the tissue, where a method leaves least
LEAST_GREY, MOST_GREY = 6.0, 170.0  # of the surroundings: black and white clip what is put there
LEAST_SHOWN = 0.6  # of an insertion's contrast must be there before denoising; the rest black or white has clipped
NLM_STRENGTH, BM3D_STRENGTH = 0.9, 4.6  # times the speckle's sd: best by PSNR on phantoms
OBNLM_STRENGTH = 2.0
HALVINGS = 12  # of the interval in which a blend's fraction lies

Echo = tuple[str, Insertion]
Method = Callable[[Image, Mask], Image]


@dataclass(frozen=True, eq=False)
class Frame:
    """One real frame without and with echoes put in."""

    recorded: Image  # (1, rows, columns)
    with_echoes: Image
    tissue: Mask
    echoes: tuple[Echo, ...]


def frame_with_echoes(recorded: Image, tissue: Mask, rng: np.random.Generator) -> Frame:
    """Return the frame (1, rows, columns) and itself with as many echoes as have room."""
    sd, level = speckle_sds(recorded[0], tissue), ndimage.gaussian_filter(recorded[0], NEAR)
    inner = ndimage.distance_transform_edt(np.pad(tissue, 1))[1:-1, 1:-1] > BORDER
    room = (inner & (level > LEAST_GREY) & (level < MOST_GREY) & (sd > 0))[None]
    echoes: list[Echo] = []
    for kind, (shapes, sds) in KINDS.items():
        sign = -1.0 if kind == "cyst" else 1.0
        for each in draw_insertions(rng, room, PIXELS, shapes, sds, sd[None]):
            echoes.append((kind, replace(each, contrast=sign * abs(each.contrast))))
            reach = int((each.shape.length_mm + each.shape.width_mm) / 2) + APART
            _, row, column = each.centre
            room[0, max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = False
    changed = inserted(recorded, PIXELS, [echo for _, echo in echoes])
    return Frame(recorded, np.clip(changed, 0, MAXIMUM), tissue, tuple(echoes))


def speckle_sds(image: Image, tissue: Mask) -> Image:
    """Return the sd of the speckle around each pixel, (rows, columns)."""
    weight = tissue.astype(np.float32)
    speckle = np.where(tissue, image - _within(image, weight, SPECKLE_SIGMA), 0)
    return np.asarray(np.sqrt(_within(speckle**2, weight, NEAR)) * tissue, np.float32)


def _within(image: Image, weight: Image, sigma: float) -> Image:
    total = np.maximum(ndimage.gaussian_filter(weight, sigma), np.finfo(np.float32).eps)
    return np.asarray(ndimage.gaussian_filter(image * weight, sigma) / total)


def echo_rows(frames: Iterable[Frame], ours: Method = delivered) -> dict[str, Row]:
    """Return for each method what it leaves of the echoes of all frames, and what it changes besides."""
    kept: dict[str, dict[str, list[float]]] = {}
    for frame in frames:
        for name, pair in results(frame, ours).items():
            for figure, value in figures(frame, *pair):
                kept.setdefault(name, {}).setdefault(figure, []).append(value)
    return {name: _summary(values) for name, values in kept.items()}


def results(frame: Frame, ours: Method) -> dict[str, tuple[Image, Image]]:
    """Return each method's images of the frame without and with echoes; peers blended to the texture that ours has."""
    originals = frame.recorded, frame.with_echoes
    own = ours(frame.recorded, frame.tissue), ours(frame.with_echoes, frame.tissue)
    texture, found = texture_left(frame.recorded, own[0], frame.tissue), {"ours": own}
    for name, filtered in _peers(frame).items():
        both = [framewise(filtered, image, frame.tissue) for image in originals]
        fraction = np.float32(_fraction_at(texture, frame, both[0]))
        without, with_it = (y + fraction * (f - y) for y, f in zip(originals, both, strict=True))
        found[name] = without, with_it
    return found


def _peers(frame: Frame) -> dict[str, Filter]:
    sd = float(np.median(speckle_sds(frame.recorded[0], frame.tissue)[frame.tissue]))
    nlm = partial(
        denoise_nl_means, patch_size=11, patch_distance=15, h=NLM_STRENGTH * sd, preserve_range=True, fast_mode=True
    )
    return {
        "NLM": nlm,
        "OBNLM": partial(obnlm, patch=11, reach=8, strength=OBNLM_STRENGTH),
        "BM3D": partial(log_bm3d, spectrum=BM3D_STRENGTH * sd),
    }


def texture_left(recorded: Image, output: Image, tissue: Mask) -> float:
    """Return the speckle's sd after over that before, in the tenth of the first frame that has least structure."""
    before, after = (speckle_sds(images[0], tissue)[tissue] for images in (recorded, output))
    shown = before > LEAST_SPECKLE
    return float(np.quantile(after[shown] / before[shown], HOMOGENEOUS_FRACTION)) if shown.any() else 1.0


def _fraction_at(texture: float, frame: Frame, output: Image) -> float:
    """Return which fraction of the change leaves so much texture; 1 where the whole leaves more."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        blend = frame.recorded + np.float32(middle) * (output - frame.recorded)
        low, high = (middle, high) if texture_left(frame.recorded, blend, frame.tissue) > texture else (low, middle)
    return high


def figures(frame: Frame, without: Image, with_it: Image) -> Iterable[tuple[str, float]]:
    """Yield every figure of one frame; figures of echoes once for each echo."""
    for kind, echo in frame.echoes:
        shown = retained(echo, PIXELS, frame.with_echoes, frame.recorded)
        if shown > LEAST_SHOWN:
            yield f"{kind} {echo.sds:g}", retained(echo, PIXELS, with_it, without) / shown
    weight = frame.tissue.astype(np.float32)
    ((_, dark),) = significance(frame.recorded, without, weight, PROCESSOR)
    bright = without[0] > _within(without[0], weight, NEAR)  # else a dark gap was filled
    yield "made", float(ndimage.label((dark > DARK[1]) & bright)[1])
    yield "texture", texture_left(frame.recorded, without, frame.tissue)
    yield "seam", border_step(frame.recorded, without, frame.tissue, MAXIMUM)


def _summary(kept: dict[str, list[float]]) -> Row:
    """Return the mean of each figure, and the lowest of what was kept of echoes."""
    row: Row = {}
    for name, values in kept.items():
        row[name] = float(np.mean(values))
        if name.split()[0] in KINDS:
            row[f"{name} least"] = min(values)
    return row
