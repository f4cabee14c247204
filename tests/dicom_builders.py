"""DICOM objects from a few integers, written to bytes and read back, for the tests of the DICOM room."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    EnhancedPETImageStorage,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

ROOT = "1.2.826.0.1.3680043.10.1"
STUDY = f"{ROOT}.1"
ROWS, COLUMNS = 6, 8
ENHANCED_CLASSES = {"MR": EnhancedMRImageStorage, "CT": EnhancedCTImageStorage, "PT": EnhancedPETImageStorage}
FRAME_TYPES = {"CT": "CTImageFrameTypeSequence", "MR": "MRImageFrameTypeSequence", "PT": "PETFrameTypeSequence"}
CLASSES = {"CT": CTImageStorage, "MR": MRImageStorage, "PT": PositronEmissionTomographyImageStorage}


def file_meta(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> Dataset:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def base(modality: str, series: int, index: int) -> Dataset:
    """What every object says of its patient, study, series and equipment."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 100"
    made.SOPInstanceUID = f"{ROOT}.{series}.{index + 1}"
    made.StudyDate, made.StudyTime, made.AccessionNumber = "20240102", "090000", "A1"
    made.ContentDate, made.ContentTime = "20240102", "090100"
    made.Modality, made.Manufacturer, made.ReferringPhysicianName = modality, "Maker", ""
    made.SeriesDescription = "Thorax gefaltet"
    made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = "Müller^Jörg", "P1", "", "O"
    made.StudyInstanceUID, made.SeriesInstanceUID = STUDY, f"{ROOT}.{series}"
    made.StudyID, made.SeriesNumber, made.InstanceNumber = "1", series, index + 1
    made.PatientOrientation = ""
    return made


def set_pixels(made: Dataset, stored: np.ndarray, bits: int = 12, signed: bool = False, allocated: int = 16) -> Dataset:
    """Grey pixels (rows, columns) or (frames, rows, columns)."""
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows, made.Columns = stored.shape[-2:]
    made.BitsAllocated, made.BitsStored, made.HighBit = allocated, bits, bits - 1
    made.PixelRepresentation = int(signed)
    kind = f"<{'i' if signed else 'u'}{allocated // 8}"
    made.PixelData = stored.astype(kind).tobytes()
    made["PixelData"].VR = "OW" if allocated > 8 else "OB"
    return made


def stored_values(index: int, shape: tuple[int, int] = (ROWS, COLUMNS)) -> np.ndarray:
    return (np.arange(shape[0] * shape[1]).reshape(shape) * 7 + 100 * index) % 4000


def image_slice(modality: str, index: int, series: int = 2, **changes: object) -> Dataset:
    """One classic slice, 2 mm apart, with an intercept that makes CT negative and a PET slope of its own."""
    made = base(modality, series, index)
    made.SOPClassUID = CLASSES[modality]
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"] if modality != "PT" else ["ORIGINAL", "PRIMARY"]
    made.AcquisitionNumber, made.FrameOfReferenceUID, made.PositionReferenceIndicator = 1, f"{ROOT}.9", ""
    made.ImagePositionPatient, made.ImageOrientationPatient = [-10, -20, 2 * index], [1, 0, 0, 0, 1, 0]
    made.PixelSpacing, made.SliceThickness = [0.5, 0.75], 2
    set_pixels(made, stored_values(index))
    if modality != "MR":
        made.RescaleSlope = 1 if modality == "CT" else 0.5 + index / 8
        made.RescaleIntercept = -1024 if modality == "CT" else 0
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return file_meta(made)


def image_series(modality: str, count: int = 5, **changes: object) -> list[Dataset]:
    return [image_slice(modality, index, **changes) for index in range(count)]


def enhanced(modality: str, count: int = 5, times: int = 1, **changes: object) -> Dataset:
    """An enhanced object: ``times`` volumes of ``count`` slices, each frame with a slope of its own."""
    made = base(modality, 3 + 10 * list(ENHANCED_CLASSES).index(modality), 0)
    made.SOPClassUID = ENHANCED_CLASSES[modality]
    made.ImageType = ["ORIGINAL", "PRIMARY", "T1" if modality == "MR" else "VOLUME", "NONE"]
    made.FrameOfReferenceUID, made.ContentQualification = f"{ROOT}.9", "PRODUCT"
    made.NumberOfFrames = count * times
    set_pixels(made, np.stack([stored_values(index) for index in range(count * times)]))
    frame_type, orientation, measures = Dataset(), Dataset(), Dataset()
    frame_type.FrameType = made.ImageType
    if modality == "MR":
        frame_type.ComplexImageComponent = "MAGNITUDE"
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.75], 2
    shared = Dataset()
    setattr(shared, FRAME_TYPES[modality], [frame_type])
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    made.SharedFunctionalGroupsSequence = [shared]
    made.PerFrameFunctionalGroupsSequence = [
        frame_groups(index, time) for time in range(times) for index in range(count)
    ]
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return file_meta(made)


def frame_groups(index: int, time: int) -> Dataset:
    group, position, content, mapping = Dataset(), Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = [-10, -20, 2 * index]
    content.TemporalPositionIndex, content.InStackPositionNumber, content.StackID = time + 1, index + 1, "1"
    mapping.RescaleSlope, mapping.RescaleIntercept, mapping.RescaleType = 0.5 + index / 8, 0, "US"
    group.PlanePositionSequence, group.FrameContentSequence = [position], [content]
    group.PixelValueTransformationSequence = [mapping]
    return group


US_SIZE = 96
SECTOR = (slice(16, 80), slice(16, 80))


def speckle(frames: int = 1, seed: int = 0) -> np.ndarray:
    """(frames, rows, columns) of 8-bit grey: a square sector of speckle on black, two letters beside it."""
    grey = np.zeros((frames, US_SIZE, US_SIZE), np.uint8)
    draw = np.random.default_rng(seed)
    grey[(slice(None), *SECTOR)] = draw.rayleigh(40, (frames, 64, 64)).clip(8, 200)
    grey[:, 4:10, 40:42] = grey[:, 4:10, 46:48] = 255
    return grey


def ultrasound(samples: np.ndarray, photometric: str, **changes: object) -> Dataset:
    """A still or cine from 8-bit samples (frames, rows, columns[, 3])."""
    made = base("US", 4, 0)
    frames = len(samples)
    made.SOPClassUID = UltrasoundMultiFrameImageStorage if frames > 1 else UltrasoundImageStorage
    made.ImageType = ["ORIGINAL", "PRIMARY", "ABDOMINAL"]
    set_pixels(made, samples[..., 0] if samples.ndim == 4 else samples, bits=8, allocated=8)
    made.PhotometricInterpretation = photometric
    if frames > 1:
        made.NumberOfFrames, made.FrameTime, made.FrameIncrementPointer = frames, 40, 0x00181063
    if samples.ndim == 4:
        made.SamplesPerPixel, made.PlanarConfiguration = 3, 0
        made.PixelData = samples.tobytes()
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return file_meta(made)


def region(left: int, top: int, right: int, bottom: int, *, spatial: int = 1, kind: int = 1) -> Dataset:
    made = Dataset()
    made.RegionSpatialFormat, made.RegionDataType, made.RegionFlags = spatial, kind, 0
    made.RegionLocationMinX0, made.RegionLocationMinY0 = left, top
    made.RegionLocationMaxX1, made.RegionLocationMaxY1 = right, bottom
    made.PhysicalUnitsXDirection = made.PhysicalUnitsYDirection = 3
    made.PhysicalDeltaX = made.PhysicalDeltaY = 0.1
    return made


def as_jpeg(dataset: Dataset, samples: np.ndarray) -> Dataset:
    """The same ultrasound clip, JPEG compressed with subsampled chroma."""
    streams = []
    for frame in samples:
        stream = io.BytesIO()
        Image.fromarray(frame).save(stream, "JPEG", quality=90, subsampling="4:2:2")
        streams.append(stream.getvalue())
    dataset.PixelData = encapsulate(streams)
    dataset["PixelData"].VR = "OB"
    dataset.PhotometricInterpretation, dataset.LossyImageCompression = "YBR_FULL_422", "01"
    dataset.LossyImageCompressionRatio, dataset.LossyImageCompressionMethod = 5, "ISO_10918_1"
    return file_meta(dataset, JPEGBaseline8Bit)


def save(folder: Path, *datasets: Dataset) -> Path:
    """Write the objects under names without meaning, and give the folder back."""
    folder.mkdir(parents=True, exist_ok=True)
    start = len(list(folder.iterdir()))
    for number, dataset in enumerate(datasets, start):
        dataset.save_as(folder / f"file{number}", enforce_file_format=True)
    return folder


def through_bytes(dataset: Dataset) -> Dataset:
    """The object as a receiver reads it."""
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    return dcmread(stream)


def named_as(folder: Path, made: Dataset, label: UID) -> Path:
    """Write an object under a file meta information that names another transfer syntax."""
    stream, whole = io.BytesIO(), io.BytesIO(bytes(128) + b"DICM")
    made.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    meta = dcmread(stream).file_meta
    start = 132 + 12 + meta.FileMetaInformationGroupLength
    meta.TransferSyntaxUID = label
    whole.seek(132)
    write_file_meta_info(whole, meta)
    folder.mkdir(exist_ok=True)
    path = folder / f"file{len(list(folder.iterdir()))}"
    path.write_bytes(whole.getvalue() + stream.getvalue()[start:])
    return path
