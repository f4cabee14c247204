"""What a report says of one derived series, before it is laid out on paper or on a screen.

Nothing here names a patient. The DICOM object that carries the report is filed by its header under the patient, as
every image is; a page that leaves it tells modality, series numbers, the end of the source's UID and the whole UID of
the derived series, by which a hospital finds the study again and nobody else can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from operators.quality.assessment import Assessment
from operators.report.histogram import Histogram, histogram_of
from operators.report.noise_map import noise_map
from operators.report.noise_power import Spectrum, spectrum_of
from operators.report.sample import Image, Sample
from operators.report.verdict import Verdict, verdict_of
from operators.report.window import Window

TITLE = "Noise reduction report"
NOISES = {"CT": "noise", "MR": "noise", "PT": "noise", "US": "speckle"}
IMAGES = {"CT": "slice", "MR": "slice", "PT": "slice", "US": "frame"}
WORDS = {"CT": "CT", "MR": "MR", "PT": "PET", "US": "Ultrasound"}

REMOVED_TIMES = 3.5  # standard deviations of what was removed that are shown, to either side
LEAST_REACH = 1e-6  # of that window, where nothing was removed

PURPOSE = (
    "What this is: a second version of one series with less noise, made by a small network that was fitted on that "
    "series alone and knows no other images. It is meant to be read beside the original, which lies unchanged in the "
    "same study; where the two differ, the original counts."
)
NOT_FOR = {
    "CT": "Not for: calcium scores, bone or lung density, volumetry, radiomics or texture; nor for excluding small "
    "lesions of low contrast, which may be smoothed away.",
    "MR": "Not for: quantitative maps (T1, T2, ADC, perfusion), volumetry, radiomics or texture; nor for excluding "
    "small lesions of low contrast, which may be smoothed away.",
    "PT": "Not for: SUVmax, response criteria, kinetic models, radiomics or texture, which are to be read from the "
    "original; nor for excluding small foci of low uptake, which may be smoothed away.",
    "US": "Not for: elastography, tissue characterisation or anything else that measures speckle; nor for excluding "
    "small bright points (calcifications), which may be dimmed.",
}
EVERY_NOT_FOR = (
    "Research use: not a medical device by itself. A site validates before anybody reads these images, and does not "
    "mix them with untreated ones in measurements over time."
)


@dataclass(frozen=True, eq=False)
class Content:
    """Everything on the page of one derived series."""

    modality: str
    series: str  # "series 2", or what stands for it
    facts: Mapping[str, str]  # settings, seed, versions, UIDs
    figures: Mapping[str, str]  # what was measured, in words
    verdict: Verdict
    assessments: tuple[Assessment, ...]  # of each volume or clip
    sample: Sample
    window: Window
    spectrum: Spectrum | None
    histogram: Histogram
    noise_before: Image  # map of the image that is shown
    noise_after: Image

    @property
    def removed_reach(self) -> float:
        """Half of the window in which the removed part is shown: wide enough for noise, narrow enough for anatomy."""
        removed = (self.sample.middle.before - self.sample.middle.after)[self.sample.middle.valid]
        return max(REMOVED_TIMES * float(removed.std()), LEAST_REACH) if removed.size else LEAST_REACH

    @property
    def removed_word(self) -> str:
        """Caption of the removed part."""
        return f"Removed, window \u00b1{self.removed_reach:.3g} {self.sample.unit}".strip()

    @property
    def noise_word(self) -> str:
        """What is measured as noise."""
        return NOISES[self.modality]

    @property
    def image_word(self) -> str:
        """What one image of the series is called."""
        return IMAGES[self.modality]

    @property
    def cautions(self) -> tuple[str, ...]:
        """Plain-language purpose and limits."""
        return PURPOSE, NOT_FOR[self.modality], EVERY_NOT_FOR

    @property
    def heading(self) -> str:
        """Modality and series."""
        return f"{WORDS[self.modality]}, {self.series}"


def content_of(
    modality: str,
    series: str,
    facts: Mapping[str, str],
    assessments: Sequence[Assessment],
    reason: str,
    sample: Sample,
    window: Window,
    kept: int = 0,
) -> Content:
    """Measure a sample and put its report together.

    Args:
        assessments: of the gate at the strength at which the series is handed out, one for each volume or clip.
        reason: why that is less than was asked for, empty where it is not.
        kept: small places where the original was kept.
    """
    spectrum, shown = spectrum_of(sample), sample.middle
    return Content(
        modality,
        series,
        facts,
        _figures(modality, sample, spectrum, assessments),
        verdict_of(assessments, reason, kept),
        tuple(assessments),
        sample,
        window,
        spectrum,
        histogram_of(sample),
        noise_map(shown.before, shown.valid),
        noise_map(shown.after, shown.valid),
    )


def _figures(
    modality: str, sample: Sample, spectrum: Spectrum | None, assessments: Sequence[Assessment]
) -> dict[str, str]:
    noise, image = NOISES[modality], IMAGES[modality]
    found = {"pictures, values, spectrum": f"{len(sample.pairs)} of {sample.total} {image}s, spread evenly"}
    if assessments and (before := float(np.median([one.noise_before for one in assessments]))):
        after = float(np.median([one.noise_after for one in assessments]))
        unit = f" {sample.unit}" if sample.unit else ""
        change = f"{100 * (after / before - 1):+.0f} %"
        found[f"{noise} in plain tissue, all {image}s"] = f"{before:.3g} to {after:.3g}{unit} ({change})"
    squares = f"{spectrum.squares} squares of {spectrum.side} pixels" if spectrum else "no flat part large enough"
    found[f"{noise} power"] = squares
    return found
