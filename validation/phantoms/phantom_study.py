"""One DICOM study made of phantoms, as scanners would send it: CT, MR and PET series, an ultrasound still and a cine.

In: phantoms with known truth, and a folder. Out: their files in it and the UID of each series. Stored values are what
each kind of scanner stores: CT signed 12 bit with padding outside the field of view, MR unsigned, PET with a slope per
slice, ultrasound 8 bit with a ruler and text burned in outside the tissue region.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from validation.phantoms.anatomy import Phantom
from validation.phantoms.phantom_headers import (
    CINE,
    CT,
    GREY,
    MR,
    PT,
    STUDY,
    US,
    Attributes,
    dataset,
    fdg,
    uid,
    with_file_meta,
)

SERIES_NUMBER = {"CT": 2, "MR": 3, "PT": 4, "US": 5, "CINE": 6}
SERIES_TIME = {"CT": "090100", "MR": "091500", "PT": "093000", "US": "100000", "CINE": "100500"}
TISSUE_TOP, TISSUE_LEFT = 40, 32  # pixels above and left of the tissue in an ultrasound frame
TISSUE_MARGIN = 48  # pixels below and right of it
PIXEL_CM = 0.0125  # ultrasound
RULER_STEP = 40  # pixels between ticks: 5 mm
PET_LARGEST = 32767  # stored value of each slice's maximum


def write_volume(phantom: Phantom, folder: Path, seed: int) -> str:
    """Write the noisy volume as one classic series, a file per slice; return its series UID."""
    tables = {"CT": CT, "MR": MR, "PT": {**PT, **fdg(), "NumberOfSlices": len(phantom.noisy)}}
    table, stored = tables[phantom.modality], _stored(phantom)
    for index, (pixels, extra) in enumerate(stored):
        made = dataset(_series(phantom.modality, seed), GREY, table, _geometry(phantom, index), extra)
        if phantom.modality == "PT":
            made.ImageIndex = index + 1
        _save(made, pixels, folder, f"{phantom.modality.lower()}{index + 1:04d}", (phantom.modality, seed, index))
    return str(uid("series", phantom.modality, seed))


def write_still(tissue: NDArray[np.float32], folder: Path, seed: int) -> str:
    """Write one (rows, columns) grey tissue as a colour ultrasound image; return its series UID."""
    frame = _scene(tissue)
    colour = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    made = dataset(_series("US", seed), US, colour, _regions(tissue))
    _save(made, np.repeat(frame[..., None], 3, axis=-1), folder, "us0001", ("US", seed))
    return str(uid("series", "US", seed))


def write_cine(tissue: NDArray[np.float32], folder: Path, seed: int) -> str:
    """Write (frames, rows, columns) grey tissue as one multi-frame ultrasound image; return its series UID."""
    frames = np.stack([_scene(frame) for frame in tissue])
    made = dataset(_series("CINE", seed), GREY, CINE, _regions(tissue[0]), {"NumberOfFrames": len(frames)})
    _save(made, frames, folder, "cine0001", ("CINE", seed))
    return str(uid("series", "CINE", seed))


def tissue_part(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the tissue cut out of ultrasound frames (..., rows, columns) that this module wrote."""
    return frames[..., TISSUE_TOP:-TISSUE_MARGIN, TISSUE_LEFT:-TISSUE_MARGIN]


def _series(kind: str, seed: int) -> Attributes:
    time = SERIES_TIME[kind]
    return {
        **STUDY,
        "Modality": "US" if kind == "CINE" else kind,
        "StudyInstanceUID": uid("study", seed),
        "SeriesInstanceUID": uid("series", kind, seed),
        "SeriesNumber": SERIES_NUMBER[kind],
        "InstanceNumber": 1,
        **{f"{what}Date": STUDY["StudyDate"] for what in ("Series", "Acquisition", "Content")},
        **{f"{what}Time": time for what in ("Series", "Acquisition", "Content")},
    }


def _geometry(phantom: Phantom, index: int) -> Attributes:
    """Head first, supine, slices from head to feet; the volume's middle is the origin."""
    slices, rows, columns = phantom.noisy.shape
    z = ((slices - 1) / 2 - index) * phantom.spacing[0]
    corner = [-(columns - 1) / 2 * phantom.spacing[2], -(rows - 1) / 2 * phantom.spacing[1], z]
    return {
        "FrameOfReferenceUID": uid("frame", phantom.modality),
        "PositionReferenceIndicator": "",
        "InstanceNumber": index + 1,
        "ImagePositionPatient": [round(value, 6) for value in corner],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "SliceLocation": round(z, 6),
        "SliceThickness": phantom.spacing[0],
        "PixelSpacing": [round(step, 6) for step in phantom.spacing[1:]],
        # in PET the patient's orientation is given by code sequences instead
        **({"PatientPosition": "HFS"} if phantom.modality != "PT" else {}),
        **({"SpacingBetweenSlices": phantom.spacing[0]} if phantom.modality == "MR" else {}),
    }


def _stored(phantom: Phantom) -> Iterator[tuple[NDArray[np.generic], Attributes]]:
    """Yield each slice as stored values and what its header says of them."""
    for pixels in phantom.noisy:
        if phantom.modality == "CT":
            stored = np.clip(np.rint(pixels) - int(CT["RescaleIntercept"]), -1024, 2047)
            yield np.where(_field_of_view(pixels.shape), stored, CT["PixelPaddingValue"]).astype(np.int16), {}
        elif phantom.modality == "PT":
            slope = float(f"{max(float(pixels.max()), 1.0) / PET_LARGEST:.8g}")
            yield np.clip(np.rint(pixels / slope), 0, PET_LARGEST).astype(np.int16), {"RescaleSlope": slope}
        else:
            yield np.clip(np.rint(pixels), 0, 4095).astype(np.uint16), {}


def _field_of_view(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    y, x = (np.arange(count) - (count - 1) / 2 for count in shape)
    return np.asarray(np.hypot(y[:, None], x[None, :]) <= max(shape) / 2)


def _scene(tissue: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the screen around the tissue: text above, a ruler at the right, a grey bar at the left."""
    rows, columns = tissue.shape
    screen = Image.new("L", (TISSUE_LEFT + columns + TISSUE_MARGIN, TISSUE_TOP + rows + TISSUE_MARGIN))
    draw = ImageDraw.Draw(screen)
    draw.text((TISSUE_LEFT, 12), "PHANTOM  LINEAR 7.5 MHz  DR 60", fill=220)
    right = TISSUE_LEFT + columns + 8
    for y in range(0, rows, RULER_STEP):
        draw.line((right, TISSUE_TOP + y, right + 6, TISSUE_TOP + y), fill=255)
        draw.text((right + 10, TISSUE_TOP + y - 5), f"{y * PIXEL_CM:.1f}", fill=200)
    frame = np.array(screen)
    frame[TISSUE_TOP : TISSUE_TOP + rows, 8:16] = np.linspace(255, 0, rows)[:, None]
    frame[TISSUE_TOP : TISSUE_TOP + rows, TISSUE_LEFT : TISSUE_LEFT + columns] = tissue
    return frame


def _regions(tissue: NDArray[np.float32]) -> Attributes:
    rows, columns = tissue.shape
    region = {
        "RegionSpatialFormat": 1,
        "RegionDataType": 1,
        "RegionFlags": 0,
        "RegionLocationMinX0": TISSUE_LEFT,
        "RegionLocationMinY0": TISSUE_TOP,
        "RegionLocationMaxX1": TISSUE_LEFT + columns - 1,
        "RegionLocationMaxY1": TISSUE_TOP + rows - 1,
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": PIXEL_CM,
        "PhysicalDeltaY": PIXEL_CM,
    }
    return {"SequenceOfUltrasoundRegions": Sequence([dataset(region)])}


def _save(made: Dataset, pixels: NDArray[np.generic], folder: Path, name: str, identity: tuple[object, ...]) -> None:
    made.Rows, made.Columns = pixels.shape[-3:-1] if made.SamplesPerPixel == 3 else pixels.shape[-2:]
    made.SOPInstanceUID = uid("instance", *identity)
    made.PixelData = pixels.tobytes()
    made["PixelData"].VR = "OW" if made.BitsAllocated == 16 else "OB"
    folder.mkdir(parents=True, exist_ok=True)
    with_file_meta(made).save_as(folder / f"{name}.dcm", enforce_file_format=True)
