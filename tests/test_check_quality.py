"""Laws of the decision on a whole series: restored, lowered, or refused, each with its reason."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from models.fitting import Denoised, FitRecord
from operators.check_quality import check
from operators.dicom.reading import read_study
from operators.image_checks import with_original
from operators.messages import CheckedSeries, DenoisedSeries, FitSummary, LedgerEntry
from operators.quality.gate_settings import GateSettings
from operators.sources.finding import source_of
from operators.sources.originals import Originals
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


def denoised(study: Study, settings: GateSettings, *, erased: bool, offset: float = 0.0) -> DenoisedSeries:
    """Most of the noise gone; the lesion too, where it is ``erased`` and not restored."""
    (series,) = read_study(study.folder).series
    source = source_of(series)
    key, image = next(source.images(Counter()))
    after = image.values - 0.7 * (image.values - study.truth) - LESION_HU * study.lesion * erased + offset
    after = np.where(image.valid, after, image.values).astype(np.float32)
    record = FitRecord("NS-N2N", "default", "cpu", "bfloat16", "AVX2", 0, 1, 1, {})
    fitted = with_original(image, Denoised(after, record), source.modality, settings)
    return DenoisedSeries(source, Originals(source), {key: fitted.images}, FitSummary((fitted.record,), {}, {}, 0.0))


def test_a_harmless_output_passes_as_it_is(study: Study) -> None:
    found = check(denoised(study, GateSettings(), erased=False), (100.0,), GateSettings())
    assert isinstance(found, CheckedSeries)
    assert (found.strengths, found.restored, found.deviation) == ((100.0,), "", "")


def test_a_lesion_that_was_erased_is_restored_and_the_rest_handed_out_in_full(study: Study) -> None:
    (lost,) = denoised(study, STRICT, erased=True).images.values()
    spoiled = denoised(study, GateSettings(), erased=True)
    found = check(spoiled, (100.0,), GateSettings())
    assert isinstance(found, CheckedSeries)
    assert found.strengths == (100.0,)
    (after,) = found.denoised.images.values()
    assert "local_change" in found.restored
    assert "the original was restored" in found.deviation
    assert (after - lost)[study.lesion].mean() > LESION_HU / 2
    assert (np.abs(np.argwhere(after != lost)[:, 1:] - PLACE[1]) < 16).all()


def test_a_site_may_have_it_refused_instead(study: Study) -> None:
    found = check(denoised(study, STRICT, erased=True), (100.0,), STRICT)
    assert isinstance(found, LedgerEntry)
    assert found.status == "refused"
    assert "local_change" in found.reason


def test_what_cannot_be_restored_lowers_the_strength(study: Study) -> None:
    found = check(denoised(study, GateSettings(), erased=False, offset=3.0), (100.0,), GateSettings())
    assert isinstance(found, CheckedSeries)
    assert found.strengths == (75.0,), "whose low frequencies are those of the original"
    assert "mean_bias" in found.deviation
