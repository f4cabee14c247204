"""NIfTI in and out, for researchers: the same header, affine and data type, other voxels.

A file of four dimensions is that many volumes, each denoised by itself. Nothing of the file's name is told or kept.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.filebasedimages import ImageFileError

from operators.dicom.errors import Refusal
from operators.dicom.label_masks import refuse_labels
from operators.dicom.pixels import Volume
from operators.dicom.study import Unread
from operators.sources.nifti_settings import NiftiSettings

SUFFIXES = (".nii", ".nii.gz")
UID_DIGITS = 16  # of the file's SHA-256; tells a billion files apart


class NiftiRefusal(Refusal):
    """A NIfTI file that can't be denoised as it stands."""

    reason_code = "nifti"

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(f"a NIfTI file {what}; {way_out}")


@dataclass(frozen=True)
class NiftiImage:
    """A NIfTI file in the place of a DICOM series."""

    path: Path
    uid: str
    modality: str
    voxel_count: int
    volume_count: int
    refusal: Refusal | None
    study_uid: str = ""
    attributes_left_out: Mapping[str, int] = field(default_factory=dict)  # none: the header is kept whole

    @property
    def instances(self) -> tuple[Path, ...]:
        """The one file."""
        return (self.path,)

    def check(self) -> None:
        """Raise the reason for which the file is refused, if there is one."""
        if self.refusal is not None:
            raise self.refusal


def is_nifti(path: Path) -> bool:
    """Whether the name says so."""
    return path.name.lower().endswith(SUFFIXES)


def find_nifti(path: Path, settings: NiftiSettings) -> tuple[tuple[NiftiImage, ...], tuple[Unread, ...]]:
    """Every NIfTI file that ``path`` is or holds, ordered by content, and those that are none despite their name."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
    images: list[NiftiImage] = []
    unread: list[Unread] = []
    for file in filter(is_nifti, files):
        try:
            images.append(_describe(file, settings))
        except (ImageFileError, OSError, EOFError, ValueError):
            unread.append(Unread("named as NIfTI, but not readable as such"))
    return tuple(sorted(images, key=lambda image: image.uid)), tuple(unread)


def _describe(file: Path, settings: NiftiSettings) -> NiftiImage:
    image = nibabel.load(file)
    with file.open("rb") as content:
        uid = hashlib.file_digest(content, "sha256").hexdigest()[:UID_DIGITS]
    voxels, volumes = int(np.prod(image.shape)), image.shape[3] if len(image.shape) == 4 else 1
    return NiftiImage(file, f"nifti-{uid}", settings.modality, voxels, volumes, _fault(image, settings))


def _fault(image: Any, settings: NiftiSettings) -> Refusal | None:
    if not settings.modality:
        return NiftiRefusal("does not say its modality", "give it by --set nifti.modality=CT, MR or PT")
    if len(image.shape) not in {3, 4}:
        return NiftiRefusal(f"of {len(image.shape)} dimensions is no volume", "give one of three or four dimensions")
    if image.get_data_dtype().kind not in "iuf":
        return NiftiRefusal(f"of type {image.get_data_dtype()} holds no grey values", "convert it to real numbers")
    return None


def read_volumes(source: NiftiImage) -> Iterator[tuple[int, Volume]]:
    """Each volume in real units as (slices, rows, columns), by its index in time; what is not finite is not valid.

    Raises:
        Refusal: a volume of labels.
    """
    image = nibabel.load(source.path)
    data, (column, row, slice_) = image.dataobj, map(float, image.header.get_zooms()[:3])
    for index in range(source.volume_count):
        real = np.asarray(data[..., index] if len(image.shape) == 4 else data, dtype=np.float32).transpose(2, 1, 0)
        refuse_labels(real)
        valid = np.isfinite(real)
        yield index, Volume(np.ascontiguousarray(np.where(valid, real, 0)), valid, (slice_, row, column))


def write_volumes(
    source: NiftiImage, replaced: Mapping[int, npt.NDArray[np.float32]], strength: float, folder: Path
) -> Path:
    """The file with its volumes changed by ``strength`` percent of the way to ``replaced``; stored type and scale kept.

    Integers are rounded and held within their range; what is not finite stays as it is.
    """
    image = nibabel.load(source.path)
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    stored = np.array(image.dataobj.get_unscaled())
    for index, denoised in replaced.items():
        volume = stored[..., index] if stored.ndim == 4 else stored
        real = volume * np.float64(slope) + intercept
        with np.errstate(invalid="ignore"):  # what is not finite is not written
            change = denoised.transpose(2, 1, 0) - real.astype(np.float32).astype(np.float64)
            wanted = real + strength / 100 * change
        changed = _as_stored((wanted - intercept) / slope, stored.dtype)
        np.copyto(volume, changed, where=np.isfinite(real))
    result = type(image)(stored, image.affine, image.header.copy())
    result.header.set_slope_inter(slope, intercept)
    path = folder / f"{source.uid}_strength-{strength:g}.nii.gz"
    nibabel.save(result, path)
    return path


def _as_stored(values: npt.NDArray[np.float64], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(np.nan_to_num(values)), limits.min, limits.max).astype(dtype)
