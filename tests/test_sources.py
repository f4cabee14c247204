"""Laws that every kind of source keeps, through bytes and back."""

import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from dicom_builders import enhanced, image_series, save, speckle, ultrasound
from pydicom import dcmread

from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.provenance import Provenance
from operators.dicom.reading_limits import ReadingLimits
from operators.sources.finding import find_sources
from operators.sources.image import Image
from operators.sources.nifti import NiftiSettings
from operators.sources.originals import MEMORY_VOXELS, Originals, may_stay
from operators.sources.source import METHOD_OF_MODALITY, Key, Source

PROVENANCE = Provenance("NS-N2N", "0.1", "abc", 0, 60.0, "cpu", "float32", "AVX2 in 2 threads", 5)
NAMING = DerivedSettings()


def slices(folder: Path) -> None:
    save(folder, *image_series("CT", 5))


def two_volumes(folder: Path) -> None:
    save(folder, enhanced("MR", 5, times=2))


def clips(folder: Path) -> None:
    save(
        folder,
        ultrasound(speckle(3), "MONOCHROME2"),
        ultrasound(speckle(1, seed=1), "MONOCHROME2", SOPInstanceUID="1.2.3.99"),
    )


def nifti(folder: Path) -> None:
    folder.mkdir()
    stored = np.random.default_rng(0).integers(0, 900, (6, 7, 5, 2)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(stored, np.diag([2, 3, 4, 1])), folder / "a.nii.gz")


KINDS: tuple[Callable[[Path], None], ...] = (slices, two_volumes, clips, nifti)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    request.param(tmp_path / "in")
    ((source,), unread) = find_sources(tmp_path / "in", ReadingLimits(), NiftiSettings("MR"))
    assert not unread
    return source


def images_of(source: Source) -> dict[Key, Image]:
    return dict(source.images(Counter()))


def test_a_method_is_known_and_nothing_stands_against_it(source: Source) -> None:
    assert source.refusal is None
    assert source.method in METHOD_OF_MODALITY.values()


def test_sizes_are_those_of_the_images_in_their_order(source: Source) -> None:
    images = images_of(source)
    sizes = {key: (len(image.values), image.values[0].size) for key, image in images.items()}
    assert sizes == source.sizes()
    assert list(images) == list(source.sizes())


def test_values_are_float32_and_valid_fits_them(source: Source) -> None:
    for image in images_of(source).values():
        assert image.values.dtype == np.float32
        assert np.broadcast_shapes(image.valid.shape, image.values.shape) == image.values.shape
        assert len(image.spacing) == 3


def test_an_image_read_again_is_the_same_whole_or_in_part(source: Source) -> None:
    held = images_of(source)
    for key, image in held.items():
        for again in (source.read(key), Originals(source).read(key), Originals(source, held).read(key)):
            np.testing.assert_array_equal(again.values, image.values)
            np.testing.assert_array_equal(again.valid, image.valid)
        part = [len(image.values) - 1, 0]
        for again in (source.read(key, part), Originals(source, held).read(key, part)):
            np.testing.assert_array_equal(again.values, image.values[part])
            assert again.valid.ndim == image.valid.ndim


def test_one_image_is_in_memory_at_a_time(source: Source) -> None:
    seen: list[weakref.ref[np.ndarray]] = []
    for _, image in source.images(Counter()):
        assert not [values for values in seen if values() is not None]
        seen.append(weakref.ref(image.values))
        del image
    assert len(seen) == len(source.sizes())


def test_what_is_written_is_what_was_planned_and_all_of_it(source: Source, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    images = {key: image.values for key, image in images_of(source).items()}
    plan = source.plan(PROVENANCE, NAMING, frozenset({source.number or 0}))
    written = source.write(images, plan, out)
    assert (written.series_uid, written.series_number) == (plan.series_uid, plan.series_number)
    assert (written.strength, written.files) == (60, len(list(out.iterdir())))
    assert written.files == source.instance_count


def test_a_report_refers_to_every_object_that_was_written(source: Source, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    images = {key: image.values for key, image in images_of(source).items()}
    plan = source.plan(PROVENANCE, NAMING, frozenset())
    source.write(images, plan, out)
    filed = source.write_pdf(b"%PDF", images, plan, tmp_path)
    assert (filed is not None) is source.takes_pdf
    if filed is not None:
        (report,) = (dcmread(file) for file in tmp_path.glob("*.dcm"))
        derived = [dcmread(file) for file in out.iterdir()]
        referred = {item.ReferencedSOPInstanceUID for item in report.SourceInstanceSequence}
        assert referred == {made.SOPInstanceUID for made in derived}
        assert {item.ReferencedSOPClassUID for item in report.SourceInstanceSequence} == {
            made.SOPClassUID for made in derived
        }


def test_originals_in_memory_cannot_be_written_to(source: Source) -> None:
    held = images_of(source)
    Originals(source, held)
    for image in held.values():
        with pytest.raises(ValueError, match="read-only"):
            image.values[0] = 0


def test_one_volume_stays_in_memory_and_several_while_they_are_small() -> None:
    assert may_stay(1, 100 * MEMORY_VOXELS)
    assert may_stay(2, MEMORY_VOXELS)
    assert not may_stay(2, MEMORY_VOXELS + 1)


def test_a_header_that_does_not_say_how_many_frames_it_has_leaves_the_rest_of_the_study_alone(tmp_path: Path) -> None:
    clips(tmp_path / "in" / "clips")
    slices(tmp_path / "in" / "slices")
    for file in (tmp_path / "in" / "clips").iterdir():
        held = file.read_bytes()
        file.write_bytes(held.replace(b"\x28\x00\x08\x00IS\x02\x003 ", b"\x28\x00\x08\x00IS\x02\x00x "))
    found, _ = find_sources(tmp_path / "in", ReadingLimits(), NiftiSettings())
    counts = {source.modality: source.voxel_count for source in found}
    rows, columns = speckle(1).shape[1:3]
    assert counts["US"] == rows * columns
    assert counts["CT"] > 0
