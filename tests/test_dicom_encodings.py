"""Header and encoding that contradict each other: what can be read is written, what cannot is known before a fit."""

import io
from pathlib import Path

import numpy as np
import pytest
from dicom_builders import as_jpeg, enhanced, file_meta, image_series, image_slice, named_as, save, speckle, ultrasound
from highdicom._standard_utils import get_iod_module_map, get_sop_class_iod_map
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from operators.dicom.cine import read_clip
from operators.dicom.classes import CLIPS, MODALITY_OF_CLASS
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.deriving import derive_volume_series
from operators.dicom.errors import ConflictingDuplicatesError, MissingAttributeError, UnwritableError
from operators.dicom.geometry import stacks_of
from operators.dicom.pixels import read_volume
from operators.dicom.provenance import Provenance
from operators.dicom.reading import read_study
from operators.dicom.reading_limits import ReadingLimits
from operators.dicom.study import Series
from operators.dicom.unwritable import definition_of

PROVENANCE = Provenance("NS-N2N", "0", "settings", 0, 100.0, "cpu", "float32", "AVX2 in 2 threads", 1)


def derive(series: Series) -> list[Dataset]:
    denoised = {stack: read_volume(stack).voxels + 1 for stack in stacks_of(series, 3)}
    return list(derive_volume_series(series, denoised, PROVENANCE, DerivedSettings(), frozenset()))


def only_series(folder: Path, limits: ReadingLimits | None = None) -> Series:
    (series,) = read_study(folder, limits).series
    return series


def in_syntax(made: Dataset, syntax: UID) -> Dataset:
    if syntax == ExplicitVRBigEndian:
        made.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
    if syntax == RLELossless:
        made.compress(RLELossless, generate_instance_uid=False)
        return made
    return file_meta(made, syntax)


CONTRADICTIONS = [
    (ImplicitVRLittleEndian, ExplicitVRLittleEndian),
    (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
    (ExplicitVRBigEndian, ExplicitVRLittleEndian),
    (ExplicitVRLittleEndian, ExplicitVRBigEndian),
    (ImplicitVRLittleEndian, ExplicitVRBigEndian),
    (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian),
    (ExplicitVRLittleEndian, JPEG2000Lossless),
    (ImplicitVRLittleEndian, JPEGBaseline8Bit),
]


@pytest.mark.parametrize(("real", "label"), CONTRADICTIONS, ids=lambda uid: uid.name)
def test_what_can_be_read_is_written_in_the_encoding_that_was_found(tmp_path: Path, real: UID, label: UID) -> None:
    for made in image_series("CT", 4):
        made.private_block(0x0029, "MAKER", create=True).add_new(1, "LO", "kept")
        named_as(tmp_path / "wrong", in_syntax(made, real), label)
        made = image_slice("CT", int(made.InstanceNumber) - 1)
        made.private_block(0x0029, "MAKER", create=True).add_new(1, "LO", "kept")
        save(tmp_path / "right", in_syntax(made, real))
    wrong, right = derive(only_series(tmp_path / "wrong")), derive(only_series(tmp_path / "right"))
    assert wrong == right
    assert not only_series(tmp_path / "wrong").attributes_left_out
    stream = io.BytesIO()
    wrong[0].save_as(stream, enforce_file_format=True)
    stream.seek(0)
    assert dcmread(stream).pixel_array.shape == (6, 8)


def test_compressed_pixels_labelled_uncompressed_are_decoded_by_their_codestream(tmp_path: Path) -> None:
    colour = np.repeat(speckle(2)[..., None], 3, axis=3)
    save(tmp_path / "right", as_jpeg(ultrasound(colour, "RGB"), colour))
    named_as(tmp_path / "wrong", as_jpeg(ultrasound(colour, "RGB"), colour), ExplicitVRLittleEndian)
    clips = [read_clip(only_series(tmp_path / name).instances[0]) for name in ("right", "wrong")]
    np.testing.assert_array_equal(clips[0].frames, clips[1].frames)


OPTIONAL, REQUIRED = 0x00189306, 0x00280102  # SingleCollimationWidth of 8 bytes, HighBit of 2


def with_short_value(folder: Path, tag: int, size: int) -> Series:
    """Implicit objects, one of which holds a number that is a byte too short: it cannot be written as explicit."""
    slices = [file_meta(made, ImplicitVRLittleEndian) for made in image_series("CT", 4, SingleCollimationWidth=0.625)]
    save(folder, *slices)
    whole = (folder / "file2").read_bytes()
    name = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
    start = whole.index(name + size.to_bytes(4, "little"), 132)
    value = whole[start + 8 : start + 7 + size]
    short = name + (size - 1).to_bytes(4, "little") + value
    (folder / "file2").write_bytes(whole[:start] + short + whole[start + 8 + size :])
    return only_series(folder)


def test_an_attribute_of_type_3_that_cannot_be_written_is_left_out_and_named(tmp_path: Path) -> None:
    series = with_short_value(tmp_path, OPTIONAL, 8)
    assert series.attributes_left_out == {"SingleCollimationWidth (0018,9306)": 1}
    derived = derive(series)
    assert len(derived) == 4
    assert ["SingleCollimationWidth" in made for made in derived] == [True, True, False, True]


def test_a_private_attribute_that_cannot_be_written_is_named_by_its_tag_alone(tmp_path: Path) -> None:
    slices = image_series("CT", 4)
    slices[1].private_block(0x0029, "MAKER", create=True).add_new(1, "US", 7)
    save(tmp_path, *slices)
    whole = (tmp_path / "file1").read_bytes()
    odd = whole.replace(b"\x29\x00\x01\x10US\x02\x00\x07\x00", b"\x29\x00\x01\x10FD\x02\x00\x07\x00")
    (tmp_path / "file1").write_bytes(odd)
    series = only_series(tmp_path)
    assert not series.attributes_left_out  # its bytes are written again as they are
    assert len(derive(series)) == 4
    slices = [file_meta(made, ExplicitVRBigEndian) for made in slices]
    for made in slices:
        save(tmp_path / "big", in_syntax(made, ExplicitVRBigEndian))
    whole = (tmp_path / "big" / "file1").read_bytes()
    odd = whole.replace(b"\x00\x29\x10\x01US\x00\x02\x00\x07", b"\x00\x29\x10\x01FD\x00\x02\x00\x07")
    (tmp_path / "big" / "file1").write_bytes(odd)
    assert only_series(tmp_path / "big").attributes_left_out == {"(0029,1001)": 1}


def test_an_attribute_of_type_1_or_2_that_cannot_be_written_refuses_the_series_by_its_name(tmp_path: Path) -> None:
    series = with_short_value(tmp_path, REQUIRED, 2)
    with pytest.raises(UnwritableError, match=r"HighBit \(0028,0102\) must be there"):
        series.check()


def test_a_sequence_that_the_writer_reads_is_tried_before_a_fit(tmp_path: Path) -> None:
    slices = image_series("CT", 4)
    save(tmp_path, *slices)
    whole = (tmp_path / "file1").read_bytes()
    sequence = Tag(0x00089215).group.to_bytes(2, "little") + Tag(0x00089215).element.to_bytes(2, "little")
    place = whole.index(b"\x10\x00\x10\x00PN")
    (tmp_path / "file1").write_bytes(whole[:place] + sequence + b"LO\x02\x00no" + whole[place:])
    series = only_series(tmp_path)
    assert series.attributes_left_out == {"DerivationCodeSequence (0008,9215)": 1}
    assert len(derive(series)) == 4


def test_sop_uids_are_taken_from_the_file_meta_information(tmp_path: Path) -> None:
    slices = image_series("CT", 4)
    uids = [made.SOPInstanceUID for made in slices]
    for made in slices:
        named = made.file_meta
        del made.SOPInstanceUID, made.SOPClassUID
        made.file_meta = named
        save(tmp_path, made)
    series = only_series(tmp_path)
    assert [instance.uid for instance in series.instances] == uids
    assert [made.SourceImageSequence[0].ReferencedSOPInstanceUID for made in derive(series)] == uids


NEW = ReadingLimits(absent_uids="new")


@pytest.mark.parametrize(
    "absent", [("StudyInstanceUID",), ("SeriesInstanceUID",), ("StudyInstanceUID", "SeriesInstanceUID")]
)
def test_absent_uids_of_study_and_series_are_given_where_the_setting_allows(tmp_path: Path, absent: tuple[str]) -> None:
    slices = image_series("CT", 4)
    for made in slices:
        for keyword in absent:
            delattr(made, keyword)
    save(tmp_path, *slices)
    series = only_series(tmp_path, NEW)
    assert len(series.instances) == 4
    assert (series.uid, series.study_uid) == (only_series(tmp_path, NEW).uid, only_series(tmp_path, NEW).study_uid)
    derived = derive(series)
    assert {made.StudyInstanceUID for made in derived} == {series.study_uid}
    assert series.study_uid.startswith("2.25.") == ("StudyInstanceUID" in absent)
    refused = read_study(tmp_path)
    reasons = [unread.reason for unread in refused.unread] + [str(each.refusal) for each in refused.series]
    assert all("set limits.absent_uids to 'new'" in reason for reason in reasons)
    for each in refused.series:
        assert isinstance(each.refusal, MissingAttributeError)


def test_copies_in_other_transfer_syntaxes_are_one_image_whatever_else_was_rewritten(tmp_path: Path) -> None:
    slices, packed = image_series("CT", 4), image_slice("CT", 0, RetrieveAETitle="OTHER")
    save(tmp_path, in_syntax(packed, RLELossless), *slices)
    series = only_series(tmp_path)
    assert series.refusal is None
    assert [str(instance.header.file_meta.TransferSyntaxUID) for instance in series.instances] == [
        ExplicitVRLittleEndian
    ] * 4
    save(tmp_path, in_syntax(image_slice("CT", 1, RescaleIntercept=-1000), RLELossless))
    assert isinstance(only_series(tmp_path).refusal, ConflictingDuplicatesError)


def test_a_damaged_copy_gives_way_to_one_that_can_be_decoded(tmp_path: Path) -> None:
    save(tmp_path, *image_series("CT", 4))
    whole = (tmp_path / "file0").read_bytes()
    (tmp_path / "damaged").write_bytes(whole[:-40])
    series = only_series(tmp_path)
    assert series.refusal is None
    assert len(derive(series)) == 4


def test_lossy_input_is_known(tmp_path: Path) -> None:
    assert not only_series(save(tmp_path / "a", *image_series("CT", 3))).lossy
    assert only_series(save(tmp_path / "b", *image_series("CT", 3, LossyImageCompression="01"))).lossy
    colour = np.repeat(speckle(2)[..., None], 3, axis=3)
    made = as_jpeg(ultrasound(colour, "RGB"), colour)
    del made.LossyImageCompression
    assert only_series(save(tmp_path / "c", made)).lossy


def test_enhanced_objects_are_tried_whole(tmp_path: Path) -> None:
    assert not only_series(save(tmp_path, enhanced("MR", 4))).attributes_left_out


@pytest.mark.parametrize("nested", [False, True])
def test_an_element_within_functional_groups_that_cannot_be_written_refuses_the_series(
    tmp_path: Path, nested: bool
) -> None:
    made = enhanced("MR", 4)
    shared = made.SharedFunctionalGroupsSequence[0]
    (shared.MRImageFrameTypeSequence[0] if nested else shared).private_block(0x0021, "MAKER", create=True).add_new(
        0x78, "SL", 7
    )
    save(tmp_path, made)
    whole, implicit = (tmp_path / "file0").read_bytes(), b"\x21\x00\x78\x10\x04\x00\x00\x00"
    (tmp_path / "file0").write_bytes(whole.replace(b"\x21\x00\x78\x10SL\x04\x00", implicit))
    with pytest.raises(UnwritableError, match="SharedFunctionalGroupsSequence"):
        only_series(tmp_path).check()


def test_what_follows_the_pixels_is_kept_or_dropped_without_harm(tmp_path: Path) -> None:
    slices = image_series("CT", 4)
    for made in slices:
        made.private_block(0x7FE1, "MAKER", create=True).add_new(1, "LO", "kept")
    save(tmp_path, *slices)
    whole = (tmp_path / "file1").read_bytes()
    (tmp_path / "file1").write_bytes(whole + b"\xfe\xff\xdd\xe0\0\0\0\0")  # a sequence delimiter astray
    derived = derive(only_series(tmp_path))
    assert [made[0x7FE11001].value for made in derived] == ["kept"] * 4


def test_a_value_representation_that_nobody_knows_is_left_out(tmp_path: Path) -> None:
    save(tmp_path, *image_series("CT", 4, SingleCollimationWidth=0.625))
    whole = (tmp_path / "file0").read_bytes()
    (tmp_path / "file0").write_bytes(whole.replace(b"\x18\x00\x06\x93FD", b"\x18\x00\x06\x93QQ"))
    series = only_series(tmp_path)
    assert series.attributes_left_out == {"SingleCollimationWidth (0018,9306)": 1}
    assert len(derive(series)) == 4


def test_every_class_that_is_denoised_has_a_definition_and_a_retired_one_is_served(tmp_path: Path) -> None:
    assert {definition_of(sop_class) for sop_class in MODALITY_OF_CLASS} <= set(get_iod_module_map())
    retired = next(sop_class for sop_class in CLIPS if sop_class not in get_sop_class_iod_map())
    save(tmp_path, ultrasound(speckle(1), "MONOCHROME2", SOPClassUID=retired, SingleCollimationWidth=0.625))
    whole = (tmp_path / "file0").read_bytes()
    (tmp_path / "file0").write_bytes(whole.replace(b"\x18\x00\x06\x93FD", b"\x18\x00\x06\x93QQ"))
    assert only_series(tmp_path).attributes_left_out == {"SingleCollimationWidth (0018,9306)": 1}


def test_an_unknown_value_representation_in_the_meta_information_is_a_damaged_file(tmp_path: Path) -> None:
    save(tmp_path, image_slice("CT", 0))
    whole = (tmp_path / "file0").read_bytes()
    (tmp_path / "file0").write_bytes(whole.replace(b"\x02\x00\x02\x00UI", b"\x02\x00\x02\x00QQ"))
    assert [unread.reason for unread in read_study(tmp_path).unread] == ["a damaged DICOM file"]
