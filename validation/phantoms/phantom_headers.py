"""What the headers of a phantom study say: one table of attributes per modality, as a scanner would fill them.

Keys are DICOM keywords, values what pydicom takes. Everything is fixed or follows from the arguments: writing a study
twice gives the same bytes. No real person, place or device is named.
"""

from collections.abc import Mapping
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

Attributes = Mapping[str, Any]

STUDY: Attributes = {
    "SpecificCharacterSet": "ISO_IR 192",
    "PatientName": "PHANTOM^DEMO",
    "PatientID": "DEMO-0001",
    "PatientBirthDate": "19700101",
    "PatientSex": "O",
    "PatientAge": "054Y",
    "PatientSize": "1.75",
    "PatientWeight": "75",
    "StudyDate": "20240102",
    "StudyTime": "090000",
    "StudyID": "1",
    "StudyDescription": "Phantoms with known truth",
    "AccessionNumber": "DEMO1",
    "ReferringPhysicianName": "",
    "Manufacturer": "Phantom maker",
    "ManufacturerModelName": "Calculated phantom",
    "DeviceSerialNumber": "1",
    "SoftwareVersions": "1",
    "InstitutionName": "Phantom hospital",
    "BurnedInAnnotation": "NO",
}

GREY: Attributes = {"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2"}

CT: Attributes = {
    "SOPClassUID": CTImageStorage,
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
    "SeriesDescription": "CHEST 1.0 STANDARD",
    "BodyPartExamined": "CHEST",
    "KVP": "120",
    "DataCollectionDiameter": "500",
    "ReconstructionDiameter": "320",
    "GantryDetectorTilt": "0",
    "XRayTubeCurrent": "80",
    "ExposureTime": "500",
    "Exposure": "40",
    "ConvolutionKernel": "STANDARD",
    "AcquisitionNumber": "1",
    "RescaleIntercept": "-1024",
    "RescaleSlope": "1",
    "RescaleType": "HU",
    "WindowCenter": "40",
    "WindowWidth": "400",
    "PixelPaddingValue": -2000,
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 1,
}

MR: Attributes = {
    "SOPClassUID": MRImageStorage,
    "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
    "SeriesDescription": "T1 3D AX",
    "BodyPartExamined": "BRAIN",
    "ScanningSequence": "GR",
    "SequenceVariant": "SP",
    "ScanOptions": "",
    "MRAcquisitionType": "3D",
    "RepetitionTime": "9",
    "EchoTime": "4",
    "EchoTrainLength": "1",
    "FlipAngle": "20",
    "MagneticFieldStrength": "1.5",
    "ImagingFrequency": "63.87",
    "ImagedNucleus": "1H",
    "AcquisitionNumber": "1",
    "WindowCenter": "450",
    "WindowWidth": "900",
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
}

PT: Attributes = {
    "SOPClassUID": PositronEmissionTomographyImageStorage,
    "ImageType": ["ORIGINAL", "PRIMARY"],
    "SeriesDescription": "FDG WB AC",
    "BodyPartExamined": "WHOLEBODY",
    "SeriesType": ["STATIC", "IMAGE"],
    "Units": "BQML",
    "CountsSource": "EMISSION",
    "CorrectedImage": ["DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"],
    "DecayCorrection": "START",
    "RandomsCorrectionMethod": "DLYD",
    "AttenuationCorrectionMethod": "measured, CT",
    "ScatterCorrectionMethod": "model based",
    "ReconstructionMethod": "OSEM 2i 20s",
    "CollimatorType": "NONE",
    "ActualFrameDuration": "180000",
    "FrameReferenceTime": "90000",
    "DecayFactor": "1.46",
    "DoseCalibrationFactor": "1",
    "RescaleIntercept": "0",
    "BitsAllocated": 16,
    "BitsStored": 16,
    "HighBit": 15,
    "PixelRepresentation": 1,
}

US: Attributes = {
    "SOPClassUID": UltrasoundImageStorage,
    "ImageType": ["ORIGINAL", "PRIMARY", "SMALL PARTS", "0001"],
    "SeriesDescription": "Linear probe still",
    "TransducerType": "LINEAR",
    "BodyPartExamined": "NECK",
    "LossyImageCompression": "00",
    "PatientOrientation": "",
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
    "PixelRepresentation": 0,
}

CINE: Attributes = {
    **US,
    "SOPClassUID": UltrasoundMultiFrameImageStorage,
    "SeriesDescription": "Linear probe cine",
    "FrameTime": "50",
    "CineRate": "20",
    "FrameIncrementPointer": 0x00181063,
}


def uid(*names: object) -> str:
    """Return the UID of the thing with these names: always the same one."""
    return generate_uid(prefix="2.25.", entropy_srcs=[", ".join(map(str, ("phantom study", *names)))])


def code(value: str, scheme: str, meaning: str) -> Sequence:
    """Return a code sequence of one item."""
    return Sequence([dataset({"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning})])


def dataset(*tables: Attributes) -> Dataset:
    """Return a dataset of these tables' attributes, later ones winning."""
    made = Dataset()
    for table in tables:
        for keyword, value in table.items():
            setattr(made, keyword, value)
    return made


def fdg() -> Attributes:
    """Return the radiopharmaceutical, energy window and patient orientation items of a PET series."""
    injected = dataset(
        {
            "Radiopharmaceutical": "FDG",
            "RadiopharmaceuticalStartTime": "080000",
            "RadionuclideTotalDose": "370000000",
            "RadionuclideHalfLife": "6586.2",
            "RadionuclidePositronFraction": "0.967",
            "RadionuclideCodeSequence": code("77004003", "SCT", "^18^Fluorine"),
            "RadiopharmaceuticalCodeSequence": code("35321007", "SCT", "Fluorodeoxyglucose F^18^"),
        }
    )
    recumbent = code("102538003", "SCT", "recumbent")
    recumbent[0].PatientOrientationModifierCodeSequence = code("40199007", "SCT", "supine")
    window = dataset({"EnergyWindowLowerLimit": "435", "EnergyWindowUpperLimit": "650"})
    return {
        "RadiopharmaceuticalInformationSequence": Sequence([injected]),
        "EnergyWindowRangeSequence": Sequence([window]),
        "PatientOrientationCodeSequence": recumbent,
        "PatientGantryRelationshipCodeSequence": code("102540008", "SCT", "headfirst"),
    }


def with_file_meta(made: Dataset) -> Dataset:
    """Give the dataset the file meta information it needs to be saved."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made
