"""Images that are refused by name before anything is fitted: by their header."""

from pydicom.dataset import Dataset

from operators.dicom.classes import CLIPS, MODALITY_OF_CLASS
from operators.dicom.decoding import check_pixel_kind
from operators.dicom.errors import ImageKindError, MapError, OwnOutputError
from operators.dicom.identity import CODING_SCHEME, MODEL_NAME
from operators.dicom.label_masks import LABELS
from operators.dicom.maps import map_kind
from operators.dicom.study import Instance
from operators.dicom.values import items, text, texts

PROJECTION = ("a projection through a volume", "its noise is not that of slices")
SCREEN = ("a screen capture", "it holds text and graphics")
# Values of ImageType or FrameType, from the third on.
REFUSED_TYPES = {
    "LOCALIZER": ("a localizer", "its few slices are only for planning"),
    "MOSAIC": ("a mosaic", "it holds a whole volume in one image; send the enhanced or unpacked series"),
    "MIP": PROJECTION,
    "MINIP": PROJECTION,
    "MAX_IP": PROJECTION,
    "MIN_IP": PROJECTION,
    "PROJECTION IMAGE": PROJECTION,
    "VOLUME RENDERING": PROJECTION,
    "SEGMENTATION": LABELS,
    "LABELMAP": LABELS,
    "BINARY": LABELS,
    "MNIP": PROJECTION,
    "REPROJECTION": PROJECTION,
    "SCREEN SAVE": SCREEN,
    "SCREENSAVE": SCREEN,
    "SCREENSHOT": SCREEN,
    "SCREEN CAPTURE": SCREEN,
    "SECONDARY CAPTURE": SCREEN,
    "DOSE_INFO": SCREEN,
}
# ConversionType of an image that was filmed, scanned or captured from a screen, PS3.3 C.8.6.1.
SCREEN_CONVERSIONS = frozenset({"DV", "DF", "SD", "SI", "DRW"})
# Values of an MR image that is no magnitude.
NOT_MAGNITUDE = frozenset(
    {"P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY", "VELOCITY", "VELOCITY MAP", "FIELD_MAP", "FIELD MAP"}
)
NOT_MAGNITUDE_KIND = ("a phase, real, imaginary or field map", "only magnitude images follow the noise model")


def check_instance_kind(instance: Instance) -> None:
    """Refuse our own output and pixels of the wrong kind.

    Raises:
        Refusal: with the reason.
    """
    check_own_output(instance.header)
    colours = text(instance.header, "PhotometricInterpretation")
    if instance.sop_class not in CLIPS and (instance.samples != 1 or not colours.startswith("MONOCHROME")):
        raise ImageKindError("a colour image", "CT, MR and PET are measured in grey")
    check_pixel_kind(instance.header)


def check_own_output(header: Dataset) -> None:
    """Refuse what this application made, and what others made of it.

    Raises:
        OwnOutputError: a header that names this application.
    """
    equipment = items(header, "ContributingEquipmentSequence")
    codes = items(header, "DerivationCodeSequence")
    if any(text(item, "ManufacturerModelName") == MODEL_NAME for item in equipment) or any(
        text(item, "CodingSchemeDesignator") == CODING_SCHEME for item in codes
    ):
        raise OwnOutputError()


def check_frame_kind(header: Dataset, instance: Instance, maps: frozenset[str]) -> None:
    """Refuse a frame whose type is named above, and a computed map.

    Args:
        header: of the frame, flat.
        instance: that holds the frame.
        maps: the kinds of maps that are let through.

    Raises:
        ImageKindError: with the kind.
    """
    words = {*texts(instance.header, "ImageType")[2:], *texts(header, "FrameType")[2:]}
    words |= {text(header, "VolumeBasedCalculationTechnique"), *texts(instance.header, "SeriesType")}
    original = texts(instance.header, "ImageType")[:1] == ("ORIGINAL",)
    if text(instance.header, "ConversionType") in SCREEN_CONVERSIONS and not original:
        raise ImageKindError(*SCREEN)
    for word in sorted(words & REFUSED_TYPES.keys()):
        raise ImageKindError(*REFUSED_TYPES[word])
    component = text(header, "ComplexImageComponent")
    own_words = {*(texts(header, "FrameType") or texts(header, "ImageType"))[2:], component}
    if MODALITY_OF_CLASS[instance.sop_class] == "MR" and own_words & NOT_MAGNITUDE:
        raise ImageKindError(*NOT_MAGNITUDE_KIND)
    kind = map_kind(header, instance)
    if kind is not None and kind.key not in maps:
        raise MapError(kind.name, kind.key)
