"""What comes back below full strength: in two bands, and evenly beside it, at the same noise left.

``python -m bench.strengths`` fits the validation kit's CT, MR and PET objects once each, in full, and prints a table:
noise left and mean frequency over the input's, PSNR in the body, and what faint things keep.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from app.conformance import table
from app.settings import load_settings
from bench.volumes.bench_cases import RANGES
from models.compute import choose_compute
from models.fitting import FitContext
from models.volume.finishing.rician import return_rician_bias
from models.volume.ns_n2n import denoise_volume
from operators.quality.strength import at_strength
from validation.kit import edge_figures, kit_cases, lesion_figures, uniform_figures
from validation.kit.evidence import CasePair
from validation.measures.intervals import Measured
from validation.phantoms.anatomy import Volume
from validation.scoring import psnr

LEFT = 0.6  # of the input's noise: what vendors leave, about
PLENTY = 1e9  # seconds
lesion, edge = lesion_figures, edge_figures
KEPT: Mapping[str, Mapping[str, Callable[["Pairs"], Measured]]] = {
    kit_cases.CT: {
        "10 HU, 5 mm": lambda pairs: lesion.contrast_retained(pairs, "", 5.0, 10.0),
        "d' of it": lambda pairs: lesion.detectability_retained(pairs, "", 5.0, 10.0),
        "30 HU, 3 mm": lambda pairs: lesion.contrast_retained(pairs, "", 3.0, 30.0),
    },
    kit_cases.MR: {
        "edge width, 10 %": lambda pairs: edge.width_ratio(pairs, "", 50.0),
        "f50, 20 %": lambda pairs: edge.sharpness_retained(pairs, "", 100.0),
    },
    kit_cases.PET: {
        "SUVmean, 13 mm": lambda pairs: lesion.recovery(pairs, "", 13.0, "mean"),
        "SUVmax, 10 mm": lambda pairs: lesion.recovery(pairs, "", 10.0, "max"),
    },
}


@dataclass(frozen=True)
class Pairs:
    """One object before and after, in the place of a kit's evidence."""

    pair: CasePair

    def pairs(self, group: str) -> list[CasePair]:
        """Return it, whatever the group."""
        return [self.pair]


def denoised(pair: CasePair) -> tuple[CasePair, Volume]:
    """Return the object in full strength, at the installed settings, and the same with its known bias."""
    settings, phantom = load_settings(), pair.phantom
    context = FitContext(
        choose_compute("cpu"), settings.run.seed, PLENTY, PLENTY, "strengths", modality=phantom.modality
    )
    done = denoise_volume(
        pair.before,
        np.ones(pair.before.shape, bool),
        spacing=phantom.spacing,
        settings=settings.ns_n2n,
        context=context,
    )
    sd = float(done.record.measures.get("rician_sd", 0.0))
    return replace(pair, after=done.images), return_rician_bias(done.images, sd) if sd else done.images


def rows_of(group: str, full: CasePair, biased: Volume) -> Iterator[tuple[str, ...]]:
    """Yield the input, full strength, and both ways of leaving ``LEFT`` of the noise."""
    noise, everywhere = full.before - biased, np.ones(full.before.shape, bool)

    def in_bands(strength: float) -> CasePair:
        returned = at_strength(full.before, biased, everywhere, strength) - biased
        return replace(full, after=full.after + returned)

    def evenly(strength: float) -> CasePair:
        return replace(full, after=full.after + np.float32(1 - strength / 100) * noise)

    def left(pair: CasePair) -> float:
        return 1 - uniform_figures.noise_reduction(Pairs(pair), "").value

    yield _row(group, "input", replace(full, after=full.before))
    yield _row(group, "100 %", full)
    for name, way in (("two bands", in_bands), ("evenly", evenly)):
        strength = float(brentq(lambda percent, way=way: left(way(percent)) - LEFT, 5, 100, xtol=0.5))
        yield _row(group, f"{name}, {strength:.0f} %", way(strength))
    yield _row(group, "two bands, 50 %", in_bands(50.0))


def _row(group: str, name: str, pair: CasePair) -> tuple[str, ...]:
    pairs, phantom = Pairs(pair), pair.phantom
    level = psnr(pair.after, phantom.truth, phantom.regions["body"], RANGES[phantom.modality][0])
    left = 1 - uniform_figures.noise_reduction(pairs, "").value
    grain = uniform_figures.mean_frequency_retained(pairs, "").value
    kept = "; ".join(f"{what} {measure(pairs).value:.2f}" for what, measure in KEPT[group].items())
    return group, name, f"{left:.2f}", f"{grain:.2f}", f"{level:.1f}", kept


def main() -> int:
    """Print the table."""
    argparse.ArgumentParser(description="What comes back below full strength.").parse_args()
    rows = []
    for case in kit_cases.cases(quick=True):
        if case.group in KEPT and case.seed == 0:
            tested = case.make()
            rows += rows_of(case.group, *denoised(CasePair(tested, tested.phantom.noisy, tested.phantom.noisy)))
    print(table(("Object", "Strength", "Noise left", "Mean frequency", "PSNR, dB", "Kept, over the truth's"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
