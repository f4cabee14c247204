"""What travels on the wires: one frozen message per series.

``FoundSeries`` -> ``SelectedSeries`` -> ``DenoisedSeries`` -> ``CheckedSeries`` -> ``ReportedSeries``; on every way out
of that line a ``LedgerEntry``. Nobody changes a message: its images can't be written to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from models.fitting import GIVEN_UP, FitRecord
from operators.quality.assessment import Assessment
from operators.quality.blending import RestoredMap
from operators.report.cautions import Network
from operators.sources.derived_series import SeriesPlan, WrittenSeries
from operators.sources.image import Images
from operators.sources.originals import Originals
from operators.sources.source import Key, Source
from operators.time_budget import SeriesTime

Status = Literal["denoised", "refused", "failed"]
RESTORED = "restored_locations"  # measure of a fit: small locations where the original was restored
RESTORED_PERCENT = "restored_percent"  # measures of a fit: of the tissue; with a check's name behind, for that check
LABEL_DIGITS = 8  # of a UID; enough to find the series in result.json


@dataclass(frozen=True)
class FoundSeries:
    """A series, and all series of the input in the order of their work, among which the time is divided."""

    source: Source
    study: tuple[Source, ...]


@dataclass(frozen=True)
class SelectedSeries:
    """A series to be denoised, in its part of the run's time."""

    source: Source
    time: SeriesTime


@dataclass(frozen=True)
class FitSummary:
    """What the ledger reports of the fits of a series."""

    fits: tuple[FitRecord, ...]  # in the order of the images
    left_out: Mapping[str, int]  # slices or frames that stay as they are, by the reason
    settings: Mapping[str, Any]  # of the method, as they stood
    started: float  # reading of time.monotonic()

    @property
    def network(self) -> Network:
        """Whether each network got so far that it can be called fitted; slices without neighbours have none."""
        if not any(fit.steps_planned for fit in self.fits):
            return "none"
        return "fitted" if are_fits(self.fits) else "not fitted"

    @property
    def given_up(self) -> tuple[str, ...]:
        """What was given up for lack of time, of any image."""
        return given_up_of(self.fits)


@dataclass(frozen=True, eq=False)
class DenoisedSeries:
    """The denoised images of a series, with the original restored where something small was erased or invented."""

    source: Source
    originals: Originals
    images: Mapping[Key, Images]  # real units; of ultrasound stored luminance
    summary: FitSummary
    restored: Mapping[Key, RestoredMap] = field(default_factory=dict)  # by `operators.quality.blending`

    def __post_init__(self) -> None:
        for images in self.images.values():
            images.setflags(write=False)
        for restored in self.restored.values():
            restored.setflags(write=False)


@dataclass(frozen=True, eq=False)
class CheckedSeries:
    """A denoised series that may be handed out, and at which strengths."""

    denoised: DenoisedSeries
    strengths: tuple[float, ...]  # percent, at least one; each passed for every image
    assessments: Mapping[Key, tuple[Assessment, ...]]  # one for each strength that was tried
    reason: str = ""  # why a strength is lower than the run asked for

    @property
    def source(self) -> Source:
        """The series that was denoised."""
        return self.denoised.source

    @property
    def restored_percent(self) -> float:
        """Percent of the tissue in which the original was restored, of the image with most."""
        return max((float(fit.measures.get(RESTORED_PERCENT, 0.0)) for fit in self.denoised.summary.fits), default=0.0)

    @property
    def restored(self) -> str:
        """Where the original was restored, as a clause; empty where it was not."""
        names = {name for fit in self.denoised.summary.fits for name in fit.measures}
        checks = sorted(name.split()[-1] for name in names if name.startswith(f"{RESTORED_PERCENT} "))
        percent = f"{self.restored_percent:.2g} percent"
        return f"the original was restored in {percent} of the tissue ({', '.join(checks)})" if checks else ""

    @property
    def deviation(self) -> str:
        """What is not as the run asked for, empty where all is."""
        given_up = ", ".join(self.denoised.summary.given_up)
        lack = f"for lack of time less was done than the settings ask for ({given_up})" if given_up else ""
        return "; ".join(filter(None, (lack, self.restored, self.reason)))


@dataclass(frozen=True)
class Report:
    """The report of one derived series."""

    html: str
    pdf: bytes | None  # None where it can't be filed in a study


@dataclass(frozen=True, eq=False)
class ReportedSeries:
    """A series that is ready to be written."""

    checked: CheckedSeries
    plans: tuple[SeriesPlan, ...]  # one for each strength
    reports: tuple[Report, ...]  # one for each plan, or none where no reports are wanted


@dataclass(frozen=True)
class LedgerEntry:
    """The outcome of a series; holds no identifier of the patient."""

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
    left_out: Mapping[str, int] = field(default_factory=dict)  # slices or frames that stay as they are, by the reason
    attributes_left_out: Mapping[str, int] = field(default_factory=dict)  # derived objects by what they lack
    assessments: tuple[tuple[Assessment, ...], ...] = ()  # in the order of the fits, one for each strength tried


def entry_of(source: Source, status: Status, reason: str = "", **more: Any) -> LedgerEntry:
    """Return the ledger entry of a series with its identity filled in."""
    return LedgerEntry(
        source.uid,
        source.study_uid,
        source.modality,
        status,
        reason,
        instances=source.instance_count,
        attributes_left_out=source.attributes_left_out,
        **more,
    )


def key_of(series: Source | LedgerEntry) -> tuple[str, str]:
    """Return the identity of a series, or of the series of an entry, within a run."""
    return series.study_uid, series.series_uid if isinstance(series, LedgerEntry) else series.uid


def label_of(series: Source | LedgerEntry) -> str:
    """Return what the log calls a series: its modality and the end of its UID."""
    return f"{series.modality} series ..{key_of(series)[1][-LABEL_DIGITS:]}"


def are_fits(records: Iterable[FitRecord]) -> bool:
    """Return whether every fit took enough of its steps to be called one; else the images are initial estimates."""
    return all(fit.as_planned for fit in records)


def method_of(records: Iterable[FitRecord]) -> str:
    """Return what made the images of a series, each method once."""
    return "; ".join(dict.fromkeys(fit.name for fit in records))


def given_up_of(records: Iterable[FitRecord]) -> tuple[str, ...]:
    """Return what any of the fits gave up for lack of time, in the order of `GIVEN_UP`."""
    given_up = {what for fit in records for what in fit.given_up}
    return tuple(what for what in GIVEN_UP if what in given_up)
