"""Real stills and cines of several machines as a run hands them out: the checks' figures, and pictures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.ultrasound.carotid import read_gif
from bench.ultrasound.echoes import Frame, frame_with_echoes, texture_left
from bench.ultrasound.figures import Row
from bench.ultrasound.gallery import save_gallery
from bench.ultrasound.measured import SEED, delivered, measured
from operators.dicom.cine import Clip, read_clip
from operators.dicom.errors import Refusal
from operators.dicom.reading import read_study
from operators.quality.bias import Images, Mask
from operators.quality.clip_checks import ClipPair, assess_clip
from operators.quality.gate_settings import GateSettings
from validation.phantoms.speckle_physics import MAXIMUM

MOST_FRAMES = 24  # of a cine, to keep the bench short
MID_GREY = 127.0
FULL = 100.0  # percent: what was handed out is assessed as a change of its own


def real_rows(folder: Path, out: Path) -> dict[str, Row]:
    """A row for each ultrasound object in the folder that can be denoised."""
    rows = {}
    for name, frames, tissue in real_clips(folder):
        done = measured(delivered, frames, tissue)
        checks = assess_clip(ClipPair(frames, done.images, tissue, MAXIMUM), FULL, GateSettings()).checks
        rows[name] = {
            "frames": len(frames),
            "texture": texture_left(frames, done.images, tissue),
            **{check.name: np.nan if check.value is None else check.value for check in checks},
            "s": done.seconds,
        }
        shown = {"recorded": frames[0], "ours": done.images[0], "removed": MID_GREY + frames[0] - done.images[0]}
        save_gallery(out / f"real_{name}.png", shown)
    return rows


def real_frames(folder: Path) -> Iterator[Frame]:
    """The first frame of each clip, with echoes put in where there is room."""
    for index, (_, frames, tissue) in enumerate(real_clips(folder)):
        frame = frame_with_echoes(frames[:1], tissue, np.random.default_rng([SEED, index]))
        if frame.echoes:
            yield frame


def real_clips(folder: Path) -> Iterator[tuple[str, Images, Mask]]:
    """Name, frames (grey of 255) and tissue of each ultrasound object and each published carotid clip."""
    for name, clip in _clips(folder):
        yield name, clip.frames[:MOST_FRAMES] * np.float32(MAXIMUM / clip.maximum), clip.tissue
    for path in sorted(folder.rglob("Input_*.gif")):
        frames = read_gif(path)
        yield path.stem, frames, np.ones(frames.shape[1:], bool)


def _clips(folder: Path) -> Iterator[tuple[str, Clip]]:
    for series in read_study(folder).series:
        for instance in series.instances if series.modality == "US" else ():
            try:
                yield f"{instance.rows}x{instance.columns}_{series.uid[-6:]}", read_clip(instance)
            except Refusal:
                continue
