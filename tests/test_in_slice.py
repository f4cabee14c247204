"""Slices without neighbours: one, two or three, and those that lie far apart, denoised slice by slice."""

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from models.compute import choose_compute
from models.fitting import Denoised, FitContext
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.volume.ns_n2n import denoise_volume
from models.volume.ns_n2n_settings import NSN2NSettings
from operators.denoise_volume import denoise
from operators.dicom.reading import read_study
from operators.messages import SelectedSeries
from operators.quality.gate_settings import GateSettings
from operators.series_costs import Pricing
from operators.sources.finding import source_of
from operators.time_budget import timetable, whole_run
from tests.small_study import instance, save
from validation.phantoms.anatomy import Phantom
from validation.phantoms.ct_phantom import ct_phantom
from validation.phantoms.mr_scan import mr_scan
from validation.phantoms.pet_phantom import pet_phantom
from validation.phantoms.phantom_study import write_volume

CPU = choose_compute("cpu")
LEAST_GAIN = 3.0  # dB of a slice alone; BM3D, given the noise, gains 4 to 5 on these


def denoised(phantom: Phantom) -> Denoised:
    return denoise_volume(
        phantom.noisy,
        np.ones(phantom.noisy.shape, bool),
        spacing=phantom.spacing,
        settings=NSN2NSettings(steps=4),
        context=FitContext(CPU, 0, 600.0, math.inf, "test", modality=phantom.modality),
    )


def taken(phantom: Phantom, slices: slice) -> Phantom:
    regions = {name: region[slices] for name, region in phantom.regions.items()}
    return replace(phantom, noisy=phantom.noisy[slices], truth=phantom.truth[slices], regions=regions)


def gain(phantom: Phantom, image: np.ndarray) -> float:
    before, after = (
        np.mean(np.square((each - phantom.truth)[phantom.regions["body"]], dtype=np.float64))
        for each in (phantom.noisy, image)
    )
    return float(10 * np.log10(before / after))


@pytest.fixture(scope="module")
def scan() -> Phantom:
    return mr_scan("t1", (4, 112, 112), seed=3).phantom


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_name_says_how_many_dimensions_were_used(scan: Phantom, count: int) -> None:
    few = taken(scan, slice(0, count))
    record = (result := denoised(few)).record
    assert gain(few, result.images) > LEAST_GAIN
    assert record.method.startswith("NS-N2N in three dimensions" if count == 4 else "non-local Bayes slice by slice")
    assert record.method.endswith("noise from air of 1 channel(s) and finest detail") or count == 4
    assert (record.steps_planned > 0) == (count == 4)


def test_slices_alone_that_hold_no_noise_stay_what_they_are() -> None:
    phantom = Phantom(np.zeros(0), np.full((1, 40, 36), 7, np.float32), (1.0, 1.0, 1.0), "CT", {})
    assert np.allclose(denoised(phantom).images, 7, atol=1e-3)
    for modality in ("CT", "MR", "PT"):
        empty = replace(phantom, noisy=np.zeros((2, 40, 36), np.float32), modality=modality)
        assert np.allclose(denoised(empty).images, 0, atol=1e-3)


def series_of(folder: Path, positions: Sequence[float]) -> SelectedSeries:
    """A CT series of slices of 2 mm at these positions; the same position has the same pixels."""
    for position in positions:
        made = instance("CT", 1, int(position), ImagePositionPatient=[0, 0, position])
        save(made, folder / f"{position}")
    source = source_of(read_study(folder).series[0])
    pricing = Pricing(CPU, NSN2NSettings(), Speckle2SelfSettings())
    return SelectedSeries(source, timetable(whole_run(1000), 0, [pricing.need(source)])[0])


def test_a_slice_alone_is_denoised_as_it_is_far_apart_from_others(tmp_path: Path) -> None:
    far, alone = (
        denoise(series_of(tmp_path / name, positions), NSN2NSettings(), GateSettings(), CPU, seed=0)
        for name, positions in (("far", (0, 40, 90, 130, 160)), ("alone", (90,)))
    )
    assert [images.shape[0] for images in far.images.values()] == [1] * 5
    (image,) = alone.images.values()
    assert np.array_equal(list(far.images.values())[2], image)
    assert not np.array_equal(list(far.images.values())[1], image)


@pytest.mark.slow
def test_a_folder_of_single_slices_is_written_at_full_strength(tmp_path: Path) -> None:
    whole = (
        ct_phantom((12, 160, 160), noise_hu=22, seed=1),
        mr_scan("t1", (6, 144, 144), seed=1).phantom,
        pet_phantom((64, 96, 96), seed=1),
    )
    slices = {
        phantom.modality: taken(phantom, slice(len(phantom.noisy) // 2, len(phantom.noisy) // 2 + 1))
        for phantom in whole
    }
    for modality, phantom in slices.items():
        write_volume(phantom, tmp_path / "in" / modality, seed=1)
    command = [sys.executable, "-m", "app", "-i", tmp_path / "in", "-o", tmp_path / "out", "--strength", "100"]
    run = subprocess.run([*command, "--device", "cpu"], capture_output=True, check=True, text=True)
    result = json.loads(run.stdout)
    for row in result["series"]:
        assert (row["status"], row["fitted"], row["steps_planned"]) == ("denoised", True, 0)
        assert row["method"].startswith("non-local Bayes slice by slice, noise from ")
        checks = {check["name"]: check for check in row["assessments"][0][0]["checks"]}
        assert (checks["slice_order"]["measured"], checks["slice_order"]["passed"]) == (False, True)
    written = [pydicom.dcmread(path) for path in (tmp_path / "out").glob("*.dcm")]
    derived = {each.Modality: each for each in written if each.Modality in slices}
    for modality, phantom in slices.items():
        each = derived[modality]
        values = each.pixel_array * float(each.get("RescaleSlope", 1)) + float(each.get("RescaleIntercept", 0))
        assert gain(phantom, values[None].astype(np.float32)) >= LEAST_GAIN
        assert "slice by slice" in each.DerivationDescription
        assert "strength 100 %" in each.DerivationDescription
        assert each.DerivationCodeSequence[-1].CodeValue == "NOISE-FILTERED"
