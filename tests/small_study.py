"""Small DICOM series of a few integers, for tests of the ways through the graph."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedSRStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    UltrasoundImageStorage,
)

CLASSES = {
    "CT": CTImageStorage,
    "MR": MRImageStorage,
    "PT": PositronEmissionTomographyImageStorage,
    "US": UltrasoundImageStorage,
    "SR": EnhancedSRStorage,
}
STUDY_UID = "1.2.3.4"
CANARY = "CANARYBIRD"
SIZE = 24


def series_uid(number: int) -> str:
    return f"{STUDY_UID}.{number}"


def instance(modality: str, number: int, index: int, **attributes: object) -> Dataset:
    """One slice; a canary sings in every attribute that could identify the patient."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = CLASSES[modality]
    made.SOPInstanceUID = f"{series_uid(number)}.{index + 1}"
    made.StudyInstanceUID, made.SeriesInstanceUID = STUDY_UID, series_uid(number)
    made.FrameOfReferenceUID = f"{STUDY_UID}.99"
    for keyword in ("PatientName", "PatientID", "PatientAddress", "StudyDescription", "SeriesDescription", "StudyID"):
        setattr(made, keyword, CANARY)
    for keyword in ("AccessionNumber", "InstitutionName", "ReferringPhysicianName", "OperatorsName", "PatientComments"):
        setattr(made, keyword, CANARY)
    made.PatientBirthDate, made.PatientSex = "19010101", "O"
    made.StudyDate, made.StudyTime = "20240102", "090000"
    made.Modality, made.SeriesNumber, made.InstanceNumber = modality, number, index + 1
    if modality != "SR":
        _add_image(made, modality, number, index)
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def _add_image(made: Dataset, modality: str, number: int, index: int) -> None:
    made.ImageType = ["ORIGINAL", "PRIMARY"]
    made.ImagePositionPatient, made.ImageOrientationPatient = [0, 0, 2 * index], [1, 0, 0, 0, 1, 0]
    made.PixelSpacing, made.SliceThickness = [1, 1], 2
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows = made.Columns = SIZE
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    if modality in {"CT", "PT"}:
        made.RescaleSlope, made.RescaleIntercept = "1", "-1024" if modality == "CT" else "0"
    grey = np.random.default_rng([number, index]).normal(1100, 20, (SIZE, SIZE))
    grey[6:18, 6:18] += 300
    made.PixelData = grey.astype("<u2").tobytes()
    if modality == "PT":
        made.Units, made.DecayCorrection = "BQML", "START"


def save(made: Dataset, path: Path) -> Path:
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path, enforce_file_format=True)
    return path


def write_series(folder: Path, modality: str, number: int, slices: int = 6, **attributes: object) -> Path:
    for index in range(slices):
        save(instance(modality, number, index, **attributes), folder / f"{CANARY}#{modality}{number}" / f"{index}")
    return folder
