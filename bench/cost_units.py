"""Measure every unit of work of the table of costs in this process: phantoms of two sizes go through the real code.

Import it after ``load_cuda_runtime``.
"""

import math
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

import numpy as np
import torch

from bench.there_and_back import DRAWN, there_and_back
from models.compute import Compute, choose_compute
from models.fitting import FitContext
from models.pace import Pace
from models.ultrasound.retrieval import offsets_in_time
from models.ultrasound.speckle2self import denoise_clip
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.ultrasound.speckle_plan import AVERAGES_AFTER, RENEWALS, STEP_UNITS, most_plan, output_rounds
from models.volume.initial.initial_estimate import initial_estimate
from models.volume.initial.similar_patches import BRISK
from models.volume.measured_volume import measure_volume
from models.volume.ns_n2n import denoise_volume
from models.volume.ns_n2n_settings import NSN2NSettings
from models.volume.scaling import noise_units
from models.volume.slice_plan import SLICES_ALONE
from operators.check_quality import check
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.reading_limits import ReadingLimits
from operators.image_checks import clip_with_original, with_original
from operators.ledger import Ledger
from operators.messages import CheckedSeries, DenoisedSeries, FitSummary
from operators.output_folder import OutputFolder
from operators.quality.gate_settings import GateSettings
from operators.report_series import Reporting, report
from operators.sources.finding import find_sources
from operators.sources.nifti_settings import NiftiSettings
from operators.sources.originals import Originals
from operators.sources.source import Source
from operators.write_series import write
from validation.phantoms.anatomy import Phantom
from validation.phantoms.ct_phantom import ct_phantom
from validation.phantoms.mr_phantom import mr_phantom
from validation.phantoms.phantom_study import write_cine, write_still, write_volume
from validation.phantoms.speckle_phantom import make_speckle_phantom

VOLUMES = {"CT": ((16, 128, 128), (40, 224, 224)), "MR": ((16, 128, 128), (24, 256, 256))}  # small and large
LARGE_VOLUME = (160, 512, 512)  # of which measuring, checks and reports look at a part
MR_SLICE = 5.0  # mm, several pixels: keeping spots in thick slices takes more work
SHORT = 30.0  # seconds, a budget that leaves time for quick refinement of that
CLIPS = (1, 192), (1, 384), (12, 192), (12, 384), (64, 512)  # frames, and pixels a side: stills, cines, a large one
STEPS = {"volume": 20, "ultrasound": 6}  # of a fit whose steps are timed
OFFSETS = 12
LENIENT = GateSettings("reduce_strength", *[1e9] * 7)  # a short fit must pass, so that it is reported

Clock = Callable[[], float]
Samples = dict[str, list[tuple[float, float]]]  # of each unit: voxels and seconds


class CostMeter:
    """Collects samples of one clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.samples: Samples = defaultdict(list)
        self.budget = math.inf

    def add(self, unit: str, voxels: float, seconds: float) -> None:
        """Take a sample."""
        self.samples[unit].append((voxels, seconds))

    @contextmanager
    def timed(self, unit: str, voxels: float, times: int = 1) -> Iterator[None]:
        """Take a sample of the work inside the block, done so many times."""
        started = self.clock()
        yield
        self.add(unit, voxels, (self.clock() - started) / times)

    def context(self, compute: Compute, modality: str) -> FitContext:
        """Return a context without a limit of time."""
        return FitContext(compute, 0, self.budget, math.inf, "costs", Pace(self.clock), modality=modality)


def measured(threads: int, cpu_time: bool) -> tuple[Samples, float]:
    """Return the samples of every unit, and the wall time over the processor time of all.

    Args:
        cpu_time: whether processor time is measured, which is wall time on one thread of a quiet machine.
    """
    torch.set_num_threads(threads)
    meter = CostMeter(time.process_time if cpu_time else time.perf_counter)
    wall, processor = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as work:
        for modality, shapes in VOLUMES.items():
            for shape in shapes:
                _volume(meter, modality, shape, Path(work, modality, str(shape[0])))
        meter.budget = SHORT
        _volume(meter, "CT", LARGE_VOLUME, Path(work, "CT", "large"))
        meter.budget = math.inf
        for frames, side in CLIPS:
            _clip(meter, frames, side, Path(work, "US", f"{frames}x{side}"))
    return dict(meter.samples), (time.perf_counter() - wall) / (time.process_time() - processor)


def _volume(meter: CostMeter, modality: str, shape: tuple[int, int, int], folder: Path) -> None:
    phantom = _phantom(modality, shape)
    write_volume(phantom, folder, 0)
    source, compute, voxels = _found(meter, folder), choose_compute("cpu"), math.prod(shape)
    with meter.timed("read slice", math.prod(shape[1:]), shape[0]):
        ((key, image),) = source.images(Counter())
    settings, context = NSN2NSettings(steps=STEPS["volume"]), meter.context(compute, modality)
    own = " MR" if modality == "MR" else ""  # its noise has more witnesses, and its slices are thick
    fitted = denoise_volume(image.values, image.valid, spacing=image.spacing, settings=settings, context=context)
    with meter.timed(f"restore volume{own}", voxels):
        fitted = with_original(image, fitted, modality, GateSettings())
    _take_stages(meter, context, own)
    if modality == "CT" and meter.budget == math.inf:
        context = meter.context(compute, modality)
        volume = measure_volume(image.values, image.valid, modality, noise_units, compute.device)
        initial_estimate(volume, (*BRISK, *SLICES_ALONE[2]), context)
        _take_stages(meter, context, only=("pass",))
        single = Compute(compute.device, torch.float32, compute.threads)
        context = meter.context(single, modality)
        denoise_volume(image.values, image.valid, spacing=image.spacing, settings=settings, context=context)
        _take_stages(meter, context, only=("step", "apply"))
    originals = Originals(source, {key: image})
    summary = FitSummary((fitted.record,), {}, {}, time.monotonic())
    _follow(meter, DenoisedSeries(source, originals, {key: fitted.images}, summary), folder, own)


def _phantom(modality: str, shape: tuple[int, int, int]) -> Phantom:
    drawn = min(shape[0], DRAWN), *shape[1:]
    return there_and_back(ct_phantom(drawn) if modality == "CT" else mr_phantom(drawn, slice_mm=MR_SLICE), shape[0])


def _clip(meter: CostMeter, frames: int, side: int, folder: Path) -> None:
    """Take samples of a still, and of a cine those of its frames and of what follows."""
    tissue = make_speckle_phantom(side, side, frames, np.random.default_rng(0)).frames
    if frames > 1:
        write_cine(tissue, folder, 0)
    else:
        write_still(tissue[0], folder, 0)
    source, compute = _found(meter, folder), choose_compute("cpu")
    with meter.timed("read clip", source.voxel_count):
        ((key, image),) = source.images(Counter())
    single = Compute(compute.device, torch.float32, compute.threads)
    fits = [(one, variant) for one in (compute, single) for variant in STEP_UNITS]
    fitted = None
    for one, variant in fits[:1] if frames > 1 else fits:
        settings = Speckle2SelfSettings(variant=variant, steps=STEPS["ultrasound"], search_offsets=OFFSETS)
        context, started = meter.context(one, "US"), meter.clock()
        made = denoise_clip(image.values, image.valid, maximum=image.maximum, settings=settings, context=context)
        fitted = fitted or made
        whole, window = meter.clock() - started, math.prod(np.ptp(np.nonzero(image.valid), axis=1) + 1)
        if frames == 1:
            _take_clip(meter, context, settings, window)
        else:
            _take_frame(meter, context, settings, (frames, window), whole)
    assert fitted is not None
    with meter.timed("restore ultrasound", source.voxel_count):
        fitted = clip_with_original(image, fitted, GateSettings())
    originals = Originals(source, {key: image})
    summary = FitSummary((fitted.record,), {}, {}, time.monotonic())
    _follow(meter, DenoisedSeries(source, originals, {key: fitted.images}, summary), folder)


def _found(meter: CostMeter, folder: Path) -> Source:
    started = meter.clock()
    ((source,), _) = find_sources(folder, ReadingLimits(), NiftiSettings())
    meter.add("headers", source.voxel_count, meter.clock() - started)
    return source


def _take_stages(meter: CostMeter, context: FitContext, own: str = "", only: tuple[str, ...] = ()) -> None:
    """Take the stages of a volume: some depend on the precision, some on the modality, whose name is ``own``."""
    for stage in context.pace.stages:
        if only and not stage.unit.startswith(only):
            continue
        behind = f" {context.compute.precision}" if stage.unit in {"step", "apply"} else ""
        behind += own if stage.unit in {"measure", "finish"} else ""
        times = STEPS["volume"] if stage.unit == "step" else 1
        meter.add(stage.unit + behind, stage.voxels, stage.taken / times)


def _take_clip(meter: CostMeter, context: FitContext, settings: Speckle2SelfSettings, frame: int) -> None:
    """Take the stages of a still."""
    searched = [stage for stage in context.pace.stages if stage.unit == "offset"]
    search = mean(stage.taken for stage in searched) if searched else 0.0
    (fit,) = (stage.taken for stage in context.pace.stages if stage.unit == "step")
    step = (fit - RENEWALS * search) / settings.steps
    meter.add(f"{STEP_UNITS[settings.variant]} {context.compute.precision}", frame, step)
    if searched:
        meter.add("offset", searched[0].voxels, search)


def _take_frame(
    meter: CostMeter, context: FitContext, settings: Speckle2SelfSettings, shape: tuple[int, int], whole: float
) -> None:
    """Take what a frame of a cine costs beside the fit and what is searched: output, structures given back.

    Args:
        shape: frames and pixels of each.
    """
    frames, pixels = shape
    (first, fit) = (one for one in context.pace.stages if one.unit in {"offset", "step"})
    in_time = sum(frames - offset.frames for offset in offsets_in_time())
    along = frames * output_rounds(frames) * most_plan(shape, settings).output_offsets
    searched = pixels * ((1 + AVERAGES_AFTER) * in_time + along) * first.taken / first.voxels
    meter.add("frame", pixels, (whole - fit.taken - searched) / frames)


def _follow(meter: CostMeter, denoised: DenoisedSeries, folder: Path, own: str = "") -> None:
    """Check, report and write one series."""
    source, ledger, target = denoised.source, Ledger(), OutputFolder(folder.with_name(f"{folder.name}-out"))
    kind, voxels = source.method, denoised.source.voxel_count
    target.prepare()
    ledger.found([source], ())
    with meter.timed(f"check {kind}{own}", voxels):
        checked = check(denoised, (100.0,), LENIENT)
    assert isinstance(checked, CheckedSeries), "the limits let everything pass"
    with meter.timed(f"report {kind}", voxels):
        reported = report(checked, Reporting("", DerivedSettings()), ledger)
    unit, files = ("write slice", source.instance_count) if kind == "volume" else ("write clip", 1)
    with meter.timed(unit, voxels / files, files):
        write(reported, False, target, ledger.used_numbers(source.study_uid))
