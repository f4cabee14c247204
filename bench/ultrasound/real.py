"""Real stills and cines of several machines through the default: how much changed, and pictures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.ultrasound.figures import Row
from bench.ultrasound.gallery import save_gallery
from bench.ultrasound.measured import measured, ours
from operators.dicom.cine import Clip, read_clip
from operators.dicom.errors import Refusal
from operators.dicom.reading import read_study

MOST_FRAMES = 24  # of a cine, to keep the bench short
MID_GREY = 127.0


def real_rows(folder: Path, out: Path) -> dict[str, Row]:
    """A row for each ultrasound object in the folder that can be denoised."""
    rows = {}
    for name, clip in _clips(folder):
        frames = clip.frames[:MOST_FRAMES] * np.float32(255.0 / clip.maximum)
        done = measured(ours, frames, clip.tissue)
        change = (done.images - frames)[:, clip.tissue]
        spread = float(np.sqrt(np.mean(change**2)))
        rows[name] = {"frames": len(frames), "mean change": float(change.mean()), "rms": spread, "s": done.seconds}
        shown = {"recorded": frames[0], "ours": done.images[0], "removed": MID_GREY + frames[0] - done.images[0]}
        save_gallery(out / f"real_{name}.png", shown)
    return rows


def _clips(folder: Path) -> Iterator[tuple[str, Clip]]:
    for series in read_study(folder).series:
        for instance in series.instances if series.modality == "US" else ():
            try:
                yield f"{instance.rows}x{instance.columns}_{series.uid[-6:]}", read_clip(instance)
            except Refusal:
                continue
