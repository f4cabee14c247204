"""What a derived object takes over, replaces and drops, attribute by attribute.

The tables are the conformance statement: what is in neither is KEPT as it is, private attributes too.
"""

from collections.abc import Callable
from dataclasses import dataclass

from highdicom import ContributingEquipment
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from operators.dicom.classes import CLASSIC_VOLUMES, CLIPS, MODALITY_OF_CLASS
from operators.dicom.decoding import is_lossy
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.identity import CODING_SCHEME, MANUFACTURER, MODEL_NAME
from operators.dicom.provenance import Provenance
from operators.dicom.values import integer, items, text, texts

LONG_STRING = 64  # characters of an LO, PS3.5 6.2
SHORT_TEXT = 1024  # characters of an ST

# Kept on purpose: what other systems depend on.
KEPT = {
    "StudyInstanceUID": "the same study",
    "FrameOfReferenceUID": "fusion and radiotherapy register by it",
    "ImagePositionPatient": "the geometry is unchanged",
    "ImageOrientationPatient": "the geometry is unchanged",
    "PixelSpacing": "the geometry is unchanged",
    "SliceLocation": "the geometry is unchanged",
    "AcquisitionDate": "the acquisition is the source's",
    "AcquisitionTime": "the acquisition is the source's",
    "InstanceNumber": "the order is unchanged",
    "AccessionNumber": "the RIS matches by it",
    "RequestAttributesSequence": "the RIS matches by it",
    "SpecificCharacterSet": "the text is the source's",
    "BitsStored": "the pixel format is unchanged",
    "PixelPaddingValue": "padding is bit-identical",
    "PresentationIntentType": "what the image is for is unchanged",
    "WindowCenter": "readers compare like with like",
    "SequenceOfUltrasoundRegions": "only pixels in tissue regions change",
    "BurnedInAnnotation": "burned-in text is bit-identical",
    "Units": "the unit of the pixels is unchanged",
    "RadiopharmaceuticalInformationSequence": "SUV is computed from it",
}

REMOVED = {
    "SmallestImagePixelValue": "holds for the source pixels only",
    "LargestImagePixelValue": "holds for the source pixels only",
    "SmallestPixelValueInSeries": "holds for the source pixels only",
    "LargestPixelValueInSeries": "holds for the source pixels only",
    "IconImageSequence": "shows the source pixels",
    "InstanceCreationDate": "describes the source object, and a new one would differ at each run",
    "InstanceCreationTime": "describes the source object, and a new one would differ at each run",
    "InstanceCreatorUID": "describes the source object",
    "DigitalSignaturesSequence": "signs the source object",
    "MACParametersSequence": "signs the source object",
    "EncryptedAttributesSequence": "may hold the source's identifiers for the source object only",
    "ExtendedOffsetTable": "the output is not compressed",
    "ExtendedOffsetTableLengths": "the output is not compressed",
    "PixelDataProviderURL": "points to the source pixels",
    "DataSetTrailingPadding": "fills up the source file",
}


@dataclass(frozen=True)
class Derivation:
    """What the replaced attributes are computed from."""

    provenance: Provenance
    settings: DerivedSettings
    series_number: int
    all_frames: bool  # whether every frame of the object was denoised


def series_number(source: Dataset, settings: DerivedSettings, used: frozenset[int]) -> int:
    """Return the source's number plus the offset, as often as it takes to be free in the study."""
    number = (integer(source, "SeriesNumber") or 0) + settings.series_number_offset
    while number in used:
        number += settings.series_number_offset
    return number


def _description(source: Dataset, derivation: Derivation) -> str:
    strength = derivation.provenance.strength
    percent = "" if strength == 100 else f" {strength:g}%"
    suffix = f" {derivation.settings.suffix}{percent}"
    return (text(source, "SeriesDescription")[: LONG_STRING - len(suffix)] + suffix).strip()


def _image_type(source: Dataset, derivation: Derivation) -> list[str]:
    classic = source.SOPClassUID in CLASSIC_VOLUMES or source.SOPClassUID in CLIPS
    second = "SECONDARY" if classic and MODALITY_OF_CLASS[source.SOPClassUID] != "PT" else "PRIMARY"
    first = "DERIVED" if derivation.all_frames else "MIXED"
    return [first, second, *texts(source, "ImageType")[2:]]


def _equipment(source: Dataset, derivation: Derivation) -> list[Dataset]:
    ours = ContributingEquipment(
        MANUFACTURER,
        codes.DCM.ProcessingEquipment,
        manufacturer_model_name=MODEL_NAME,
        software_versions=derivation.provenance.version,
        contribution_description=derivation.provenance.code[1],
    )
    return [*items(source, "ContributingEquipmentSequence"), ours]


def _lossy(source: Dataset, _: Derivation) -> str | None:
    return "01" if is_lossy(source) else text(source, "LossyImageCompression") or None


Replacement = Callable[[Dataset, Derivation], object]
# Each from the source and the derivation; None leaves the attribute as it is.
REPLACED: dict[str, tuple[str, Replacement]] = {
    "SOPInstanceUID": ("new and deterministic", lambda s, d: d.provenance.uid_for(s.SOPInstanceUID)),
    "SeriesInstanceUID": ("new and deterministic", lambda s, d: d.provenance.uid_for(s.SeriesInstanceUID)),
    "ConcatenationUID": (
        "new and deterministic, where present",
        lambda s, d: d.provenance.uid_for(s.ConcatenationUID) if "ConcatenationUID" in s else None,
    ),
    "SOPInstanceUIDOfConcatenationSource": (
        "new and deterministic, where present",
        lambda s, d: (
            d.provenance.uid_for(s.SOPInstanceUIDOfConcatenationSource)
            if "SOPInstanceUIDOfConcatenationSource" in s
            else None
        ),
    ),
    "ImageType": ("DERIVED and SECONDARY (PET and enhanced: PRIMARY), values 3 on kept", _image_type),
    "SeriesDescription": ("the source's, cut, and the suffix", _description),
    "SeriesNumber": ("the source's plus the offset, free in the study", lambda s, d: d.series_number),
    "ContentQualification": ("as the settings say", lambda s, d: d.settings.content_qualification),
    "ContributingEquipmentSequence": ("one item appended: this application", _equipment),
    "LossyImageCompression": ("01 once any step was lossy", _lossy),
}

# Replaced beside the table above, because they follow from the pixels or from each frame.
REPLACED_WITH_PIXELS = {
    "PixelData": "uncompressed, padding and everything outside the tissue bit-identical",
    "RescaleSlope": "PET only, for a slice or frame whose range grew; the value is kept to half a stored step",
    "PhotometricInterpretation": "RGB where JPEG or JPEG 2000 colour was decoded; else kept",
    "PlanarConfiguration": "0 where compressed colour was decoded; else kept",
    "DerivationDescription": "method, version, strength, seed, steps, settings hash, after what the source says",
    "DerivationCodeSequence": "one item appended: the private code of noise reduced, or filtered without a network",
    "SourceImageSequence": "the same position in the source object",
    "SourceImageEvidenceSequence": "enhanced: one item appended, the source object",
    "SharedFunctionalGroupsSequence": "enhanced: groups that change are moved to the frames",
    "PerFrameFunctionalGroupsSequence": "enhanced: FrameType DERIVED and a Derivation Image group where denoised",
}


def replace_attributes(dataset: Dataset, derivation: Derivation) -> None:
    """Turn the attributes of a source, read again, into those of the derived object, by the tables above."""
    new = {keyword: make(dataset, derivation) for keyword, (_, make) in REPLACED.items()}
    for keyword in (*REMOVED, *(keyword for keyword, made in new.items() if made is not None)):
        if keyword in dataset:
            delattr(dataset, keyword)
    for keyword, made in new.items():
        if made is not None:
            setattr(dataset, keyword, made)


def source_reference(source: Dataset, frame: int | None = None) -> Dataset:
    """Return an item of SourceImageSequence: the same position in the source, frames counted from 0."""
    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    if frame is not None:
        item.ReferencedFrameNumber = frame + 1
    item.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(codes.DCM.SourceImageForImageProcessingOperation)]
    item.SpatialLocationsPreserved = "YES"
    return item


def add_derivation(target: Dataset, references: list[Dataset], provenance: Provenance) -> None:
    """Add DerivationDescription, DerivationCodeSequence and SourceImageSequence, after what the source already says."""
    earlier = text(target, "DerivationDescription")
    description = provenance.description()
    room = SHORT_TEXT - len(description) - 2
    target.DerivationDescription = f"{earlier[:room]}; {description}" if earlier else description
    value, meaning = provenance.code
    target.DerivationCodeSequence = [
        *items(target, "DerivationCodeSequence"),
        CodedConcept(value, CODING_SCHEME, meaning),
    ]
    target.SourceImageSequence = references
