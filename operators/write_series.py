"""In, one port per branch: ``LedgerEntry`` or ``DenoisedSeries``. Out: files in the output folder, entries in the ledger.

The branches meet here by ports of their own; one shared port would lose series without a word.
"""

import hashlib
import json
import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from operators.boundary import within_boundary
from operators.dicom.deriving import DerivedSettings, Provenance, derive_series
from operators.ledger import Ledger
from operators.messages import DenoisedSeries, LedgerEntry, WrittenSeries, entry_of, label_of
from operators.nifti import NiftiImage, write_volumes
from operators.output_folder import OutputFolder

LOG = logging.getLogger(__name__)
PORTS = ("not_selected", "not_routed", "volume", "ultrasound")


@dataclass(frozen=True)
class Writing:
    """How derived series are made of denoised images."""

    strengths: tuple[float, ...]  # percent; one derived series each
    version: str  # of this application
    derived: DerivedSettings


def hash_of(denoised: DenoisedSeries, writing: Writing) -> str:
    """SHA-256 of the canonical JSON of every setting that shows in what is written."""
    shown = {"method": denoised.settings, "derived": asdict(writing.derived)}
    return hashlib.sha256(json.dumps(shown, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def provenance_of(denoised: DenoisedSeries, strength: float, writing: Writing) -> Provenance:
    """What a derived series tells of its making; the steps of all its fits are summed."""
    fits = [result.record for result in denoised.results.values()]
    return Provenance(
        method=fits[0].method,
        version=writing.version,
        settings_hash=hash_of(denoised, writing),
        seed=fits[0].seed,
        strength=strength,
        device_kind=fits[0].device_kind,
        precision=fits[0].precision,
        steps_taken=sum(fit.steps_taken for fit in fits),
    )


def write_strength(denoised: DenoisedSeries, strength: float, writing: Writing, folder: Path) -> WrittenSeries:
    """One derived series into ``folder``, a file at a time."""
    images = {key: result.images for key, result in denoised.results.items()}
    if isinstance(denoised.source, NiftiImage):
        path = write_volumes(denoised.source, images, strength, folder)
        return WrittenSeries(path.name, strength, 1)
    files, uid = 0, ""
    for dataset in derive_series(denoised.source, images, provenance_of(denoised, strength, writing), writing.derived):
        uid = str(dataset.SeriesInstanceUID)
        dataset.save_as(folder / f"{dataset.SOPInstanceUID}.dcm", enforce_file_format=True)
        files += 1
    return WrittenSeries(uid, strength, files)


def write(denoised: DenoisedSeries, writing: Writing, folder: OutputFolder) -> LedgerEntry:
    """All derived series of one source, whole or not at all."""
    with folder.staged() as staging:
        written = tuple(write_strength(denoised, strength, writing, staging) for strength in writing.strengths)
    return entry_of(
        denoised.source,
        "denoised",
        seconds=time.monotonic() - denoised.started,
        settings=denoised.settings,
        settings_hash=hash_of(denoised, writing),
        fits=tuple(result.record for result in denoised.results.values()),
        written=written,
    )


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
            outcome: DenoisedSeries | LedgerEntry | None = op_input.receive(port)
            if outcome is not None:
                self._settle(outcome)

    def _settle(self, outcome: DenoisedSeries | LedgerEntry) -> None:
        if isinstance(outcome, DenoisedSeries):
            denoised = outcome
            outcome = within_boundary(denoised.source, lambda: write(denoised, self._writing, self._folder))
        self._ledger.record(outcome)
        LOG.info("%s: %s %s", label_of(outcome), outcome.status, outcome.reason)
