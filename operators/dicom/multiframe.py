"""Derived enhanced multi-frame objects: functional groups that say which frames were denoised, and from what.

A group that changes for some frames only is first taken out of the shared item into every frame's own:
PS3.3 C.7.6.16 allows each group in one of the two places.
"""

from copy import deepcopy

from pydicom.dataset import Dataset

from operators.dicom.attributes import add_derivation, source_reference
from operators.dicom.mappings import Linear
from operators.dicom.provenance import Provenance
from operators.dicom.values import items, texts

FRAME_TYPES = ("CTImageFrameTypeSequence", "MRImageFrameTypeSequence", "PETFrameTypeSequence")
PER_FRAME = "PerFrameFunctionalGroupsSequence"
SHARED = "SharedFunctionalGroupsSequence"


def describe_frames(dataset: Dataset, source: Dataset, denoised: frozenset[int], provenance: Provenance) -> None:
    """Mark the denoised frames: FrameType DERIVED, a Derivation Image group, the source as evidence.

    Args:
        dataset: the derived object; changed in place.
        source: header of the source, for its UIDs.
        denoised: frame numbers from 0.
    """
    for name in (*FRAME_TYPES, "DerivationImageSequence"):
        _make_own(dataset, name)
    for frame, group in enumerate(items(dataset, PER_FRAME)):
        if frame not in denoised:
            group.DerivationImageSequence = items(group, "DerivationImageSequence")
            continue
        for name in FRAME_TYPES:
            for item in items(group, name):
                item.FrameType = ["DERIVED", *texts(item, "FrameType")[1:]]
        derivation = Dataset()
        add_derivation(derivation, [source_reference(source, frame)], provenance)
        group.DerivationImageSequence = [*items(group, "DerivationImageSequence"), derivation]
    dataset.SourceImageEvidenceSequence = [*items(dataset, "SourceImageEvidenceSequence"), _evidence(source)]


def set_slopes(dataset: Dataset, grown: dict[int, Linear]) -> None:
    """Write the new rescale slopes of the frames whose range grew."""
    if grown:
        _make_own(dataset, "PixelValueTransformationSequence")
    for frame, mapping in grown.items():
        for item in items(items(dataset, PER_FRAME)[frame], "PixelValueTransformationSequence"):
            item.RescaleSlope = mapping.slope


def _make_own(dataset: Dataset, name: str) -> None:
    for shared in items(dataset, SHARED):
        if name in shared:
            for group in items(dataset, PER_FRAME):
                setattr(group, name, deepcopy(shared[name].value))
            delattr(shared, name)


def _evidence(source: Dataset) -> Dataset:
    instance, series, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = source.SOPClassUID, source.SOPInstanceUID
    series.SeriesInstanceUID, series.ReferencedSOPSequence = source.SeriesInstanceUID, [instance]
    study.StudyInstanceUID, study.ReferencedSeriesSequence = source.StudyInstanceUID, [series]
    return study
