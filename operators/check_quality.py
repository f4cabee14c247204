"""In, one port per branch: ``DenoisedSeries`` or ``LedgerEntry``.

Out, on the port of the same name: ``CheckedSeries``, or a ``LedgerEntry``; entries pass as they are.
The original was restored before where a volume failed in parts. A strength at which an image still fails is lowered in
steps until all pass. Or, as the site has set, the series is refused.
"""

import time
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from operators.branches import add_branches, pass_on
from operators.default_strength import default_strength
from operators.image_checks import assessed
from operators.messages import CheckedSeries, DenoisedSeries, LedgerEntry, entry_of
from operators.quality.gate_settings import GateSettings
from operators.quality.volume_checks import Structure
from operators.reason_codes import CHECKS_FAILED
from operators.sources.source import Key
from operators.strength_steps import Assessments, grant


def check(
    denoised: DenoisedSeries, strengths: tuple[float, ...], settings: GateSettings
) -> CheckedSeries | LedgerEntry:
    """Return the series with the strengths at which it may be handed out, or the entry that refuses it.

    Where the run names no ``strengths``, the default of the method is asked for.
    """
    summary = denoised.summary
    structures: dict[Key, Structure] = {}

    def assess(strength: float) -> Assessments:
        return tuple(assessed(denoised, strength, settings, structures))

    asked = strengths or (default_strength(summary.fits, denoised.source.modality),)
    granted = grant(asked, assess, may_reduce=settings.on_failure == "reduce_strength")
    by_image = tuple(zip(*granted.tried.values(), strict=True))
    if granted.strengths:
        return CheckedSeries(
            denoised, granted.strengths, dict(zip(denoised.images, by_image, strict=True)), granted.reason
        )
    return entry_of(
        denoised.source,
        "refused",
        granted.reason,
        reason_code=CHECKS_FAILED,
        seconds=time.monotonic() - summary.started,
        settings=summary.settings,
        fits=summary.fits,
        left_out=summary.left_out,
        assessments=by_image,
    )


class CheckQualityOperator(Operator):  # type: ignore[misc]
    """Decides whether a series is safe to hand out."""

    def __init__(
        self, fragment: Any, *args: Any, strengths: tuple[float, ...], settings: GateSettings, **kwargs: Any
    ) -> None:
        self._strengths, self._settings = strengths, settings
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """An input and an output for each branch."""
        add_branches(spec)

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Pass on what came of each branch."""
        pass_on(op_input, op_output, lambda denoised: check(denoised, self._strengths, self._settings))
