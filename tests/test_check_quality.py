"""Laws of the gate's decision on a whole series: kept in places, lowered, or refused, each with its reason."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from models.fitting import FitRecord
from operators.check_quality import check
from operators.dicom.geometry import volumes_in
from operators.dicom.pixels import read_volume
from operators.dicom.reading import read_study
from operators.messages import CheckedSeries, DenoisedSeries, LedgerEntry
from operators.quality.gate_settings import GateSettings
from validation.phantoms.anatomy import Mask, Volume
from validation.phantoms.ct_phantom import ct_phantom
from validation.phantoms.phantom_study import write_volume

LESION_HU, PLACE = 100, (8, 48, 48)
STRICT = GateSettings(on_failure="refuse")


@dataclass(frozen=True)
class Study:
    """A CT series with a lesion, and where it lies."""

    folder: Path
    truth: Volume
    lesion: Mask


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    made, folder = ct_phantom((16, 96, 96), lesions=0), tmp_path_factory.mktemp("ct")
    slices, rows, columns = np.ogrid[:16, :96, :96]
    lesion = (slices - PLACE[0]) ** 2 + (rows - PLACE[1]) ** 2 + (columns - PLACE[2]) ** 2 < 6
    for volume in (made.noisy, made.truth):
        volume[lesion] += LESION_HU
    write_volume(made, folder, 0)
    return Study(folder, made.truth[::-1], lesion[::-1])  # slices are read from the feet up


def denoised(study: Study, *, erased: bool, offset: float = 0.0) -> DenoisedSeries:
    """Most of the noise gone; the lesion too, where it is ``erased``."""
    (series,) = read_study(study.folder).series
    (stack,) = volumes_in(series, 4).stacks
    before = read_volume(stack)
    after = before.voxels - 0.7 * (before.voxels - study.truth) - LESION_HU * study.lesion * erased + offset
    after = np.where(before.valid, after, before.voxels).astype(np.float32)
    record = FitRecord("NS-N2N", "default", "cpu", "bfloat16", "AVX2", 0, 1, 1, {})
    return DenoisedSeries(series, {stack: after}, (record,), {}, {}, 0.0)


def test_a_harmless_output_passes_as_it_is(study: Study) -> None:
    found = check(denoised(study, erased=False), (100.0,), GateSettings())
    assert isinstance(found, CheckedSeries)
    assert (found.strengths, found.kept, found.told) == ((100.0,), 0, "")


def test_a_lesion_that_was_erased_is_kept_and_the_rest_handed_out_in_full(study: Study) -> None:
    spoiled = denoised(study, erased=True)
    (after,) = spoiled.images.values()
    lost = after.copy()
    found = check(spoiled, (100.0,), GateSettings())
    assert isinstance(found, CheckedSeries)
    assert found.strengths == (100.0,)
    assert found.kept > 0
    assert "the original is kept" in found.told
    assert (after - lost)[study.lesion].mean() > LESION_HU / 2
    assert (np.abs(np.argwhere(after != lost)[:, 1:] - PLACE[1]) < 16).all()


def test_a_site_may_have_it_refused_instead(study: Study) -> None:
    found = check(denoised(study, erased=True), (100.0,), STRICT)
    assert isinstance(found, LedgerEntry)
    assert found.status == "refused"
    assert "local_change" in found.reason


def test_what_cannot_be_kept_in_places_lowers_the_strength(study: Study) -> None:
    found = check(denoised(study, erased=False, offset=3.0), (100.0,), GateSettings())
    assert isinstance(found, CheckedSeries)
    assert found.strengths == (50.0,)
    assert "mean_bias" in found.told
