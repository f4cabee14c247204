"""One flat header per frame, whether the object is classic or enhanced multi-frame.

In a classic object the header itself speaks for its one frame. In an enhanced object a frame is described
by shared and per-frame functional groups: here the groups that matter are laid flat into one dataset, the
frame's own values before the shared ones (PS3.3 C.7.6.16).
"""

from pydicom.dataset import Dataset

from operators.dicom.classes import ENHANCED_VOLUMES
from operators.dicom.decoding import BROKEN
from operators.dicom.errors import ImageKindError, UndecodableError, UnreadableError, UnusableValueError
from operators.dicom.files import read_dataset, transfer_syntax
from operators.dicom.study import Instance
from operators.dicom.unwritable import drop_unwritable_after_pixels
from operators.dicom.values import items, parsing

# Functional group sequences, and those nested in them, whose attributes place, scale or distinguish a frame.
GROUPS = (
    "UnassignedSharedConvertedAttributesSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
    "PixelMeasuresSequence",
    "PlaneOrientationSequence",
    "PlanePositionSequence",
    "FrameContentSequence",
    "TemporalPositionSequence",
    "CTImageFrameTypeSequence",
    "MRImageFrameTypeSequence",
    "PETFrameTypeSequence",
    "PixelValueTransformationSequence",
    "MREchoSequence",
    "MRModifierSequence",
    "MRDiffusionSequence",
    "DiffusionGradientDirectionSequence",
    "RealWorldValueMappingSequence",
    "DerivationImageSequence",
    "CardiacSynchronizationSequence",
    "RespiratorySynchronizationSequence",
)
GIVEN_UIDS = ("StudyInstanceUID", "SeriesInstanceUID")  # new where absent, if the settings allow it
OF_THE_OBJECT = ("InstanceNumber", "SOPInstanceUID")  # what distinguishes the frames of several objects


def frame_headers(instance: Instance) -> tuple[Dataset, ...]:
    """Return the flat header of every frame, in frame order.

    Raises:
        Refusal: an enhanced object whose functional groups are absent, unreadable or do not fit its frames.
    """
    if instance.sop_class not in ENHANCED_VOLUMES:
        if instance.frame_count != 1:
            raise ImageKindError("a classic image of several frames", "its frames have no position")
        return (instance.header,)
    own = items(instance.header, "PerFrameFunctionalGroupsSequence")
    if len(own) != instance.frame_count:
        reason = f"it has {instance.frame_count} frames and functional groups for {len(own)}, so they have no position"
        raise ImageKindError("this enhanced multi-frame image", reason)
    shared = Dataset()
    for item in items(instance.header, "SharedFunctionalGroupsSequence")[:1]:
        _lay_flat(item, shared)
    for name in OF_THE_OBJECT:
        if name in instance.header:
            shared[name] = instance.header[name]
    return tuple(_own_header(group, shared) for group in own)


def whole_dataset(instance: Instance) -> Dataset:
    """Read an object again with its pixel data, as its header was read; the caller lets it go before the next.

    Raises:
        UndecodableError: the file breaks off after its header.
    """
    try:
        dataset = read_dataset(instance.path, header_only=False)
    except UnreadableError as error:
        raise UndecodableError(transfer_syntax(instance.header), BROKEN) from error
    for keyword in GIVEN_UIDS:
        setattr(dataset, keyword, instance.header[keyword].value)
    # pydicom gives up without an exception where compressed data break off
    if len(dataset) < len(instance.header) + len(instance.left_out):
        raise UndecodableError(transfer_syntax(instance.header), BROKEN)
    for tag in instance.left_out:
        del dataset[tag]
    drop_unwritable_after_pixels(dataset, instance.header)
    return dataset


def _own_header(group: Dataset, shared: Dataset) -> Dataset:
    flat = Dataset()
    flat.update(dict(shared.items()))
    _lay_flat(group, flat)
    return flat


def _lay_flat(group: Dataset, flat: Dataset) -> None:
    for name in GROUPS:
        for item in items(group, name)[:1]:
            with parsing(UnusableValueError(name)):
                flat.update(dict(item.items()))
            _lay_flat(item, flat)
