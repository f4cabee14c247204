"""Give a study or a series that has no UID, as research files without identifiers have, a new one.

The same files get the same UIDs, which hold nothing of a patient: they follow from UIDs and the series number alone.
"""

from uuid import uuid5

from highdicom import UID
from pydicom.dataset import Dataset

from operators.dicom.provenance import NAMESPACE
from operators.dicom.values import text

TELLING_SERIES_APART = ("StudyInstanceUID", "SOPClassUID", "FrameOfReferenceUID", "SeriesNumber")


def give_absent_uids(header: Dataset, allowed: bool) -> None:
    """Set absent UIDs of series and study where that is allowed; a study of its own for each series."""
    if not allowed:
        return
    if not text(header, "SeriesInstanceUID"):
        header.SeriesInstanceUID = _new("series", *(text(header, keyword) for keyword in TELLING_SERIES_APART))
    if not text(header, "StudyInstanceUID"):
        header.StudyInstanceUID = _new("study", text(header, "SeriesInstanceUID"))


def _new(*values: str) -> UID:
    return UID.from_uuid(str(uuid5(NAMESPACE, "|".join(values))))
