"""Stored values and real values of a CT, MR or PT frame, exactly both ways.

Real = slope x stored + intercept, or a modality look-up table; per slice in PET, per frame in enhanced
objects. The way back moves each stored value by the change of its real value, so that no change gives the
stored value back for every sign, depth and slope, whatever float32 can hold. Rounding comes last and is to
the nearest; values are clipped to the stored range and stay out of the padding range.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from operators.dicom.decoding import Samples, decoded_frames, repacked, stored_range, unpacked
from operators.dicom.errors import ImageKindError, UndecodableError, kept
from operators.dicom.frames import frame_headers, whole_dataset
from operators.dicom.geometry import Stack, Volumes, volumes_of
from operators.dicom.label_masks import examined, refuse_labels
from operators.dicom.mappings import Linear, Real, Stored, Table, grown_for, mapping_of, padding_of
from operators.dicom.slices import LeftOut
from operators.dicom.study import Instance


@dataclass(frozen=True, eq=False)
class FrameScale:
    """What the samples of one frame mean."""

    header: Dataset  # of the instance
    mapping: Linear | Table
    padding: tuple[int, int] | None  # stored values from and to, both within

    def valid(self, stored: Stored) -> npt.NDArray[np.bool_]:
        """Return which stored values are measured, not padding."""
        if self.padding is None:
            return np.ones(stored.shape, bool)
        return np.asarray((stored < self.padding[0]) | (stored > self.padding[1]))

    def changed(self, samples: Samples, denoised: npt.NDArray[np.float32]) -> Samples:
        """Return the samples with the real values ``denoised``."""
        stored, valid, after = self._after(samples, denoised)
        new = self.mapping.moved(stored, after - self.mapping.real(stored))
        return self._written(samples, np.where(valid, new, stored))

    def regrown(self, samples: Samples, denoised: npt.NDArray[np.float32]) -> tuple[Samples, Linear | None]:
        """Return what ``changed`` does, but with a larger slope where the stored range would clip a value.

        Returns:
            The samples, and the new mapping, None where the old one serves.
        """
        stored, valid, after = self._after(samples, denoised)
        grown = grown_for(self.mapping, after[valid], stored_range(self.header))
        if grown is None:
            return self.changed(samples, denoised), None
        new = np.rint((after - grown.intercept) / grown.slope).astype(np.int64)
        return self._written(samples, np.where(valid, new, stored)), grown

    def _after(self, samples: Samples, denoised: npt.NDArray[np.float32]) -> tuple[Stored, npt.NDArray[np.bool_], Real]:
        """Return stored values, which are valid, and the real values after the change; equal float32 are no change."""
        stored = unpacked(samples, self.header)
        before = self.mapping.real(stored)
        change = denoised.astype(np.float64) - before.astype(np.float32)
        return stored, self.valid(stored), before + change

    def _written(self, samples: Samples, stored: Stored) -> Samples:
        old = unpacked(samples, self.header)
        inside = np.clip(stored, *stored_range(self.header))
        moved = np.where(self.valid(old), self._out_of_padding(inside), old)
        return repacked(samples, moved, self.header)

    def _out_of_padding(self, stored: Stored) -> Stored:
        """Return values that fell on padding, moved to the nearest value beside it."""
        if self.padding is None:
            return stored
        low, high = self.padding
        least, most = stored_range(self.header)
        beside = np.where((stored - low <= high - stored) & (low > least) | (high >= most), low - 1, high + 1)
        return np.asarray(np.where(self.valid(stored), stored, beside))


@dataclass(frozen=True, eq=False)
class Volume:
    """The decoded frames of one stack."""

    voxels: npt.NDArray[np.float32]  # (slices, rows, columns), real units
    valid: npt.NDArray[np.bool_]  # the same shape; False for padding
    spacing: tuple[float, float, float]  # mm: slice, row, column


def images_among(volumes: Volumes) -> Volumes:
    """Return the volumes that are images, by a few slices of each; labels and what cannot be decoded are left out.

    Raises:
        Refusal: there is none.
    """
    stacks: list[Stack] = []
    left_out: LeftOut = []
    for stack in volumes.stacks:
        try:
            refuse_labels(read_volume(stack.taken(examined(len(stack.places)))).voxels)
        except (ImageKindError, UndecodableError) as reason:
            left_out.append((len(stack.places), kept(reason)))
        else:
            stacks.append(stack)
    images = volumes_of(stacks, left_out)
    return Volumes(images.stacks, volumes.left_out + images.left_out)


def read_volume(stack: Stack) -> Volume:
    """Decode a stack.

    Raises:
        Refusal: pixel data that are broken or have no decoder.
    """
    first = stack.places[0].instance
    shape = (len(stack.places), first.rows, first.columns)
    volume = Volume(np.empty(shape, np.float32), np.empty(shape, bool), stack.spacing)
    slots: dict[Instance, list[tuple[int, int]]] = defaultdict(list)
    for slot, place in enumerate(stack.places):
        slots[place.instance].append((place.frame, slot))
    for instance, wanted in slots.items():
        scales = frame_scales(instance)
        ordered = sorted(wanted)
        decoded = decoded_frames(whole_dataset(instance), [frame for frame, _ in ordered])
        for (frame, slot), (samples, _) in zip(ordered, decoded, strict=True):
            stored = unpacked(samples, instance.header)
            volume.voxels[slot] = scales[frame].mapping.real(stored)
            volume.valid[slot] = scales[frame].valid(stored)
    return volume


def frame_scales(instance: Instance) -> tuple[FrameScale, ...]:
    """Return what the samples of each frame mean, in frame order."""
    padding = padding_of(instance.header)
    headers = frame_headers(instance)
    return tuple(FrameScale(instance.header, mapping_of(header), padding) for header in headers)
