"""What a report says of its source images: lossy compression, and images that stay as they are."""

from collections import Counter
from pathlib import Path

import pytest
from dicom_builders import image_series, save, set_pixels, stored_values
from report_content import assessment

from models.fitting import FitRecord
from operators.derived_plans import plan_series
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.reading import read_study
from operators.messages import CheckedSeries, DenoisedSeries, FitSummary
from operators.report.rendering import report_of
from operators.sources.finding import source_of
from operators.sources.originals import Originals

RECORD = FitRecord("NS-N2N", "published", "cpu", "float32", "AVX2 in 1 thread", 0, 5, 5)


@pytest.mark.parametrize("noted", [True, False])
def test_lossy_input_and_what_is_left_as_it_is_are_reported(tmp_path: Path, noted: bool) -> None:
    slices = [set_pixels(made, stored_values(i, (32, 32))) for i, made in enumerate(image_series("CT", 5))]
    if noted:
        slices[0].LossyImageCompression = "01"  # as an archive marks what it rewrote
        slices[4].PixelData = slices[4].PixelData[:-100]
    source = source_of(read_study(save(tmp_path, *slices)).series[0])
    left_out: Counter[str] = Counter()
    images = dict(source.images(left_out))
    denoised = DenoisedSeries(
        source,
        Originals(source, images),
        {key: image.values.copy() for key, image in images.items()},
        FitSummary((RECORD,), left_out, {}, 0.0),
    )
    checked = CheckedSeries(denoised, (60.0,), dict.fromkeys(images, (assessment(),)))
    (plan,) = plan_series(checked, "0.1", DerivedSettings(), frozenset())
    page = report_of(checked, plan).html
    assert ("compressed with loss" in page) is noted
    assert ("1 images: pixel data in transfer syntax" in page) is noted
