"""The budget as a promise: ``python -m bench.budgets [--case ct] [--budgets 30,60] [--threads 1,2] [--size 0.25]``.

Prints a table: seconds asked for, planned and taken by the whole command; what was given up, series not denoised, and
PSNR before and after in full strength, of one large CT, an MR study of 12 series, a PET and a cine, for each budget and
number of threads. Run it on a machine that nobody else uses. ``--size`` scales rows and columns, for a trial.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.host_process import load_cuda_runtime
from bench.scale import table
from bench.there_and_back import DRAWN, there_and_back
from models.compute import choose_compute
from models.pace import Pace, Stage
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.volume.ns_n2n_settings import NSN2NSettings
from validation.phantoms.anatomy import Mask, Phantom, Volume
from validation.phantoms.ct_noise import scanner_noise
from validation.phantoms.ct_phantom import ct_phantom
from validation.phantoms.mr_phantom import mr_phantom
from validation.phantoms.pet_phantom import pet_phantom
from validation.phantoms.phantom_study import write_cine, write_volume
from validation.phantoms.speckle_phantom import make_speckle_phantom
from validation.read_back import read_rows, read_series
from validation.scoring import psnr

BUDGETS = "30,60,120,240,960"  # seconds
MR_SERIES = 12
CT_NOISE = 22.0  # HU, in soft tissue
RANGES = {"CT": 1500.0, "MR": 900.0, "PT": 11000.0, "US": 255.0}  # of PSNR, as in the demo


@dataclass(frozen=True)
class Truth:
    """What a series shows without noise, and where it is judged."""

    modality: str
    truth: Volume
    region: Mask


Study = Mapping[str, Truth]  # by series UID


def ct(folder: Path, size: float) -> Study:
    """One large CT, whose anatomy goes there and back and whose noise never repeats."""
    slices, rows, columns = _shape(300, 512, size)
    phantom = there_and_back(ct_phantom((DRAWN, rows, columns)), slices)
    rng = np.random.default_rng(0)
    noise = scanner_noise(rng, phantom.truth, phantom.spacing[1], phantom.regions["flat"], CT_NOISE, 0.0)
    return _volumes(folder, [replace(phantom, noisy=phantom.truth + noise)])


def mr(folder: Path, size: float) -> Study:
    """Twelve MR series of 20 to 42 slices."""
    shapes = [_shape(20 + 2 * number, 256, size) for number in range(MR_SERIES)]
    return _volumes(folder, [mr_phantom(shape, slice_mm=3.0, seed=seed) for seed, shape in enumerate(shapes)])


def pet(folder: Path, size: float) -> Study:
    """One PET of a whole body's size."""
    return _volumes(folder, [pet_phantom(_shape(300, 200, size))])


def cine(folder: Path, size: float) -> Study:
    """One cine of 64 frames."""
    _, side, _ = _shape(64, 512, size)
    made = make_speckle_phantom(side, side, 64, np.random.default_rng(0))
    return {write_cine(made.frames, folder, 0): Truth("US", made.truth, np.ones(made.truth.shape, bool))}


CASES: Mapping[str, Callable[[Path, float], Study]] = {"ct": ct, "mr": mr, "pet": pet, "cine": cine}


def _shape(slices: int, side: int, size: float) -> tuple[int, int, int]:
    return slices, int(side * size), int(side * size)


def _volumes(folder: Path, phantoms: list[Phantom]) -> Study:
    return {
        write_volume(phantom, folder / str(seed), seed): Truth(phantom.modality, phantom.truth, phantom.regions["body"])
        for seed, phantom in enumerate(phantoms)
    }


def planned(source: Path, budget: float) -> float:
    """Return the seconds that the application plans for the command."""
    load_cuda_runtime()
    from operators.dicom.reading_limits import ReadingLimits
    from operators.messages import SelectedSeries
    from operators.select_series import Demands, select
    from operators.selection import SelectionSettings
    from operators.series_costs import Pricing
    from operators.sources.finding import find_sources
    from operators.sources.nifti_settings import NiftiSettings
    from operators.time_budget import RunTime

    compute = choose_compute("cpu")
    pricing = Pricing(compute, NSN2NSettings(), Speckle2SelfSettings())
    found, _ = find_sources(source, ReadingLimits(), NiftiSettings())
    study = sorted(found, key=lambda series: series.voxel_count)
    run = RunTime(0.0, budget, Pace(lambda: 0.0))
    outcomes = select(study, Demands(SelectionSettings()), run, pricing)
    served = [outcome for outcome in outcomes.values() if isinstance(outcome, SelectedSeries)]
    seconds = pricing.starting(sum(series.source.voxel_count for series in served))
    for series in served:
        seconds += series.time.need.following
        for slot in series.time.slots:
            least, most = slot.need.denoising.least, slot.need.denoising.most
            fit = min(most, max(least, slot.context(compute, 0, "", series.source.modality).budget))
            run.pace.add(Stage("fit", 0, fit + slot.need.restoring, fit + slot.need.restoring))
            seconds += slot.need.decoding + fit + slot.need.restoring
    return seconds


def row(case: str, study: Study, source: Path, budget: float, threads: int) -> tuple[object, ...]:
    """Return the row of one run of the command."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as target:
        command = (sys.executable, "-m", "app", "-i", source, "-o", target, "--device", "cpu", "--strength", "100")
        run = subprocess.run(
            [*map(str, command), "--time-budget", f"{budget:g}"], env=environment, capture_output=True, text=True
        )
        result = json.loads(run.stdout)
        rows = read_rows(Path(target))
        before, after = [], []
        for uid, truth in study.items():
            if (found := rows.get(uid)) and found["status"] == "denoised":
                for seen, scores in (
                    (read_series(source, uid), before),
                    (read_series(Path(target), found["written"][0]["series_uid"]), after),
                ):
                    scores.append(psnr(seen, truth.truth, truth.region, RANGES[truth.modality]))
    given_up = Counter(what for one in rows.values() for what in one.get("given_up", ()))
    lost = len(study) - len(after)
    least = min((new - old for old, new in zip(before, after, strict=True)), default=0.0)
    gain = f"{np.mean(before):.1f} > {np.mean(after):.1f}, least gain {least:+.1f}" if after else "-"
    lacks = ", ".join(f"{what} {count}" for what, count in given_up.items())
    plan = subprocess.run(
        [sys.executable, "-m", "bench.budgets", "--plan", str(source), "--budgets", f"{budget:g}"],
        env=environment, stdout=subprocess.PIPE, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    return case, threads, f"{budget:g}", plan, f"{result['seconds']:.0f}", lost, lacks or "-", gain


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Hold the time taken against the time budget.")
    parser.add_argument("--case", choices=[*CASES], action="append", help="all if left out")
    parser.add_argument("--budgets", default=BUDGETS, help="seconds, with commas between them")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--size", type=float, default=1.0, help="of rows and columns")
    parser.add_argument("--plan", type=Path, help="print what is planned for a folder, and nothing else")
    given = parser.parse_args()
    budgets = [float(budget) for budget in given.budgets.split(",")]
    if given.plan:
        print(f"{planned(given.plan, budgets[0]):.0f}")
        return
    rows = []
    for case in given.case or CASES:
        with tempfile.TemporaryDirectory() as source:
            study = CASES[case](Path(source), given.size)
            for threads in map(int, given.threads.split(",")):
                for budget in budgets:
                    rows.append(row(case, study, Path(source), budget, threads))
                    print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    print(table(("case", "threads", "asked", "planned", "taken", "not denoised", "given up", "mean PSNR, dB"), *rows))


if __name__ == "__main__":
    main()
