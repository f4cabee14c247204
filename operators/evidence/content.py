"""What a report says of one derived series, before it is laid out on paper or on a screen.

Nothing here names a patient. The DICOM object that carries the report is filed by its header under the patient, as
every image is; a page that leaves it tells modality, series numbers, the end of the source's UID and the whole UID of
the derived series, by which a hospital finds the study again and nobody else can.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from operators.evidence.levels import Levels, levels_of
from operators.evidence.noise_map import noise_map
from operators.evidence.noise_power import Spectrum, spectrum_of
from operators.evidence.sample import Image, Sample
from operators.evidence.verdict import Verdict
from operators.evidence.window import Window

TITLE = "Noise reduction report"
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
    sample: Sample
    window: Window
    spectrum: Spectrum | None
    levels: Levels
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
        return "speckle" if self.modality == "US" else "noise"

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
    modality: str, series: str, facts: Mapping[str, str], verdict: Verdict, sample: Sample, window: Window
) -> Content:
    """Measure a sample and put its report together."""
    spectrum, levels, shown = spectrum_of(sample), levels_of(sample), sample.middle
    maps = noise_map(shown.before, shown.valid), noise_map(shown.after, shown.valid)
    figures = _figures(modality, sample, spectrum, levels)
    return Content(modality, series, facts, figures, verdict, sample, window, spectrum, levels, *maps)


def _figures(modality: str, sample: Sample, spectrum: Spectrum | None, levels: Levels) -> dict[str, str]:
    noise, image = "speckle" if modality == "US" else "noise", IMAGES[modality]
    unit = f" {sample.unit}" if sample.unit else ""
    worst = max(levels.bias, key=abs)
    found = {"looked at": f"{len(sample.pairs)} of {sample.total} {image}s, spread evenly"}
    if spectrum is None:
        found[noise] = "no flat part large enough to measure it"
    else:
        change = 100 * (spectrum.sd_after / spectrum.sd_before - 1)
        found[f"{noise} in flat squares"] = (
            f"{spectrum.sd_before:.3g} to {spectrum.sd_after:.3g}{unit} ({change:+.0f} %), {spectrum.squares} squares "
            f"of {spectrum.side} pixels"
        )
    found["mean change in tissue"] = f"{levels.mean_bias:+.2g}{unit}"
    found["largest mean change at a level"] = f"{worst:+.2g}{unit}"
    return found
