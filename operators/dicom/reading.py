"""Read one study: a folder of any depth, or one file, into series of instances, without pixel data.

In: a path. Out: a ``Study``; every file ends in a ``Series`` or among ``unread``, save the neighbours that
hosts lay beside images. A series that must not be denoised as a whole carries the reason in ``refusal``.
Nothing depends on file names or on their order, and no message holds one.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from operators.dicom.absent_uids import give_absent_uids
from operators.dicom.classes import MODALITY_OF_CLASS, REFUSED_IMAGES
from operators.dicom.duplicates import order_of_copies, single
from operators.dicom.errors import (
    MissingAttributeError,
    NotAnImageError,
    Refusal,
    SeveralStudiesError,
    SharedInstanceError,
    TooLargeError,
    UnreadableError,
)
from operators.dicom.files import input_files, read_dataset
from operators.dicom.reading_limits import ReadingLimits
from operators.dicom.study import Instance, Series, Study, Unread
from operators.dicom.unwritable import Written, drop_unwritable
from operators.dicom.values import text

SETTING = "or set limits.absent_uids to 'new'"
NEED_OF_STUDY = f"a derived image belongs to the study of its source; give it one, {SETTING}"
ABSENT = defaultdict(lambda: "absent", SeriesInstanceUID=f"absent; give it one, {SETTING}")
UID_FORM = re.compile(r"[0-9.]{1,64}")  # PS3.5 9.1; anything else could carry text into a log


def read_study(path: Path, limits: ReadingLimits | None = None) -> Study:
    """Read the headers of a folder of any depth, or of one file.

    Raises:
        OSError: the path itself cannot be listed.
    """
    limits = limits or ReadingLimits()
    by_series: dict[tuple[str, str], list[Instance]] = defaultdict(list)
    unread = []
    for file in input_files(path):
        try:
            instance = _read_instance(file, limits)
        except (UnreadableError, Refusal) as error:
            unread.append(Unread(str(error)))
        else:
            by_series[instance.study_uid, instance.series_uid].append(instance)
    whole = _refusal_of_all(by_series, limits)
    shared = _shared_instances(by_series.values())
    series = [_series(instances, limits, shared, whole) for instances in by_series.values()]
    return Study(tuple(sorted(series, key=_order)), tuple(sorted(unread, key=lambda one: one.reason)))


def _read_instance(file: Path, limits: ReadingLimits) -> Instance:
    header = read_dataset(file, header_only=True)
    give_absent_uids(header, limits.absent_uids == "new")
    instance = Instance(file, header)
    for keyword in ("Modality", "SOPClassUID"):  # unreadable identification is known here, not in the ledger
        text(header, keyword)
    uids = {"SOPInstanceUID": instance.uid, "SeriesInstanceUID": instance.series_uid}
    for keyword, uid in {"SOPClassUID": "0", "StudyInstanceUID": instance.study_uid or "0", **uids}.items():
        if not UID_FORM.fullmatch(uid) or (keyword in header and header[keyword].VR != "UI"):
            raise UnreadableError(f"a DICOM file whose {keyword} is " + ("not a UID" if uid else ABSENT[keyword]))
    return instance


def _refusal_of_all(by_series: Iterable[tuple[str, str]], limits: ReadingLimits) -> Refusal | None:
    studies = len({study_uid for study_uid, _ in by_series})
    return SeveralStudiesError(studies) if studies > 1 and limits.several_studies == "refuse" else None


def _shared_instances(all_series: Iterable[Iterable[Instance]]) -> frozenset[str]:
    """Return the SOP Instance UIDs that stand in several series."""
    count = Counter(uid for instances in all_series for uid in {instance.uid for instance in instances})
    return frozenset(uid for uid, series in count.items() if series > 1)


def _series(
    instances: Iterable[Instance], limits: ReadingLimits, shared: frozenset[str], whole: Refusal | None
) -> Series:
    ordered = sorted(instances, key=order_of_copies)
    if whole is not None:
        return Series(tuple(ordered), whole)
    images: list[Instance] = []
    refusals: list[Refusal] = []
    written: Written = set()
    try:
        for instance in ordered:
            try:
                _check_instance(instance, limits)
            except Refusal as refusal:
                refusals.append(refusal)
            else:
                images.append(replace(instance, left_out=drop_unwritable(instance.header, written)))
        if not images:
            raise refusals[0]
        for uid in sorted(shared.intersection(instance.uid for instance in images)):
            raise SharedInstanceError(uid)
        kept = tuple(single(list(copies)) for _, copies in groupby(images, key=lambda instance: instance.uid))
    except Refusal as refusal:
        return Series(tuple(ordered), refusal)
    return Series(kept, None, Counter(str(refusal) for refusal in refusals), frozenset(limits.maps))


def _check_instance(instance: Instance, limits: ReadingLimits) -> None:
    if instance.sop_class in REFUSED_IMAGES:
        raise NotAnImageError(instance.sop_class, REFUSED_IMAGES[instance.sop_class])
    if instance.sop_class not in MODALITY_OF_CLASS:
        raise NotAnImageError(instance.sop_class)
    if not instance.study_uid:
        raise MissingAttributeError("StudyInstanceUID", NEED_OF_STUDY)
    if instance.voxel_count * instance.samples > limits.values_per_instance:
        size = (instance.rows, instance.columns, instance.frame_count, instance.samples)
        raise TooLargeError(*size, limits.values_per_instance)


def _order(series: Series) -> tuple[str, int, str]:
    return series.study_uid, series.number or 0, series.uid
