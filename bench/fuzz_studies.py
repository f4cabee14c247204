"""What to mutate: small studies of every kind, built here, and a few files of each series of real ones."""

from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from operators.dicom.errors import Refusal
from operators.dicom.geometry import stacks_of
from operators.dicom.reading import read_study
from operators.dicom.study import Series
from tests.dicom_builders import (
    as_jpeg,
    enhanced,
    file_meta,
    image_series,
    set_pixels,
    speckle,
    stored_values,
    ultrasound,
)

SLICES = 9  # so that a volume remains where one file is lost
MINIMUM_SLICES = 4
LARGEST = 3_000_000  # bytes of a real file; larger ones only cost time


def built_studies(folder: Path) -> dict[str, list[bytes]]:
    """The files of each kind."""
    folder.mkdir(parents=True)
    colour = np.repeat(speckle(2)[..., None], 3, axis=3)
    kinds: dict[str, list[Dataset]] = {
        **{modality: image_series(modality, SLICES) for modality in ("CT", "MR", "PT")},
        **{f"enhanced {modality}": [enhanced(modality, SLICES, times=2)] for modality in ("CT", "MR", "PT")},
        "US grey cine": [ultrasound(speckle(3), "MONOCHROME2")],
        "US RGB": [ultrasound(colour, "RGB")],
        "US YBR_FULL_422": [_ybr_422()],
        "US palette": [_palette()],
        "US JPEG": [as_jpeg(ultrasound(colour, "RGB"), colour)],
        "CT implicit": [file_meta(made, ImplicitVRLittleEndian) for made in image_series("CT", SLICES)],
        "CT deflated": [file_meta(made, DeflatedExplicitVRLittleEndian) for made in image_series("CT", SLICES)],
        "CT big endian": [_big_endian(made) for made in image_series("CT", SLICES)],
    }
    for name, syntax in {"RLE": RLELossless, "JPEG 2000": JPEG2000Lossless, "JPEG-LS": JPEGLSLossless}.items():
        kinds[f"CT {name}"] = [_compressed(_larger(made), syntax) for made in image_series("CT", SLICES)]
        kinds[f"US {name}"] = [_compressed(ultrasound(speckle(2), "MONOCHROME2"), syntax)]
    return {f"built {name}": [_bytes_of(made) for made in datasets] for name, datasets in kinds.items()}


def real_studies(folder: Path) -> dict[str, list[bytes]]:
    """The first neighbouring files of each series that may be denoised, and every single file of another kind."""
    studies: dict[str, list[bytes]] = {}
    for source in sorted(path for path in folder.iterdir() if path.is_dir()):
        for series in read_study(source).series:
            files = _neighbours(series)
            if all(file.stat().st_size <= LARGEST for file in files):
                studies[f"{source.name} {series.modality} {len(studies)}"] = [file.read_bytes() for file in files]
    return studies


def _neighbours(series: Series) -> list[Path]:
    try:
        places = stacks_of(series, MINIMUM_SLICES)[0].places[:SLICES]
    except Refusal:
        return [series.instances[0].path]
    return [*dict.fromkeys(place.instance.path for place in places)]


def _bytes_of(made: Dataset) -> bytes:
    stream = BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _larger(made: Dataset) -> Dataset:
    """With more pixels than an encoder's smallest tile."""
    return set_pixels(made, stored_values(int(made.InstanceNumber), (64, 64)))


def _compressed(made: Dataset, syntax: str) -> Dataset:
    made.compress(syntax, generate_instance_uid=False)
    return made


def _big_endian(made: Dataset) -> Dataset:
    made.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
    return file_meta(made, ExplicitVRBigEndian)


def _ybr_422() -> Dataset:
    grey = speckle(2).reshape(2, -1, 2)
    made = ultrasound(np.repeat(speckle(2)[..., None], 3, axis=3), "YBR_FULL_422")
    made.PixelData = np.concatenate([grey, np.full_like(grey, 128)], axis=-1).tobytes()
    return made


def _palette() -> Dataset:
    made = ultrasound(speckle(2), "PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(made, f"{colour}PaletteColorLookupTableData", (np.arange(256) * 257).astype("<u2").tobytes())
    return made
