"""What travels on the wires: one frozen message per series.

``FoundSeries`` -> ``SelectedSeries`` -> ``DenoisedSeries`` -> ``CheckedSeries``; on every way out of that line a
``LedgerEntry``.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from models.fitting import Denoised, FitRecord
from operators.dicom.study import Series
from operators.quality.assessment import Assessment
from operators.sources.nifti import NiftiImage
from operators.time_budget import TimeSlot

Source = Series | NiftiImage
Status = Literal["denoised", "refused", "failed"]
Kind = Literal["denoised", "removed part", "noise map", "report"]  # of what is written
LABEL_DIGITS = 8  # of a UID; enough to find the series in result.json


@dataclass(frozen=True)
class FoundSeries:
    """A series of the study, and all its neighbours, with whom it shares the time."""

    source: Source
    study: tuple[Source, ...]


@dataclass(frozen=True)
class SelectedSeries:
    """A series to be denoised, in its share of the run's time."""

    source: Source
    time: TimeSlot


@dataclass(frozen=True)
class DenoisedSeries:
    """The denoised images of a series, not yet written."""

    source: Source
    images: Mapping[Any, npt.NDArray[np.float32]]  # (slices or frames, rows, columns) by stack, instance or NIfTI index
    fits: tuple[FitRecord, ...]  # in the order of the images
    left_out: Mapping[str, int]  # images that stay as they are, by the reason
    settings: Mapping[str, Any]  # of the method, as they stood
    started: float  # reading of time.monotonic()


def denoised_series(
    source: Source, results: Mapping[Any, Denoised], left_out: Mapping[str, int], settings: Any, started: float
) -> DenoisedSeries:
    """The message about the fits of a series, made with the settings dataclass of their method."""
    images = {key: result.images for key, result in results.items()}
    fits = tuple(result.record for result in results.values())
    return DenoisedSeries(source, images, fits, left_out, asdict(settings), started)


@dataclass(frozen=True)
class CheckedSeries:
    """A denoised series that may be handed out, and at which strengths."""

    denoised: DenoisedSeries
    strengths: tuple[float, ...]  # percent, at least one; each passed for every image
    assessments: Mapping[Any, tuple[Assessment, ...]]  # by the key of the image, one for each strength that was tried
    reason: str = ""  # why a strength is lower than the run asked for
    kept: int = 0  # small places where the original was kept

    @property
    def told(self) -> str:
        """What of it is not as the run asked for, empty where all is."""
        kept = f"the original is kept at small places, {self.kept} in all, where something was erased or invented"
        return "; ".join(([kept] if self.kept else []) + ([self.reason] if self.reason else []))


@dataclass(frozen=True)
class WrittenSeries:
    """A derived series in the output folder."""

    series_uid: str
    strength: float  # percent of the change that was applied
    files: int
    series_number: int | None = None  # none in NIfTI
    kind: Kind = "denoised"


@dataclass(frozen=True)
class LedgerEntry:
    """The one lasting word on a series; holds no identifier of the patient."""

    series_uid: str
    study_uid: str
    modality: str
    status: Status
    reason: str = ""
    reason_code: str = ""  # the same for programs, of what was refused or failed
    instances: int = 0
    seconds: float = 0.0
    settings: Mapping[str, Any] | None = None
    settings_hash: str = ""
    fits: tuple[FitRecord, ...] = ()
    written: tuple[WrittenSeries, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)  # images that stay as they are, by the reason
    attributes_left_out: Mapping[str, int] = field(default_factory=dict)  # derived objects by what they lack
    assessments: tuple[tuple[Assessment, ...], ...] = ()  # in the order of the fits, one for each strength tried


def entry_of(source: Source, status: Status, reason: str = "", **more: Any) -> LedgerEntry:
    """The ledger entry of a series with its identity filled in."""
    return LedgerEntry(
        source.uid,
        source.study_uid,
        source.modality,
        status,
        reason,
        instances=len(source.instances),
        attributes_left_out=source.attributes_left_out,
        **more,
    )


def key_of(series: Source | LedgerEntry) -> tuple[str, str]:
    """What tells one series of a run from the others, whether it is meant by itself or by its entry."""
    return series.study_uid, series.series_uid if isinstance(series, LedgerEntry) else series.uid


def label_of(series: Source | LedgerEntry) -> str:
    """What the log calls a series: its modality and the end of its UID."""
    return f"{series.modality} series ..{key_of(series)[1][-LABEL_DIGITS:]}"
