"""The published frames: carotid clips with the outputs of six methods, by the authors of Speckle2Self.

In: the folder of GIF files. Out: rows of figures at equal brightness, the mean over clips and frames, and pictures.
"""

from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageSequence

from bench.ultrasound import speckle_measures as measures
from bench.ultrasound.figures import Row
from bench.ultrasound.gallery import save_gallery
from bench.ultrasound.measured import Image, measured, ours

CLIPS = ("01", "02", "03", "04", "05")
PUBLISHED = {"SRAD": "srad", "NLM": "nlm", "OBNLM": "obnlm", "BM3D": "bm3d", "Speckle2Self": "OurMethod"}
GRADIENT_PERCENTILE = 99
BOXES = {  # rows and columns of the lumen and of the tissue beside it, in the first frame
    "01": ((90, 108, 150, 170), (90, 130, 60, 110)),
    "02": ((90, 106, 102, 122), (90, 125, 65, 85)),
    "03": ((93, 111, 121, 141), (90, 130, 70, 105)),
    "04": ((91, 109, 122, 142), (90, 125, 75, 100)),
    "05": ((89, 107, 142, 162), (90, 125, 95, 120)),
}


def read_gif(path: Path) -> Image:
    """(frames, rows, columns) grey."""
    with Picture.open(path) as gif:
        return np.stack([np.asarray(frame.convert("L"), np.float32) for frame in ImageSequence.Iterator(gif)])


def carotid_rows(folder: Path, out: Path) -> dict[str, Row]:
    """A row for each method, ours fitted clip by clip; first the recorded frames."""
    rows: dict[str, list[Row]] = {}
    for clip in CLIPS:
        recorded = read_gif(folder / f"Input_{clip}.gif")
        images = {"recorded": recorded}
        images |= {f"published {name}": read_gif(folder / f"{file}_{clip}.gif") for name, file in PUBLISHED.items()}
        done = measured(ours, recorded, np.ones(recorded.shape[1:], bool))
        images["ours"] = done.images
        scaled = {name: _at_equal_mean(each, recorded) for name, each in images.items()}
        for name, each in scaled.items():
            rows.setdefault(name, []).append(_row(recorded, each, clip))
        save_gallery(out / f"carotid_{clip}.png", {name: each[0] for name, each in scaled.items()})
    return {name: {key: float(np.mean([row[key] for row in each])) for key in each[0]} for name, each in rows.items()}


def _at_equal_mean(images: Image, recorded: Image) -> Image:
    gains = recorded.mean(axis=(1, 2), keepdims=True) / images.mean(axis=(1, 2), keepdims=True)
    return np.asarray(np.clip(images * gains, 0.0, 255.0), np.float32)


def _row(recorded: Image, images: Image, clip: str) -> Row:
    lumen, tissue = (images[0][top:bottom, left:right] for top, bottom, left, right in BOXES[clip])
    gradients = [np.percentile(np.hypot(*np.gradient(image)), GRADIENT_PERCENTILE) for image in images]
    homogeneity = [measures.homogeneity(*pair) for pair in zip(images, recorded, strict=True)]
    return {
        "homogeneity": float(np.mean(homogeneity)),
        "first frame": homogeneity[0],
        "gradient": float(np.mean(gradients)),
        "gCNR": measures.gcnr(lumen, tissue),
        "mean": float(images.mean()),
    }
