"""The table of the demo: one row per series, before and after against the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

from validation.demo_study import DemoSeries
from validation.phantoms.anatomy import Volume
from validation.scoring import Score, score

HEAD = f"{'series':<9}{'PSNR dB':>21}{'SSIM':>17}{'noise':>9}{'mean':>12}{'seconds':>9}   PSNR and SSIM taken over"
LEGEND = (
    "noise: change of the error's sd in even tissue; mean: change in flat tissue (CT), of total activity (PET),\n"
    "of the mean grey (US), in white matter against the true amplitude (MR)"
)


@dataclass(frozen=True)
class Row:
    """What the table says of one series."""

    series: DemoSeries
    before: Score
    after: Score
    mean_change: float  # in the series' unit of it
    seconds: float

    def __str__(self) -> str:
        old, new, series = self.before, self.after, self.series
        psnr = f"{old.psnr:.1f} > {new.psnr:.1f} ({new.psnr - old.psnr:+.1f})"
        noise = f"{100 * (new.noise / old.noise - 1):+.0f} %"
        mean = f"{self.mean_change:+.2f} {series.mean_unit}"
        where = f"{series.region_name}, data range {series.data_range:g}"
        ssim = f"{old.ssim:.3f} > {new.ssim:.3f}"
        return f"{series.name:<9}{psnr:>21}{ssim:>17}{noise:>9}{mean:>12}{self.seconds:>9.0f}   {where}"


def row_of(series: DemoSeries, before: Volume, after: Volume, seconds: float) -> Row:
    """Score a series, (slices or frames, rows, columns), before and after."""
    old, new = (
        score(volume, series.truth, series.region, series.even, series.data_range) for volume in (before, after)
    )
    return Row(series, old, new, _mean_change(series, before, after), seconds)


def table_of(rows: Sequence[Row], seconds: float) -> str:
    """Return the table as text; `seconds` are those of the whole demo."""
    return "\n".join([HEAD, *map(str, rows), LEGEND, f"whole demo: {seconds:.0f} seconds"])


def _mean_change(series: DemoSeries, before: Volume, after: Volume) -> float:
    reference = series.truth if series.mean_of_truth else before
    kept = float(reference[series.mean_of].mean(dtype=float))
    change = float(after[series.mean_of].mean(dtype=float)) - kept
    return change if series.mean_unit == "HU" else 100 * change / kept
