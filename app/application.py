"""The graph, as a drawing: one message per series travels it.

::

    load ─▶ select ─▶ route ─┬─▶ denoise volume ─────┬─▶ check ─▶ report ─┐
               │       │     └─▶ denoise ultrasound ─┘                    │
               └───────┴───────────── refused, with a reason ─────────────┴─▶ write
"""

import sys
from pathlib import Path

from holoscan.logger import LogLevel, set_log_level
from monai.deploy.core import Application

from app.host_process import memory_granted
from app.settings import Settings, version
from models.compute import Compute
from operators.check_quality import CheckQualityOperator
from operators.denoise_ultrasound import DenoiseUltrasoundOperator
from operators.denoise_volume import DenoiseVolumeOperator
from operators.ledger import Ledger
from operators.load_study import LoadStudyOperator
from operators.output_folder import OutputFolder
from operators.report_series import Reporting, ReportSeriesOperator
from operators.route_modality import RouteModalityOperator
from operators.select_series import Demands, SelectSeriesOperator
from operators.series_costs import Pricing
from operators.time_budget import RunTime, whole_run
from operators.write_series import WriteSeriesOperator


class DenoiseStudyApplication(Application):  # type: ignore[misc]
    """One study in, its derived series out, every outcome in the ledger."""

    def __init__(self, source: Path, folder: OutputFolder, settings: Settings, compute: Compute, time: RunTime) -> None:
        self._source, self._folder, self._settings, self._compute, self._time = source, folder, settings, compute, time
        self.ledger = Ledger()
        super().__init__([sys.executable])  # Holoscan would read this program's own arguments as its own

    def compose(self) -> None:
        """Operators and the flows between them."""
        settings, run = self._settings, self._settings.run
        compute, seed = self._compute, run.seed
        outputs, reporting = settings.outputs, Reporting(version(), settings.derived, settings.outputs.report)
        demands = Demands(settings.selection, memory_granted())
        strengths = max(1, len(run.strength))
        pricing = Pricing(compute, settings.ns_n2n, settings.speckle2self, strengths, outputs.report)

        load = LoadStudyOperator(
            self,
            name="load",
            path=self._source,
            ledger=self.ledger,
            limits=settings.limits,
            nifti=settings.nifti,
            smallest_first=run.order == "smallest_first",
        )
        select = SelectSeriesOperator(self, name="select", demands=demands, run=self._time, pricing=pricing)
        route = RouteModalityOperator(self, name="route")
        volume = DenoiseVolumeOperator(
            self, name="volume", settings=settings.ns_n2n, gate=settings.check, compute=compute, seed=seed
        )
        ultrasound = DenoiseUltrasoundOperator(
            self, name="ultrasound", settings=settings.speckle2self, gate=settings.check, compute=compute, seed=seed
        )
        check = CheckQualityOperator(self, name="check", strengths=run.strength, settings=settings.check)
        report = ReportSeriesOperator(self, name="report", reporting=reporting, ledger=self.ledger)
        write = WriteSeriesOperator(
            self, name="write", residual=outputs.residual, folder=self._folder, ledger=self.ledger
        )

        self.add_flow(load, select, {("series", "series")})
        self.add_flow(select, route, {("selected", "selected")})
        self.add_flow(select, write, {("refused", "not_selected")})
        self.add_flow(route, volume, {("volume", "volume")})
        self.add_flow(route, ultrasound, {("ultrasound", "ultrasound")})
        self.add_flow(route, write, {("refused", "not_routed")})
        self.add_flow(volume, check, {("outcome", "volume")})
        self.add_flow(ultrasound, check, {("outcome", "ultrasound")})
        self.add_flow(check, report, {("volume", "volume"), ("ultrasound", "ultrasound")})
        self.add_flow(report, write, {("volume", "volume"), ("ultrasound", "ultrasound")})


def run(
    source: Path, folder: OutputFolder, settings: Settings, compute: Compute, started: float | None = None
) -> Ledger:
    """Denoise what ``source`` holds into ``folder``, and return what became of each series.

    Args:
        started: reading of ``time.monotonic()`` at which the time budget began; now if left out.
    """
    set_log_level(LogLevel.ERROR)  # Holoscan logs every step of the graph
    time = whole_run(settings.run.time_budget, started)
    application = DenoiseStudyApplication(source, folder, settings, compute, time)
    application.run()
    return application.ledger
