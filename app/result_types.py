"""What result.json holds, key by key; docs/result.schema.json is made of these types.

A key may be added at any time. ``SCHEMA_VERSION`` rises where a key is renamed, removed or changes its meaning.
"""

from typing import Any, Final, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

SCHEMA_VERSION: Final = 2
ROUTING_KEY: Final = "__mercure_routing"
EXACT = ConfigDict(extra="forbid", use_attribute_docstrings=True)


@with_config(EXACT)
class CheckRow(TypedDict):
    """One check of an image at one strength."""

    name: str
    """Stable, in snake_case; docs/checks.md describes each."""
    value: float | None
    """What was measured; null if it was not, or is not finite."""
    limit: float
    """Largest magnitude of the value that passes."""
    unit: str
    measured: bool
    """A check with too little data is not measured, and passes."""
    passed: bool


@with_config(EXACT)
class AssessmentRow(TypedDict):
    """The checks of one image at one strength."""

    strength: float
    """Percent of the change that is applied."""
    passed: bool
    noise_before: float
    """Standard deviation in homogeneous tissue, in ``unit``."""
    noise_after: float
    unit: str
    checks: list[CheckRow]


@with_config(EXACT)
class FitRow(TypedDict):
    """One fit, of one volume or clip."""

    steps_planned: int
    steps_taken: int
    measures: dict[str, float | int | str]


@with_config(EXACT)
class WrittenRow(TypedDict):
    """One series in the output folder."""

    series_uid: str
    kind: Literal["denoised", "removed part", "noise map", "report"]
    strength: float
    files: int


@with_config(EXACT)
class LeftOutRow(TypedDict):
    """Images of the series that stay as they are."""

    images: int
    reason: str


@with_config(EXACT)
class OutcomeRow(TypedDict):
    """What became of one series."""

    series_uid: str
    study_uid: str
    modality: str
    status: Literal["denoised", "refused", "failed"]
    reason: str
    """One sentence; empty for a series that was denoised as asked."""
    reason_code: str
    """Of a series that was refused or failed, for programs; else empty."""
    instances: int
    seconds: float


@with_config(EXACT)
class FittedRow(TypedDict, total=False):
    """How a series was denoised."""

    method: str
    """What made the images: network or filter, in how many dimensions, on which grid, from which noise."""
    variant: str
    device: str
    precision: str
    processor: str
    seed: int
    steps_planned: int
    steps_taken: int
    stopped_early: bool
    given_up: list[str]
    """What was given up for lack of time; reason-codes.md has the meanings."""
    fitted: bool
    """Whether every fit took a tenth of its planned steps or more; else the images are initial estimates."""
    settings: dict[str, Any]
    settings_hash: str
    fits: list[FitRow]
    """One for each image: a volume or a clip."""
    written: list[WrittenRow]
    assessments: list[list[AssessmentRow]]
    """For each image, one for each strength that was tried."""
    attributes_left_out: dict[str, int]
    """Derived objects by the keyword or tag of an attribute that could not be written again."""
    left_out: list[LeftOutRow]


@with_config(EXACT)
class SeriesRow(OutcomeRow, FittedRow):
    """What became of one series; from ``method`` on only where a fit took place."""


@with_config(EXACT)
class Counts(TypedDict):
    """Series by outcome, and the files written."""

    found: int
    denoised: int
    refused: int
    failed: int
    files_written: int


@with_config(EXACT)
class Run(TypedDict):
    """The run as a whole."""

    schema_version: Literal[2]
    exit_code: int
    """That of the process; README.md lists them."""
    version: str
    """Of the application."""
    seconds: float
    device: str
    precision: str
    seed: int
    strength: list[float]
    time_budget: float
    libraries: dict[str, str]
    counts: Counts
    unread_files: dict[str, int]
    """Number of files by the reason for which they could not be read."""
    series: list[SeriesRow]


# By a call, since the body of a class would rename a key that begins with two underscores.
Routing = TypedDict("Routing", {"__mercure_routing": NotRequired[dict[str, Any]]})


@with_config(EXACT)
class Result(Run, Routing):
    """result.json of the single-study denoiser."""
