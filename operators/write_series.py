"""In, one port per branch: ``CheckedSeries`` or ``LedgerEntry``.

Out: files in the output folder, entries in the ledger.
The branches meet here by ports of their own; one shared port would lose series without a word.
"""

import hashlib
import json
import logging
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from operators.boundary import within_boundary
from operators.dicom.deriving import derive_clip_series, derive_volume_series
from operators.dicom.encapsulated_pdf import Reported
from operators.dicom.provenance import DerivedSettings, Provenance
from operators.ledger import Ledger
from operators.messages import CheckedSeries, DenoisedSeries, LedgerEntry, WrittenSeries, entry_of, label_of
from operators.output_folder import OutputFolder
from operators.report.report_files import write_report
from operators.residual_series import write_parts
from operators.sources.nifti import NiftiImage, write_volumes

LOG = logging.getLogger(__name__)
PORTS = ("not_selected", "not_routed", "volume", "ultrasound")


@dataclass(frozen=True)
class Writing:
    """How derived series are made of denoised images."""

    version: str  # of this application
    derived: DerivedSettings
    report: bool = True  # for people, beside each derived series
    residual: bool = False  # what was removed, and a map of the noise, as series of their own


def hash_of(denoised: DenoisedSeries, writing: Writing) -> str:
    """SHA-256 of the canonical JSON of every setting that shows in what is written."""
    shown = {"method": denoised.settings, "derived": asdict(writing.derived)}
    return hashlib.sha256(json.dumps(shown, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def provenance_of(denoised: DenoisedSeries, strength: float, writing: Writing) -> Provenance:
    """What a derived series tells of its making; the steps of all its fits are summed."""
    fits = denoised.fits
    return Provenance(
        method=fits[0].method,
        version=writing.version,
        settings_hash=hash_of(denoised, writing),
        seed=fits[0].seed,
        strength=strength,
        device_kind=fits[0].device_kind,
        precision=fits[0].precision,
        processor=fits[0].processor,
        steps_taken=sum(fit.steps_taken for fit in fits),
    )


def write_strength(
    denoised: DenoisedSeries, strength: float, writing: Writing, used_numbers: frozenset[int], folder: Path
) -> tuple[WrittenSeries, Reported]:
    """One derived series into ``folder``, a file at a time; with it, what a report has to refer to."""
    source, images = denoised.source, denoised.images
    if isinstance(source, NiftiImage):
        name = write_volumes(source, images, strength, folder).name
        return WrittenSeries(name, strength, 1), Reported(name, ())
    derive = derive_clip_series if source.modality == "US" else derive_volume_series
    provenance = provenance_of(denoised, strength, writing)
    instances: list[tuple[str, str]] = []
    uid, number = "", None
    for dataset in derive(source, images, provenance, writing.derived, used_numbers):
        dataset.save_as(folder / f"{dataset.SOPInstanceUID}.dcm", enforce_file_format=True)
        instances.append((str(dataset.SOPClassUID), str(dataset.SOPInstanceUID)))
        uid, number = str(dataset.SeriesInstanceUID), int(dataset.SeriesNumber)
    return WrittenSeries(uid, strength, len(instances), number), Reported(uid, tuple(instances))


def write(checked: CheckedSeries, writing: Writing, folder: OutputFolder, used_numbers: frozenset[int]) -> LedgerEntry:
    """All derived series of one source, one for each strength, their parts and reports, whole or not at all."""
    denoised = checked.denoised
    written: list[WrittenSeries] = []
    reported: list[tuple[WrittenSeries, Reported]] = []
    with folder.staged() as staging:
        for strength in checked.strengths:
            reported.append(write_strength(denoised, strength, writing, _with(used_numbers, written), staging))
            written.append(reported[-1][0])
        for series, references in reported:
            provenance = provenance_of(denoised, series.strength, writing)
            if writing.residual:
                numbers = _with(used_numbers, written)
                written += write_parts(checked, provenance, writing.derived, numbers, staging)
            if writing.report:
                numbers = _with(used_numbers, written)
                report = write_report(checked, references, series, provenance, writing.derived, numbers, staging)
                written += [report] if report else []
    return entry_of(
        denoised.source,
        "denoised",
        checked.told,
        seconds=time.monotonic() - denoised.started,
        settings=denoised.settings,
        settings_hash=hash_of(denoised, writing),
        fits=denoised.fits,
        written=tuple(written),
        left_out=denoised.left_out,
        assessments=tuple(checked.assessments.values()),
    )


def _with(used_numbers: frozenset[int], written: Iterable[WrittenSeries]) -> frozenset[int]:
    """The series numbers taken once this is written too."""
    return used_numbers.union(series.series_number for series in written if series.series_number)


def line_of(entry: LedgerEntry) -> tuple[int, str]:
    """Log level and line of an outcome."""
    level = logging.ERROR if entry.status == "failed" else logging.INFO
    files = sum(written.files for written in entry.written)
    detail = f"in {entry.seconds:.1f} s, {files} files" if files else entry.reason
    if files and entry.reason:
        detail += f"; {entry.reason}"
    if entry.left_out:
        detail += f"; {sum(entry.left_out.values())} images left out ({'; '.join(entry.left_out)})"
    return level, f"{label_of(entry)}: {entry.status}; {detail}"


class WriteSeriesOperator(Operator):  # type: ignore[misc]
    """The end of every branch."""

    def __init__(
        self, fragment: Any, *args: Any, writing: Writing, folder: OutputFolder, ledger: Ledger, **kwargs: Any
    ) -> None:
        self._writing, self._folder, self._ledger = writing, folder, ledger
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """One input per branch, and any one of them is reason enough to run."""
        for port in PORTS:
            spec.input(port)
        spec.or_combine_port_conditions(list(PORTS))

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Settle each outcome that has arrived."""
        for port in PORTS:
            outcome: CheckedSeries | LedgerEntry | None = op_input.receive(port)
            if outcome is not None:
                self._settle(outcome)

    def _settle(self, outcome: CheckedSeries | LedgerEntry) -> None:
        if isinstance(outcome, CheckedSeries):
            checked, source = outcome, outcome.denoised.source
            numbers = self._ledger.used_numbers(source.study_uid)
            outcome = within_boundary(source, lambda: write(checked, self._writing, self._folder, numbers))
        self._ledger.record(outcome)
        LOG.log(*line_of(outcome))
