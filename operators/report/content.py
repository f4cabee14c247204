"""What a report says of one derived series, before it is laid out on paper or on a screen.

Nothing here names a patient. The DICOM object that carries the report is filed by its header under the patient, as
every image is. The page itself holds the modality, the series numbers, the end of the source's UID and the whole UID
of the derived series: a hospital finds the study again by them, and nobody else can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from operators.quality.assessment import Assessment
from operators.report.cautions import Network, cautions_for
from operators.report.flat_squares import NoisePower, noise_power_of
from operators.report.histogram import Histogram, histogram_of
from operators.report.noise_map import noise_map
from operators.report.sample import Image, ImagePair, Sample
from operators.report.structure import most_structured
from operators.report.verdict import HandedOut, Verdict, verdict_of
from operators.report.window import Window, window_of

TITLE = "Noise reduction report"
MODALITIES = {"CT": "CT", "MR": "MR", "PT": "PET", "US": "Ultrasound"}
NOISES = {"CT": "noise", "MR": "noise", "PT": "noise", "US": "speckle"}
IMAGES = {"CT": "slice", "MR": "slice", "PT": "slice", "US": "frame"}
VOLUMES = {"CT": "volume", "MR": "volume", "PT": "volume", "US": "clip"}

REMOVED_SDS = 3.5  # standard deviations of what was removed that are shown, to either side
LEAST_REACH = 1e-6  # of that window, where nothing was removed


@dataclass(frozen=True)
class Subject:
    """The series that a report is about."""

    modality: str  # CT, MR, PT or US
    series: str  # "series 2", or what stands for it
    facts: Mapping[str, str]  # settings, seed, versions, UIDs
    network: Network = "fitted"
    given_up: tuple[str, ...] = ()  # for lack of time


@dataclass(frozen=True, eq=False)
class Content:
    """Everything on the page of one derived series."""

    subject: Subject
    figures: Mapping[str, str]  # what was measured, as text
    verdict: Verdict
    assessments: tuple[Assessment, ...]  # of each volume or clip
    labels: tuple[str, ...]  # of each of them
    sample: Sample
    opened_on: int  # index of the pair whose removed part shows the most structure
    window: Window
    noise_power: NoisePower | None
    histogram: Histogram
    noise_before: Image  # map of the image that is shown
    noise_after: Image

    @property
    def shown(self) -> ImagePair:
        """The image that is shown on paper, and first on a screen."""
        return self.sample.pairs[self.opened_on]

    @property
    def removed_reach(self) -> float:
        """Half of the window of the removed part: wide enough for noise, narrow enough for anatomy."""
        removed = self.sample.values("before") - self.sample.values("after")
        return max(REMOVED_SDS * float(removed.std()), LEAST_REACH)

    @property
    def removed_caption(self) -> str:
        """Caption of the removed part."""
        return f"Removed, window \u00b1{self.removed_reach:.3g} {self.sample.unit}".strip()

    @property
    def noise(self) -> str:
        """What is measured as noise: noise or speckle."""
        return NOISES[self.subject.modality]

    @property
    def image(self) -> str:
        """What one image of the series is called: slice or frame."""
        return IMAGES[self.subject.modality]

    @property
    def choice(self) -> str:
        """Which image is shown, and why."""
        count = len(self.sample.pairs)
        of = f"{self.image.capitalize()} {self.shown.number} of {self.sample.total}"
        if count == 1:
            return of
        return f"{of}: of {count} evenly spaced {self.image}s the one whose removed part shows the most structure"

    @property
    def hidden_note(self) -> str:
        """What the even grey in an ultrasound picture means."""
        return (
            "; even grey: left as it was and not shown, since text may be burned in there"
            if self.subject.modality == "US"
            else ""
        )

    @property
    def restored_note(self) -> str:
        """What the tint of the removed part means, empty where nothing is tinted."""
        tinted = any(pair.restored is not None for pair in self.sample.pairs)
        return " Amber: there the original was restored, the more the stronger." if tinted else ""

    @property
    def cautions(self) -> tuple[str, ...]:
        """Purpose and limits."""
        return cautions_for(self.subject.modality, self.subject.network, self.subject.given_up)

    @property
    def heading(self) -> str:
        """Modality and series."""
        return f"{MODALITIES[self.subject.modality]}, {self.subject.series}"


def content_of(subject: Subject, handed_out: HandedOut, sample: Sample, header_window: Window | None) -> Content:
    """Measure a sample and put its report together.

    Args:
        header_window: what the header of the series asks for, None where nothing.
    """
    power, opened_on = noise_power_of(sample), most_structured(sample)
    shown = sample.pairs[opened_on]
    volume = VOLUMES[subject.modality]
    return Content(
        subject,
        _figures(subject.modality, sample, power, handed_out.assessments),
        verdict_of(handed_out),
        handed_out.assessments,
        tuple(label or f"{volume} {number}" for number, label in enumerate(handed_out.labels, 1)),
        sample,
        opened_on,
        window_of(subject.modality, sample, header_window),
        power,
        histogram_of(sample),
        noise_map(shown.before, shown.valid),
        noise_map(shown.after, shown.valid),
    )


def _figures(
    modality: str, sample: Sample, power: NoisePower | None, assessments: Sequence[Assessment]
) -> dict[str, str]:
    noise, image = NOISES[modality], IMAGES[modality]
    figures = {"pictures, values, power": f"{len(sample.pairs)} of {sample.total} {image}s, evenly spaced"}
    if assessments and (before := float(np.median([one.noise_before for one in assessments]))):
        after = float(np.median([one.noise_after for one in assessments]))
        unit = f" {sample.unit}" if sample.unit else ""
        change = f"{100 * (after / before - 1):+.0f} %"
        figures[f"{noise} in homogeneous tissue, all {image}s"] = f"{before:.3g} to {after:.3g}{unit} ({change})"
    squares = f"{power.squares} squares of {power.side} pixels" if power else "no flat part large enough"
    figures[f"{noise} power"] = squares
    return figures
