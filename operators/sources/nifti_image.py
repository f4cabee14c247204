"""A NIfTI file in the place of a DICOM series: the same header, affine and data type, other voxels.

A file of four dimensions is that many volumes, each denoised by itself, known by its index in time.
"""

import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import nibabel
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.errors import Refusal, kept
from operators.dicom.label_masks import refuse_labels
from operators.dicom.parts import Part
from operators.dicom.provenance import Provenance
from operators.sources.derived_series import DERIVED_NIFTI, SeriesPlan, WrittenSeries
from operators.sources.image import Display, Image, Images
from operators.sources.source import METHOD_OF_MODALITY, Key, Size

DAMAGED = (OSError, EOFError, ValueError, zlib.error)  # what nibabel raises for a file that breaks off
UNITS = {"CT": "HU"}  # by modality; elsewhere the file does not say


class NiftiRefusal(Refusal):
    """A NIfTI file that can't be denoised as it stands."""

    reason_code = "nifti"

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(f"a NIfTI file {what}; {way_out}")


@dataclass(frozen=True, eq=False)
class NiftiImage:
    """A file, described without its voxels."""

    path: Path
    uid: str
    modality: str
    shape: tuple[int, ...]  # columns, rows, slices and volumes, as far as there are several
    fault: Refusal | None  # of its header
    study_uid: str = ""
    number: None = None
    instance_count: int = 1
    headers: tuple[Dataset, ...] = ()
    takes_pdf: bool = False
    lossy: bool = False  # the file does not say
    attributes_left_out: Mapping[str, int] = field(default_factory=dict)  # none: the header is kept whole

    @property
    def voxel_count(self) -> int:
        """Of all volumes."""
        return math.prod(self.shape)

    @property
    def volume_count(self) -> int:
        """Of a file with one more dimension than a volume."""
        return self.shape[3] if len(self.shape) == 4 else 1

    @property
    def method(self) -> str:
        """By modality; an ultrasound clip is none of NIfTI's."""
        method = METHOD_OF_MODALITY.get(self.modality, "")
        return "" if method == "ultrasound" else method

    @property
    def display(self) -> Display:
        """A NIfTI file gives no window."""
        return Display(UNITS.get(self.modality, ""))

    @cached_property
    def refusal(self) -> Refusal | None:
        """By the header, and by the last volume, for which the file is read to its end."""
        if self.fault is not None:
            return self.fault
        try:
            refuse_labels(self.read(self.volume_count - 1).values)
        except Refusal as refusal:
            return kept(refusal)
        except DAMAGED:
            return NiftiRefusal("is truncated or damaged", "make it again from its source")
        return None

    def sizes(self) -> Mapping[Key, Size]:
        """Return the slices of each volume and the voxels of one."""
        columns, rows, slices = (*self.shape, 1)[:3]
        return dict.fromkeys(range(self.volume_count), (slices, rows * columns))

    def images(self, left_out: Counter[str]) -> Iterator[tuple[Key, Image]]:
        """Read one volume after another; nothing is left out."""
        for index in range(self.volume_count):
            yield index, self.read(index)

    def label(self, key: Key) -> str:
        """Return the number of a volume among several."""
        return f"volume {cast(int, key) + 1}" if self.volume_count > 1 else ""

    def read(self, key: Key, indices: Sequence[int] | None = None) -> Image:
        """Read a volume, or some of its slices, in real units; what is not finite is not valid."""
        image = nibabel.load(self.path)
        zooms = tuple(map(float, image.header.get_zooms()[:3]))
        data, (column, row, slice_) = image.dataobj, zooms if len(zooms) == 3 else (*zooms, max(zooms))
        stored = data[..., cast(int, key)] if len(image.shape) == 4 else data
        real = np.atleast_3d(np.asarray(stored, dtype=np.float32)).transpose(2, 1, 0)
        valid = np.isfinite(real)
        volume = Image(np.ascontiguousarray(np.where(valid, real, 0)), valid, (slice_, row, column))
        return volume if indices is None else volume.taken(indices)

    def plan(self, provenance: Provenance, naming: DerivedSettings, used_numbers: frozenset[int]) -> SeriesPlan:
        """Return the name that the derived file will have."""
        name = f"{self.uid}_strength-{provenance.strength:g}{DERIVED_NIFTI}"
        return SeriesPlan(name, None, provenance, naming, used_numbers)

    def write(self, images: Mapping[Key, Images], plan: SeriesPlan, folder: Path) -> WrittenSeries:
        """Write the file with its volumes changed; stored type and scale stay.

        Integers are rounded and held within their range; what is not finite stays as it is.
        """
        image = nibabel.load(self.path)
        slope, intercept = image.dataobj.slope, image.dataobj.inter
        stored = np.array(image.dataobj.get_unscaled())
        for index, denoised in images.items():
            volume = stored[..., cast(int, index)] if stored.ndim == 4 else stored
            real = volume * np.float64(slope) + intercept
            with np.errstate(invalid="ignore"):  # what is not finite is not written
                change = denoised.transpose(2, 1, 0).reshape(real.shape) - real.astype(np.float32).astype(np.float64)
                changed = _as_stored((real + change - intercept) / slope, stored.dtype)
            np.copyto(volume, changed, where=np.isfinite(real))
        result = type(image)(stored, image.affine, image.header.copy())
        result.header.set_slope_inter(slope, intercept)
        nibabel.save(result, folder / plan.series_uid)
        return WrittenSeries(plan.series_uid, plan.strength, 1)

    def write_part(
        self, part: Part, images: Mapping[Key, Images], noise_sd: float, plan: SeriesPlan, folder: Path
    ) -> None:
        """Write nothing: a researcher subtracts the files."""

    def write_pdf(self, pdf: bytes, images: Mapping[Key, Images], plan: SeriesPlan, folder: Path) -> None:
        """Write nothing: there is no study to file it in."""


def _as_stored(values: npt.NDArray[np.float64], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(np.nan_to_num(values)), limits.min, limits.max).astype(dtype)
