"""A PDF as a DICOM object in the study that it reports on: Encapsulated PDF Storage, in a series of its own.

Hosts export DICOM alone, so this is the way of a report to its readers. Patient and study are copied from the source,
so that it is filed where its images are; the pages themselves need not and do not name the patient. UIDs and bytes
follow from the derived series alone: no time of making is given, ``ContentDate`` and its like are empty, as allowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from highdicom import ContributingEquipment
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from operators.dicom.errors import UnusableValueError
from operators.dicom.identity import (
    CODING_SCHEME,
    MANUFACTURER,
    MODEL_NAME,
    REPORT_CODE_MEANING,
    REPORT_CODE_VALUE,
)
from operators.dicom.provenance import Provenance
from operators.dicom.values import value

# Of the modules Patient, General Study and Patient Study, PS3.3 C.7: what files an object under its patient and study.
COPIED = (
    "SpecificCharacterSet",
    "TimezoneOffsetFromUTC",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "OtherPatientIDsSequence",
    "PatientBirthDate",
    "PatientBirthTime",
    "PatientSex",
    "PatientComments",
    "EthnicGroup",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "PatientSpeciesDescription",
    "PatientSpeciesCodeSequence",
    "PatientBreedDescription",
    "PatientBreedCodeSequence",
    "BreedRegistrationSequence",
    "ResponsiblePerson",
    "ResponsiblePersonRole",
    "ResponsibleOrganization",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "IssuerOfAccessionNumberSequence",
    "ReferringPhysicianName",
    "PhysiciansOfRecord",
    "ProcedureCodeSequence",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "PatientSexNeutered",
    "MedicalAlerts",
    "Allergies",
    "SmokingStatus",
    "PregnancyStatus",
    "LastMenstrualDate",
    "AdditionalPatientHistory",
    "AdmissionID",
)
# Type 2: must be there, may be empty where the source has none.
NEEDED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
TITLE = "Noise reduction report"


@dataclass(frozen=True)
class Reported:
    """The derived series that a document reports on."""

    series_uid: str
    instances: tuple[tuple[str, str], ...]  # SOP class and instance UIDs


def encapsulated_pdf(
    pdf: bytes, source: Dataset, reported: Reported, provenance: Provenance, series_number: int
) -> Dataset:
    """Return the object, complete with file meta information.

    Args:
        pdf: the document.
        source: header of any instance of the source series.
        series_number: free in the study.
    """
    made = Dataset()
    for keyword in NEEDED:
        setattr(made, keyword, "")
    for keyword in COPIED:
        if _is_usable(source, keyword):
            made[keyword] = source[keyword]
    _add_series(made, reported, provenance, series_number)
    _add_equipment(made, provenance)
    _add_document(made, pdf, reported.instances)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def _add_series(made: Dataset, reported: Reported, provenance: Provenance, number: int) -> None:
    made.SOPClassUID = EncapsulatedPDFStorage
    made.SeriesInstanceUID = provenance.uid_for(f"{reported.series_uid}|report series")
    made.SOPInstanceUID = provenance.uid_for(f"{reported.series_uid}|report")
    made.Modality, made.SeriesNumber, made.InstanceNumber = "DOC", number, 1
    made.SeriesDescription = TITLE


def _add_equipment(made: Dataset, provenance: Provenance) -> None:
    made.Manufacturer, made.ManufacturerModelName = MANUFACTURER, MODEL_NAME
    made.SoftwareVersions = provenance.version
    made.ConversionType = "WSD"  # made on a workstation
    made.ContributingEquipmentSequence = [
        ContributingEquipment(
            MANUFACTURER,
            codes.DCM.ProcessingEquipment,
            manufacturer_model_name=MODEL_NAME,
            software_versions=provenance.version,
            contribution_description=provenance.code[1],
        )
    ]


def _add_document(made: Dataset, pdf: bytes, instances: Sequence[tuple[str, str]]) -> None:
    made.ContentDate = made.ContentTime = made.AcquisitionDateTime = ""
    made.BurnedInAnnotation = "NO"  # of who the patient is
    made.DocumentTitle = TITLE
    made.ConceptNameCodeSequence = [CodedConcept(REPORT_CODE_VALUE, CODING_SCHEME, REPORT_CODE_MEANING)]
    made.SourceInstanceSequence = [_reference(*instance) for instance in instances]
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    made.EncapsulatedDocumentLength = len(pdf)


def _is_usable(source: Dataset, keyword: str) -> bool:
    try:
        return value(source, keyword) is not None
    except UnusableValueError:
        return False


def _reference(sop_class: str, sop_instance: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_instance
    return item
