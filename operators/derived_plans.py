"""Plan the derived series of a checked series, one for each strength: provenance, UID and series number."""

import hashlib
import json
from dataclasses import asdict

from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.provenance import Provenance
from operators.messages import CheckedSeries, FitSummary, method_of
from operators.sources.derived_series import SeriesPlan


def plan_series(
    checked: CheckedSeries, version: str, naming: DerivedSettings, used_numbers: frozenset[int]
) -> tuple[SeriesPlan, ...]:
    """Return the plans, in the order of the strengths.

    Args:
        version: of this application.
        used_numbers: the series numbers that are taken in the study.
    """
    plans: list[SeriesPlan] = []
    for strength in checked.strengths:
        provenance = provenance_of(checked.denoised.summary, strength, version, naming)
        plans.append(checked.source.plan(provenance, naming, used_numbers))
        used_numbers = used_numbers.union(plan.series_number for plan in plans if plan.series_number)
    return tuple(plans)


def provenance_of(summary: FitSummary, strength: float, version: str, naming: DerivedSettings) -> Provenance:
    """Return how a derived series is made; the steps of all its fits are summed."""
    fits = summary.fits
    return Provenance(
        method=method_of(fits),
        version=version,
        settings_hash=hash_of(summary, naming),
        seed=fits[0].seed,
        strength=strength,
        device_kind=fits[0].device_kind,
        precision=fits[0].precision,
        processor=fits[0].processor,
        steps_taken=sum(fit.steps_taken for fit in fits),
    )


def hash_of(summary: FitSummary, naming: DerivedSettings) -> str:
    """Return the SHA-256 of the canonical JSON of every setting that shows in what is written.

    What was given up for lack of time counts as one, beside the steps, which have a place of their own.
    """
    passes = [fit.measures.get("passes") for fit in summary.fits]
    shown = {"method": summary.settings, "derived": asdict(naming), "passes": passes, "given_up": summary.given_up}
    return hashlib.sha256(json.dumps(shown, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
