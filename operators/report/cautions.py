"""What a derived series is, and what it must not be used for."""

from collections.abc import Mapping, Sequence
from typing import Literal

from models.fitting import GIVEN_UP

Network = Literal["fitted", "not fitted", "none"]
MAKERS: Mapping[Network, str] = {
    "fitted": "a small network that was fitted on that series alone and knows no other images",
    "not fitted": "the initial estimate of its method, from that series alone: the time budget left no fit of a "
    "network",
    "none": "a filter that was measured on that series alone, slice by slice: too few slices are neighbours for a "
    "network",
}
PURPOSE = (
    "What this is: a second version of one series with less noise, made by {maker}. It is meant to be read beside the "
    "original, which lies unchanged in the same study; where the two differ, the original counts."
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


LACK_OF_TIME = (
    "For lack of time less was done than the settings ask for. {given_up} More noise may be left than could be."
)


def cautions_for(modality: str, network: Network, given_up: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the purpose, the limits of a modality, the limits of all, and what was given up if anything was."""
    lack = (LACK_OF_TIME.format(given_up=" ".join(GIVEN_UP[what] for what in given_up)),) if given_up else ()
    return PURPOSE.format(maker=MAKERS[network]), NOT_FOR[modality], EVERY_NOT_FOR, *lack
