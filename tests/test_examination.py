"""Everything that can refuse a series is asked before any fit and before the time is divided."""

import gc
import weakref
from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pytest
from dicom_builders import enhanced, image_series, save, set_pixels, speckle, stored_values, ultrasound
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from models.compute import choose_compute
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.volume.ns_n2n_settings import NSN2NSettings
from operators.dicom.errors import UndecodableError
from operators.dicom.files import END_OF_FRAMES
from operators.dicom.reading_limits import ReadingLimits
from operators.messages import LedgerEntry, SelectedSeries
from operators.select_series import Demands, select
from operators.selection import SelectionSettings
from operators.series_costs import Pricing
from operators.sources.finding import find_sources
from operators.sources.nifti_settings import NiftiSettings
from operators.sources.source import Source
from operators.time_budget import timetable, whole_run

RUN = whole_run(100)
PRICING = Pricing(choose_compute("cpu"), NSN2NSettings(), Speckle2SelfSettings())
SYNTAXES = (RLELossless, JPEGLSLossless, JPEG2000Lossless)


def sources_in(folder: Path) -> tuple[Source, ...]:
    return find_sources(folder, ReadingLimits(), NiftiSettings("MR"))[0]


def source_of(folder: Path, *datasets: Dataset) -> Source:
    (source,) = sources_in(save(folder, *datasets))
    return source


def cut(made: Dataset) -> Dataset:
    """Return the object with fewer pixels than its header says."""
    made.PixelData = made.PixelData[: len(made.PixelData) // 4 * 2]
    return made


def compressed(syntax: str, count: int = 5) -> list[Dataset]:
    slices = [set_pixels(made, stored_values(i, (64, 64))) for i, made in enumerate(image_series("CT", count))]
    for made in slices:
        made.compress(syntax, generate_instance_uid=False)
    return slices


def with_frame(made: Dataset, frame: bytes) -> Dataset:
    made.PixelData = encapsulate([frame])
    return made


def frame_of(made: Dataset) -> bytes:
    return next(generate_frames(made.PixelData, number_of_frames=1))


def refused_kinds(folder: Path) -> None:
    """A map, damage, labels, and ultrasound without tissue, each a series of its own."""
    labels = np.zeros((40, 40))
    labels[5:35, 5:35] = np.repeat(np.arange(1, 11), 3)[:, None]
    save(folder, *image_series("MR", 5, series=11, ImageType=["DERIVED", "PRIMARY", "ADC"]))
    save(folder, *map(cut, image_series("CT", 5, series=14)))
    save(folder, *(set_pixels(made, labels) for made in image_series("MR", 5, series=15)))
    save(folder, ultrasound(np.zeros((2, 96, 96), np.uint8), "MONOCHROME2"))


def test_what_is_refused_takes_no_time(tmp_path: Path) -> None:
    refused_kinds(tmp_path)
    save(tmp_path, *image_series("CT", 6))
    selection = select(sources_in(tmp_path), Demands(SelectionSettings()), RUN, PRICING)
    entries = [outcome for outcome in selection.values() if isinstance(outcome, LedgerEntry)]
    (served,) = (outcome for outcome in selection.values() if isinstance(outcome, SelectedSeries))
    assert served.time == timetable(RUN, PRICING.starting(served.source.voxel_count), [served.time.need])[0]
    assert sorted(entry.reason_code for entry in entries) == [
        "computed-map", "image-kind", "no-tissue", "undecodable-pixels",
    ]  # fmt: skip


def test_a_fault_in_examining_one_series_is_the_outcome_of_that_one_alone(tmp_path: Path) -> None:
    save(tmp_path, *image_series("CT", 5, series=2), *image_series("CT", 5, series=3))
    broken, sound = sources_in(tmp_path)
    del broken.headers[0].SOPClassUID  # as no file can be read
    selection = select((broken, sound), Demands(SelectionSettings()), RUN, PRICING)
    assert isinstance(selection[broken], LedgerEntry)
    assert isinstance(selection[sound], SelectedSeries)


def test_a_damaged_volume_is_left_out_before_the_others_are_fitted(tmp_path: Path) -> None:
    first, second = image_series("MR", 5, EchoTime=10), image_series("MR", 5, EchoTime=20)
    for number, made in enumerate(second):
        made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number + 1}"
    source = source_of(tmp_path, *first, *map(cut, second))
    assert source.refusal is None
    assert len(source.sizes()) == 1
    left_out: Counter[str] = Counter()
    assert len(list(source.images(left_out))) == 1
    assert ["damaged" in reason for reason in left_out] == [True]
    assert left_out.total() == 5


def test_a_damaged_slice_is_as_one_that_is_missing(tmp_path: Path) -> None:
    whole, middle = image_series("CT", 9), 4
    cut(whole[middle])
    (before, after) = source_of(tmp_path / "a", *whole).sizes().values()
    assert before == after


def test_an_enhanced_object_with_a_damaged_frame_is_refused_whole(tmp_path: Path) -> None:
    assert isinstance(source_of(tmp_path, cut(enhanced("MR", 5, times=2))).refusal, UndecodableError)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_compressed_frame_that_breaks_off_is_refused(tmp_path: Path, syntax: str) -> None:
    """JPEG-LS decoders give what they have, and zeros for the rest."""
    slices = compressed(syntax)
    assert source_of(tmp_path / "whole", *slices).refusal is None
    broken = [with_frame(made, frame_of(made)[:-20]) for made in slices]
    assert isinstance(source_of(tmp_path / "broken", *broken).refusal, UndecodableError)


def test_a_frame_that_lost_a_stretch_of_its_middle_is_as_a_slice_that_is_missing(tmp_path: Path) -> None:
    """Lengths of tile parts show it without decoding; other syntaxes have none."""
    slices = compressed(JPEG2000Lossless, 9)
    frame = frame_of(slices[4])
    slices[4] = with_frame(slices[4], frame[: len(frame) // 2] + frame[len(frame) // 2 + 40 :])
    (before, after) = source_of(tmp_path, *slices).sizes().values()
    assert before == after


@pytest.mark.parametrize("fill", [b"", b"\0", b"\xff", b" "])
def test_what_fills_up_a_frame_behind_its_end_is_no_damage(tmp_path: Path, fill: bytes) -> None:
    slices = [with_frame(made, frame_of(made).rstrip(b"\0") + fill) for made in compressed(JPEGLSLossless)]
    assert source_of(tmp_path, *slices).refusal is None


def test_frames_without_a_delimiter_behind_them_are_served(tmp_path: Path) -> None:
    for file in save(tmp_path, *compressed(JPEGLSLossless)).iterdir():
        assert file.read_bytes().endswith(END_OF_FRAMES)
        file.write_bytes(file.read_bytes().removesuffix(END_OF_FRAMES))
    (source,) = sources_in(tmp_path)
    assert source.refusal is None
    assert len(list(source.images(Counter()))) == 1


def test_an_object_of_fewer_frames_than_it_says_is_refused(tmp_path: Path) -> None:
    made = enhanced("CT", 5)
    set_pixels(made, np.stack([stored_values(index, (64, 64)) for index in range(5)]))
    made.compress(RLELossless, generate_instance_uid=False)
    made.PixelData = encapsulate(list(generate_frames(made.PixelData, number_of_frames=5))[:4])
    assert isinstance(source_of(tmp_path, made).refusal, UndecodableError)


def test_spect_stored_as_pet_is_served_in_counts(tmp_path: Path) -> None:
    said = {"Units": "CNTS", "CountsSource": "EMISSION", "DecayCorrection": "NONE", "SeriesType": ["STATIC", "IMAGE"]}
    source = source_of(tmp_path, *image_series("PT", 5, ReconstructionMethod="OSEM", NumberOfSlices=5, **said))
    assert source.refusal is None
    assert (source.method, source.display.unit) == ("volume", "counts")


def test_a_refusal_holds_no_pixels(tmp_path: Path) -> None:
    refused_kinds(tmp_path)
    for source in sources_in(tmp_path):
        assert source.refusal is not None
        assert (source.refusal.__traceback__, source.refusal.__cause__, source.refusal.__context__) == (None,) * 3


def test_clips_without_tissue_are_left_out_one_in_memory_at_a_time(tmp_path: Path) -> None:
    black = ultrasound(np.zeros((2, 96, 96), np.uint8), "MONOCHROME2", SOPInstanceUID="1.2.3.1")
    source = source_of(tmp_path, black, ultrasound(speckle(2), "MONOCHROME2", SOPInstanceUID="1.2.3.2"))
    assert source.refusal is None
    left_out: Counter[str] = Counter()
    (image,) = (weakref.ref(image.values) for _, image in source.images(left_out))
    gc.collect()
    assert image() is None
    assert left_out.total() == 1


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_truncated_nifti_file_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    stored = np.random.default_rng(0).integers(0, 900, (16, 16, 5, 3)).astype(np.int16)
    path = tmp_path / f"a{suffix}"
    nibabel.save(nibabel.Nifti1Image(stored, np.eye(4)), path)
    path.write_bytes(path.read_bytes()[:-200])
    (source,) = sources_in(tmp_path)
    assert "truncated or damaged" in str(source.refusal)


def test_a_nifti_file_of_labels_is_refused(tmp_path: Path) -> None:
    labels = np.zeros((40, 40, 5), np.int16)
    labels[5:35, 5:35] = np.repeat(np.arange(1, 11), 3)[:, None, None]
    nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), tmp_path / "a.nii")
    codes = {source.refusal.reason_code for source in sources_in(tmp_path) if source.refusal}
    assert codes == {"image-kind"}
