"""Geometry: volumes are found by position and by what differs, whatever the order of the files."""

from pathlib import Path

import numpy as np
import pytest
from dicom_builders import enhanced, file_meta, image_series, image_slice, save
from pydicom.dataset import Dataset

from operators.dicom.errors import (
    ImageKindError,
    MissingAttributeError,
    OwnOutputError,
    Refusal,
)
from operators.dicom.geometry import Stack, stacks_of
from operators.dicom.identity import MODEL_NAME
from operators.dicom.reading import read_study
from operators.dicom.volume_errors import RepeatedPositionError

MINIMUM = 3


def stacks(folder: Path, *datasets: Dataset) -> tuple[Stack, ...]:
    return stacks_of(read_study(save(folder, *datasets)).series[0], MINIMUM)


def heights(stack: Stack) -> list[float]:
    return [float(place.instance.header.ImagePositionPatient[2]) for place in stack.places]


def moved(modality: str, positions: list[float], **changes: object) -> list[Dataset]:
    """One slice per height; slices at one height follow one another in number."""
    return [
        image_slice(modality, index, ImagePositionPatient=[0, 0, height], **changes)
        for index, height in enumerate(positions)
    ]


def test_slices_are_ordered_along_the_normal_whatever_the_files_say(tmp_path: Path) -> None:
    slices = image_series("CT", 6)
    for number, made in enumerate(slices):
        made.InstanceNumber = 100 - number
    (forward,), (backward,) = stacks(tmp_path / "f", *slices), stacks(tmp_path / "b", *slices[::-1])
    assert heights(forward) == heights(backward) == [0, 2, 4, 6, 8, 10]
    assert forward.spacing == (2.0, 0.5, 0.75)
    assert forward.label == ""


@pytest.mark.parametrize(
    "orientation", [[0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1], [0.8, 0.6, 0, 0, 0, -1], [-1, 0, 0, 0, -1, 0]]
)
def test_sagittal_coronal_oblique_and_feet_first(tmp_path: Path, orientation: list[float]) -> None:
    normal = np.cross(orientation[:3], orientation[3:])
    slices = [
        image_slice("MR", i, ImageOrientationPatient=orientation, ImagePositionPatient=list(3.0 * i * normal))
        for i in range(4)
    ]
    (stack,) = stacks(tmp_path, *slices[::-1])
    assert stack.spacing[0] == pytest.approx(3)
    assert [place.instance.uid for place in stack.places] == [made.SOPInstanceUID for made in slices]


def test_bed_seams_and_jitter_are_one_volume(tmp_path: Path) -> None:
    steps = [3.27, 3.29, 3.27, 3.19, 3.27, 3.27]
    (stack,) = stacks(tmp_path, *moved("PT", list(np.cumsum([0, *steps]).round(3))))
    assert len(stack.places) == 7
    assert stack.spacing[0] == pytest.approx(3.27)


def test_gantry_tilt_is_one_volume(tmp_path: Path) -> None:
    (stack,) = stacks(tmp_path, *moved("CT", [0, 5, 10, 15], ImageOrientationPatient=[1, 0, 0, 0, 0.9483, -0.3173]))
    assert stack.spacing[0] == pytest.approx(5 * 0.9483, rel=1e-3)


def test_missing_middle_slice_splits_where_both_parts_can_stand_alone(tmp_path: Path) -> None:
    below, above = stacks(tmp_path, *moved("CT", [0, 2, 4, 8, 10, 12]))
    assert heights(below) == [0, 2, 4]
    assert heights(above) == [8, 10, 12]
    assert below.label == "part 1 of 2"


def test_a_small_part_beyond_a_missing_slice_is_a_volume_of_its_own(tmp_path: Path) -> None:
    below, above = stacks(tmp_path, *moved("CT", [0, 2, 4, 6, 8, 12, 14]))
    assert (heights(below), heights(above)) == ([0, 2, 4, 6, 8], [12, 14])


def test_zones_of_other_spacing_are_volumes(tmp_path: Path) -> None:
    wide, narrow = stacks(tmp_path, *moved("CT", [0, 5, 10, 15, 20, 21, 22, 23, 24, 25]))
    assert heights(wide) == [0, 5, 10, 15, 20]
    assert heights(narrow) == [21, 22, 23, 24, 25]
    assert (wide.spacing[0], narrow.spacing[0]) == (5, 1)
    assert narrow.label == "part 2 of 2"


def test_zones_too_small_to_stand_alone_stay_in_one_volume(tmp_path: Path) -> None:
    (stack,) = stacks(tmp_path, *moved("CT", [0, 4, 8, 12, 13, 14]))
    assert len(stack.places) == 6


def test_a_short_step_between_zones_of_a_tilted_gantry(tmp_path: Path) -> None:
    along = [0, 4, 8, 12, 13.08, 20.08, 27.08, 34.08]
    tilted = moved("CT", along, ImageOrientationPatient=[1, 0, 0, 0, 0.9483, -0.3173], SliceThickness=4)
    below, above = stacks(tmp_path, *tilted)
    assert (heights(below), heights(above)) == (along[:4], along[4:])
    assert below.spacing[0] == pytest.approx(4 * 0.9483, rel=1e-3)


def test_blocks_that_overlap_are_volumes(tmp_path: Path) -> None:
    lower, upper = [0, 4, 8, 12, 16, 20], [10, 14, 18, 22, 26, 30]
    first, second = stacks(tmp_path / "between", *moved("CT", lower + upper))
    assert (heights(first), heights(second)) == (lower, upper)
    upper = [12, 16, 20, 24, 28, 32]
    first, second = stacks(tmp_path / "same", *moved("CT", lower + upper))
    assert (heights(first), heights(second)) == (lower, upper)
    assert second.label == "block 2 of 2"


def test_packs_that_interleave_evenly_are_one_volume_and_else_two(tmp_path: Path) -> None:
    (whole,) = stacks(tmp_path / "evenly", *moved("MR", [0, 4, 8, 12, 2, 6, 10, 14]))
    assert heights(whole) == [0, 2, 4, 6, 8, 10, 12, 14]
    first, second = stacks(tmp_path / "unevenly", *moved("MR", [0, 5, 10, 15, 2, 7, 12, 17]))
    assert (heights(first), heights(second)) == ([0, 5, 10, 15], [2, 7, 12, 17])


def test_slices_acquired_in_turns_do_not_hide_a_missing_one(tmp_path: Path) -> None:
    whole, last = stacks(tmp_path, *moved("MR", [0, 4, 8, 12, 2, 6, 10, 14, 18]))
    assert (len(whole.places), heights(last)) == (8, [18])


@pytest.mark.parametrize(("spacing", "neighbours"), [(4, True), (5, True), (5.1, False), (36, False)])
def test_spacing_over_thickness_makes_neighbours(tmp_path: Path, spacing: float, neighbours: bool) -> None:
    slices = moved("MR", [spacing * index for index in range(5)], SliceThickness=2)
    found = stacks(tmp_path, *slices)
    assert [len(stack.places) for stack in found] == ([5] if neighbours else [1] * 5)
    assert {stack.spacing[0] for stack in found} == {spacing if neighbours else 2.0}


def test_slices_without_a_thickness_are_neighbours(tmp_path: Path) -> None:
    assert len(stacks(tmp_path, *moved("MR", [0, 9, 18, 27], SliceThickness=None))) == 1


def test_every_gap_begins_a_volume_however_few_slices_it_leaves(tmp_path: Path) -> None:
    found = stacks(tmp_path, *moved("CT", [0, 2, 4, 6, 10, 14, 16, 18, 20, 24]))
    assert [heights(stack) for stack in found] == [[0, 2, 4, 6], [10], [14, 16, 18, 20], [24]]


def test_a_jump_within_the_plane_is_a_gap(tmp_path: Path) -> None:
    slices = image_series("MR", 6)
    for made in slices[3:]:
        made.ImagePositionPatient[0] += 40
    assert len(stacks(tmp_path, *slices)) == 2


@pytest.mark.parametrize(
    ("keyword", "values", "label"),
    [
        ("EchoTime", [4.6, 9.2], "echo time (ms) 9.2"),
        ("TemporalPositionIdentifier", [1, 2, 3], "time point 2"),
        ("AcquisitionNumber", [1, 2], "acquisition 2"),
        ("AcquisitionTime", ["090000", "090100"], "acquisition 2 of 2"),
        ("ImageType", [["ORIGINAL", "PRIMARY", "W"], ["ORIGINAL", "PRIMARY", "F"]], "image type 2 of 2"),
    ],
)
def test_volumes_of_one_series_are_distinguished(
    tmp_path: Path, keyword: str, values: list[object], label: str
) -> None:
    slices = []
    for value in values:
        for height in range(4):
            slices.append(image_slice("MR", len(slices), ImagePositionPatient=[0, 0, 2 * height], **{keyword: value}))
    found = stacks(tmp_path, *slices[::-1])
    assert [heights(stack) for stack in found] == [[0, 2, 4, 6]] * len(values)
    assert found[1].label == label


def test_trigger_times_of_each_slice_order_the_gates(tmp_path: Path) -> None:
    slices = []
    for gate in range(3):
        for height in range(4):
            trigger = 30 * gate + height / 10
            slices.append(
                image_slice("MR", len(slices), ImagePositionPatient=[0, 0, 2 * height], TriggerTime=str(trigger))
            )
    found = stacks(tmp_path, *slices)
    assert [stack.label for stack in found] == ["volume 1 of 3", "volume 2 of 3", "volume 3 of 3"]
    triggers = [float(place.instance.header.TriggerTime) for place in found[1].places]
    assert triggers == [30, 30.1, 30.2, 30.3]


def test_repeated_positions_that_nothing_distinguishes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RepeatedPositionError, match="5 slices share 4 positions"):
        stacks(tmp_path, *moved("CT", [0, 2, 4, 6, 6]))


@pytest.mark.parametrize(
    ("image_type", "name"),
    [
        (["ORIGINAL", "PRIMARY", "LOCALIZER"], "localizer"),
        (["ORIGINAL", "PRIMARY", "M", "MOSAIC"], "mosaic"),
        (["DERIVED", "SECONDARY", "MIP"], "projection"),
        (["ORIGINAL", "PRIMARY", "P", "ND"], "phase"),
        (["ORIGINAL", "PRIMARY", "REAL"], "real"),
    ],
)
def test_kinds_refused_by_name(tmp_path: Path, image_type: list[str], name: str) -> None:
    with pytest.raises(ImageKindError, match=name):
        stacks(tmp_path, *image_series("MR", 4, ImageType=image_type))


def test_phase_images_are_left_out_of_a_mixed_series(tmp_path: Path) -> None:
    phase = [image_slice("MR", 10 + i, ImagePositionPatient=[0, 0, 2 * i], ImageType=["O", "P", "P"]) for i in range(4)]
    (stack,) = stacks(tmp_path, *image_series("MR", 4), *phase)
    assert len(stack.places) == 4
    assert all(place.instance.header.ImageType[2] == "AXIAL" for place in stack.places)


def test_colour_and_float_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageKindError, match="colour"):
        stacks(tmp_path / "a", *image_series("CT", 3, PhotometricInterpretation="RGB", SamplesPerPixel=3))
    with pytest.raises(ImageKindError, match="64 bits"):
        stacks(tmp_path / "b", *image_series("MR", 3, BitsAllocated=64, BitsStored=64))


def test_our_own_output_is_refused(tmp_path: Path) -> None:
    equipment = Dataset()
    equipment.ManufacturerModelName = MODEL_NAME
    with pytest.raises(OwnOutputError):
        stacks(tmp_path, *image_series("CT", 4, ContributingEquipmentSequence=[equipment]))


def test_an_absent_position_is_named(tmp_path: Path) -> None:
    slices = image_series("CT", 4)
    del slices[1].ImagePositionPatient
    with pytest.raises(MissingAttributeError, match="ImagePositionPatient"):
        stacks(tmp_path, *slices)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_slices_are_a_volume_whether_in_files_of_their_own_or_in_one(tmp_path: Path, count: int) -> None:
    (classic,) = stacks(tmp_path / "classic", *image_series("MR", count))
    (frames,) = stacks(tmp_path / "enhanced", enhanced("MR", count=count))
    assert len(classic.places) == len(frames.places) == count
    assert min(classic.spacing) > 0


def test_enhanced_frames_are_addressed_and_split(tmp_path: Path) -> None:
    found = stacks(tmp_path, enhanced("MR", count=4, times=2))
    assert [[place.frame for place in stack.places] for stack in found] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [stack.label for stack in found] == ["time point 1", "time point 2"]


def test_enhanced_object_without_functional_groups_is_refused(tmp_path: Path) -> None:
    made = enhanced("MR")
    del made.PerFrameFunctionalGroupsSequence
    with pytest.raises(ImageKindError, match="functional groups for 0"):
        stacks(tmp_path, made)


def test_unreadable_elements_of_a_frame_are_refused(tmp_path: Path) -> None:
    made = enhanced("CT")
    for group in made.PerFrameFunctionalGroupsSequence:
        group.PlanePositionSequence[0].private_block(0x0021, "MAKER", create=True).add_new(0x78, "SL", 7)
    save(tmp_path, made)
    whole = (tmp_path / "file0").read_bytes()
    (tmp_path / "file0").write_bytes(whole.replace(b"\x21\x00\x78\x10SL", b"\x21\x00\x78\x10\x43\x2d"))
    with pytest.raises(Refusal, match="PlanePositionSequence"):
        stacks_of(read_study(tmp_path).series[0], MINIMUM)


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "PixelSpacing", "ImageOrientationPatient"])
@pytest.mark.parametrize("value", [b"\xff\xfe", b"nonsense", b"1\\2\\3\\4", b"0\\0\\0\\0\\0\\0", b"inf\\nan\\1", b""])
def test_unreadable_numbers_are_refused(tmp_path: Path, keyword: str, value: bytes) -> None:
    save(tmp_path, *image_series("CT", 4))
    series = read_study(tmp_path).series[0]
    header = series.instances[0].header
    raw = header.get_item(keyword)
    header._dict[raw.tag] = raw._replace(value=value)
    with pytest.raises(Refusal):
        stacks_of(series, MINIMUM)


def test_an_unreadable_sign_of_pixels_is_refused_where_padding_needs_it(tmp_path: Path) -> None:
    save(tmp_path, *image_series("CT", 4, PixelPaddingValue=7))
    short, whole = b"\x28\x00\x03\x01US\x01\x00\x00", b"\x28\x00\x03\x01US\x02\x00\x00\x00"
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes().replace(whole, short))
    series = read_study(tmp_path).series[0]
    with pytest.raises(Refusal, match="PixelRepresentation"):
        stacks_of(series, MINIMUM)


def test_sizes_that_differ_are_volumes_of_their_own(tmp_path: Path) -> None:
    slices = image_series("CT", 3)
    others = [image_slice("CT", 10 + i, ImagePositionPatient=[0, 0, 2 * i], PixelSpacing=[1, 1]) for i in range(3)]
    assert len(stacks(tmp_path, *slices, *(file_meta(made) for made in others))) == 2
