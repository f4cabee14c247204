"""Derived objects: what they keep, replace and drop; shown once per modality by a golden header."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dicom_builders import (
    ENHANCED_CLASSES,
    FRAME_TYPES,
    enhanced,
    file_meta,
    image_series,
    image_slice,
    save,
    speckle,
    through_bytes,
    ultrasound,
)
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from operators.dicom.attributes import KEPT, REMOVED, REPLACED, REPLACED_WITH_PIXELS
from operators.dicom.cine import read_clip
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.deriving import derive_clip_series, derive_volume_series
from operators.dicom.errors import OwnOutputError
from operators.dicom.geometry import stacks_of
from operators.dicom.pixels import read_volume
from operators.dicom.provenance import Provenance
from operators.dicom.reading import Series, read_study

GOLDEN = Path(__file__).parent / "golden"
PROVENANCE = Provenance("NS-N2N", "0.1.0", "abc123", 7, 100.0, "cpu", "float32", "AVX2 in 2 threads", 50)
MODALITIES = ("CT", "MR", "PT", "US", "enhanced MR")


def study(folder: Path, modality: str) -> Path:
    if modality == "US":
        return save(folder, ultrasound(speckle(2), "MONOCHROME2"))
    if modality == "enhanced MR":
        return save(folder, enhanced("MR", count=4, times=2))
    return save(folder, *image_series(modality, 4))


def derive(
    series: Series,
    added: float = 0.0,
    provenance: Provenance = PROVENANCE,
    settings: DerivedSettings | None = None,
    used: frozenset[int] = frozenset(),
) -> Iterator[Dataset]:
    """The derived objects of a series whose denoised values are the source's plus ``added``."""
    if series.modality == "US":
        clips = {instance: read_clip(instance).frames + np.float32(added) for instance in series.instances}
        yield from derive_clip_series(series, clips, provenance, settings or DerivedSettings(), used)
        return
    volumes = {stack: read_volume(stack).voxels + np.float32(added) for stack in stacks_of(series, 3)}
    yield from derive_volume_series(series, volumes, provenance, settings or DerivedSettings(), used)


def only_series(folder: Path) -> Series:
    (series,) = read_study(folder).series
    return series


def first(folder: Path, **how: object) -> Dataset:
    return through_bytes(next(derive(only_series(folder), **how)))  # type: ignore[arg-type]


@pytest.mark.parametrize("modality", MODALITIES)
def test_header_equals_the_golden_one(tmp_path: Path, modality: str) -> None:
    made = first(study(tmp_path, modality), added=1)
    del made.PixelData
    golden = GOLDEN / f"{modality.replace(' ', '_')}.json"
    header = json.dumps(made.to_json_dict(), indent=1, ensure_ascii=False, sort_keys=True)
    assert header == golden.read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("modality", MODALITIES)
def test_uids_and_bytes_repeat_and_the_source_is_untouched(tmp_path: Path, modality: str) -> None:
    folder = study(tmp_path, modality)
    before = {file: hashlib.sha256(file.read_bytes()).digest() for file in folder.iterdir()}
    one, other = list(derive(only_series(folder), added=2)), list(derive(only_series(folder), added=2))
    assert [made.to_json() for made in one] == [made.to_json() for made in other]
    assert {file: hashlib.sha256(file.read_bytes()).digest() for file in folder.iterdir()} == before
    sources = {instance.uid for instance in only_series(folder).instances}
    assert not sources & {made.SOPInstanceUID for made in one}
    assert len({made.SeriesInstanceUID for made in one}) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"strength": 60.0},
        {"seed": 8},
        {"device_kind": "cuda"},
        {"precision": "bfloat16"},
        {"processor": "AVX2 in 1 thread"},
        {"steps_taken": 49},
        {"settings_hash": "abc124"},
        {"version": "0.1.1"},
    ],
)
def test_whatever_decides_the_pixels_decides_the_uids(tmp_path: Path, change: dict[str, object]) -> None:
    folder = study(tmp_path, "CT")
    changed = Provenance(**{**PROVENANCE.__dict__, **change})
    assert first(folder).SOPInstanceUID != first(folder, provenance=changed).SOPInstanceUID
    assert first(folder).SeriesInstanceUID != first(folder, provenance=changed).SeriesInstanceUID


def test_tables_name_attributes_that_exist_and_do_not_contradict() -> None:
    named = (*KEPT, *REMOVED, *REPLACED, *REPLACED_WITH_PIXELS)
    assert all(tag_for_keyword(keyword) is not None for keyword in named)
    assert not KEPT.keys() & REMOVED.keys()
    assert not REPLACED.keys() & REMOVED.keys()
    assert not (REPLACED.keys() | REPLACED_WITH_PIXELS.keys()) & KEPT.keys()


@pytest.mark.parametrize("modality", MODALITIES)
def test_whatever_differs_from_the_source_is_named_in_a_table(tmp_path: Path, modality: str) -> None:
    folder = study(tmp_path, modality)
    source, made = only_series(folder).instances[0].header, first(folder, added=1)
    differing = {
        element.keyword
        for one, other in ((source, made), (made, source))
        for element in one
        if other.get(element.tag) != element
    }
    assert differing <= {*REPLACED, *REPLACED_WITH_PIXELS, *REMOVED}


def test_private_elements_character_set_and_kept_attributes_survive(tmp_path: Path) -> None:
    slices = image_series("CT", 3)
    for made in slices:
        made.private_block(0x0029, "MAKER", create=True).add_new(1, "OB", b"\x01\x02")
        made.IconImageSequence, made.SmallestImagePixelValue = [Dataset()], 0
    made = first(save(tmp_path, *slices))
    assert made.private_block(0x0029, "MAKER")[1].value == b"\x01\x02"
    assert made.PatientName == "Müller^Jörg"
    assert made.SpecificCharacterSet == "ISO_IR 100"
    for keyword in KEPT:
        assert made.get(keyword) == slices[0].get(keyword)
    assert not [keyword for keyword in REMOVED if keyword in made]


def test_series_number_stays_clear_of_those_in_use(tmp_path: Path) -> None:
    folder = study(tmp_path, "CT")
    assert first(folder).SeriesNumber == 1002
    assert first(folder, used=frozenset({1002, 2002})).SeriesNumber == 3002


def test_description_is_cut_and_never_replaced(tmp_path: Path) -> None:
    made = first(save(tmp_path, *image_series("CT", 3, SeriesDescription="x" * 64)))
    assert made.SeriesDescription == "x" * 55 + " denoised"
    weak = Provenance(**{**PROVENANCE.__dict__, "strength": 60.0})
    assert first(tmp_path, provenance=weak).SeriesDescription.endswith("x denoised 60%")
    bare = image_series("MR", 3)
    for made in bare:
        del made.SeriesDescription
    assert first(save(tmp_path / "bare", *bare)).SeriesDescription == "denoised"


def test_earlier_derivation_is_kept_before_ours(tmp_path: Path) -> None:
    made = first(save(tmp_path, *image_series("CT", 3, DerivationDescription="y" * 1024)))
    assert len(made.DerivationDescription) <= 1024
    assert made.DerivationDescription.startswith("yyy")
    assert made.DerivationDescription.endswith(PROVENANCE.description())


def test_own_output_is_refused_when_it_comes_back(tmp_path: Path) -> None:
    derived = [*derive(only_series(study(tmp_path / "in", "CT")))]
    with pytest.raises(OwnOutputError):
        next(derive(only_series(save(tmp_path / "out", *derived))))


def test_pet_keeps_values_where_its_range_grows(tmp_path: Path) -> None:
    folder = save(tmp_path, *image_series("PT", 3))
    series = only_series(folder)
    (stack,) = stacks_of(series, 3)
    voxels = read_volume(stack).voxels
    voxels[1] *= 40
    made = list(derive_volume_series(series, {stack: voxels}, PROVENANCE, DerivedSettings(), frozenset()))
    slopes = [float(each.RescaleSlope) for each in made]
    assert slopes[0] == 0.5
    assert slopes[2] == 0.75
    assert slopes[1] > 0.625
    grown = through_bytes(made[1])
    assert np.abs(grown.pixel_array * float(grown.RescaleSlope) - voxels[1]).max() <= slopes[1] / 2 * 1.001


@pytest.mark.parametrize("modality", ENHANCED_CLASSES)
def test_enhanced_frames_are_described_and_keep_their_slopes(tmp_path: Path, modality: str) -> None:
    frame_types = FRAME_TYPES[modality]
    series = only_series(save(tmp_path, enhanced(modality, count=4, times=2)))
    one, _ = stacks_of(series, 3)
    voxels = read_volume(one).voxels + 10
    (made,) = derive_volume_series(series, {one: voxels}, PROVENANCE, DerivedSettings(), frozenset())
    made = through_bytes(made)
    assert made.ImageType[0] == "MIXED"
    groups = made.PerFrameFunctionalGroupsSequence
    types = [group[frame_types][0].FrameType[0] for group in groups]
    assert types == ["DERIVED"] * 4 + ["ORIGINAL"] * 4
    assert frame_types not in made.SharedFunctionalGroupsSequence[0]
    assert [len(group.DerivationImageSequence) for group in groups] == [1] * 4 + [0] * 4
    assert groups[2].DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber == 3
    source = series.instances[0].header.PerFrameFunctionalGroupsSequence
    for group, before in zip(groups, source, strict=True):
        assert group.PixelValueTransformationSequence == before.PixelValueTransformationSequence
    frames = enhanced(modality, count=4, times=2).pixel_array
    assert np.array_equal(made.pixel_array[4:], frames[4:])
    assert np.array_equal(made.pixel_array[0], frames[0] + 20)


def test_big_endian_source_gives_the_same_as_little_endian(tmp_path: Path) -> None:
    made = image_series("CT", 3)
    (tmp_path / "big").mkdir()
    for number, each in enumerate(made):
        each.add_new("RedPaletteColorLookupTableData", "OW", b"\x01\x02\x03\x04")
        save(tmp_path / "little", each)
        each.PixelData = np.frombuffer(each.PixelData, "<u2").astype(">u2").tobytes()
        each.RedPaletteColorLookupTableData = b"\x02\x01\x04\x03"
        file_meta(each, ExplicitVRBigEndian).save_as(tmp_path / "big" / str(number), enforce_file_format=True)
    little, big = first(tmp_path / "little", added=3), first(tmp_path / "big", added=3)
    assert little == big


def test_one_slice_of_another_series_is_no_part_of_it(tmp_path: Path) -> None:
    save(tmp_path, *image_series("CT", 4), image_slice("CT", 0, series=9))
    sizes = [len(list(derive(series))) for series in read_study(tmp_path).series if len(series.instances) > 1]
    assert sizes == [4]
