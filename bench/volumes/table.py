"""The page of the bench: a table for each volume, mean and spread over the seeds, and who is best."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bench.volumes.volume_measures import COLUMNS

FORMATS = {"psnr": ".2f", "ssim": ".3f", "bias": "+.2f", "seconds": ".0f", "peak": ".0f", "structure": "+.3f"}
HEADS = {
    "psnr": "PSNR dB", "ssim": "SSIM", "bias": "bias", "noise": "noise left", "edge": "edge width",
    "structure": "residual structure", "seconds": "CPU s", "peak": "MiB",
}  # fmt: skip

Figures = Mapping[str, float]
Runs = Mapping[str, Sequence[Figures]]  # method: one for each seed


def volume_table(name: str, runs: Runs, reasons: Mapping[str, str]) -> Iterator[str]:
    """The lines of one volume; a method that gave nothing has its reason beside it."""
    there = {key for figures in runs.values() for each in figures for key in each}
    columns = [key for key in (*COLUMNS, "seconds", "peak") if key in there]
    yield f"\n## {name}\n"
    yield "| | " + " | ".join(HEADS.get(key, f"{key} retained") for key in columns) + " |"
    yield "|---|" + "---|" * len(columns)
    for method, figures in runs.items():
        cells = [cell_of(key, [each[key] for each in figures if key in each]) for key in columns]
        yield f"| {method} | " + " | ".join(cells) + " |"
    for method, reason in reasons.items():
        yield f"| {method} | {reason} |" + " |" * (len(columns) - 1)
    if "psnr" in there and "ours" in runs:
        yield f"\n{standing(runs)}"


def cell_of(key: str, values: Sequence[float]) -> str:
    """Mean and spread over the seeds, sample standard deviation."""
    if not values or np.isnan(values).all():
        return "-"
    form = FORMATS.get(key, ".2f")
    mean = format(float(np.mean(values)), form)
    spread = format(float(np.std(values, ddof=1)), form.lstrip("+")) if len(values) > 1 else ""
    return mean if key in ("seconds", "peak") or not spread else f"{mean} ± {spread}"


def standing(runs: Runs) -> str:
    """Who is best in PSNR among the methods a user could pick, and how far ours is from the best other."""
    means = {method: float(np.mean([each["psnr"] for each in figures])) for method, figures in runs.items()}
    ours = means.pop("ours")
    means.pop("noisy", None)
    if not means:
        return ""
    best = max(means, key=lambda method: means[method])
    gain = f"{ours - means[best]:+.2f} dB against the best other ({best})"
    return f"Ours: {gain}" + (
        f", {ours - means['published']:+.2f} dB against it as published." if "published" in means else "."
    )
