"""Pixels: stored to real to stored is the identity, and a change is written to the nearest stored value."""

from pathlib import Path

import numpy as np
import pytest
from dicom_builders import ROWS, image_series, image_slice, save, set_pixels, stored_values
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from operators.dicom.decoding import repacked, unpacked
from operators.dicom.errors import UndecodableError, UnusableValueError
from operators.dicom.geometry import stacks_of
from operators.dicom.mappings import Linear, Table
from operators.dicom.pixels import FrameScale, Volume, frame_scales, read_volume
from operators.dicom.reading import Instance, read_study


def header(bits: int, signed: bool, allocated: int, shift: int = 0) -> Dataset:
    made = Dataset()
    made.BitsAllocated, made.BitsStored, made.HighBit = allocated, bits, bits - 1 + shift
    made.PixelRepresentation = int(signed)
    return made


@st.composite
def frames(draw: st.DrawFn) -> tuple[FrameScale, np.ndarray]:
    """A frame scale of any depth, sign, slope and padding, and words with dirty unused bits."""
    allocated = draw(st.sampled_from([8, 16, 32]))
    bits = draw(st.integers(2, allocated))
    shift = draw(st.integers(0, allocated - bits))
    signed = draw(st.booleans())
    made = header(bits, signed, allocated, shift)
    words = draw(st.lists(st.integers(0, 2**allocated - 1), min_size=4, max_size=4))
    kind = f"{'i' if signed else 'u'}{allocated // 8}"
    slope = draw(st.floats(1e-6, 1e4)) * draw(st.sampled_from([1, -1]))
    padding = draw(st.none() | st.tuples(st.integers(-5, 2), st.integers(3, 20)))
    scale = FrameScale(made, Linear(slope, draw(st.floats(-1e4, 1e4))), padding)
    return scale, np.array(words, np.uint64).astype(f"u{allocated // 8}").view(kind).reshape(2, 2)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(frames())
def test_no_change_gives_the_same_words(frame: tuple[FrameScale, np.ndarray]) -> None:
    scale, words = frame
    real = scale.mapping.real(unpacked(words, scale.header)).astype(np.float32)
    assert np.array_equal(scale.changed(words, real), words)
    new, grown = scale.regrown(words, real)
    assert grown is None
    assert np.array_equal(new, words)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(frames(), st.integers(0, 2**32 - 1))
def test_padding_and_unused_bits_never_change(frame: tuple[FrameScale, np.ndarray], seed: int) -> None:
    scale, words = frame
    stored = unpacked(words, scale.header)
    noise = np.random.default_rng(seed).standard_normal(words.shape) * abs(scale.mapping.slope) * 10
    new = scale.changed(words, (scale.mapping.real(stored) + noise).astype(np.float32))
    valid = scale.valid(stored)
    assert np.array_equal(new[~valid], words[~valid])
    assert scale.valid(unpacked(new, scale.header))[valid].all()
    cleared = [repacked(each, np.zeros_like(stored), scale.header) for each in (words, new)]
    assert np.array_equal(*cleared)


def test_values_are_rounded_to_the_nearest_and_clipped() -> None:
    scale = FrameScale(header(12, False, 16), Linear(2, -10), None)
    words = np.array([[100, 100, 100, 0, 4095]], np.uint16)
    change = np.array([[1.1, 2.9, -1.1, -50, 50]], np.float32)
    new = scale.changed(words, (scale.mapping.real(words.astype(int)) + change).astype(np.float32))
    assert new.tolist() == [[101, 101, 99, 0, 4095]]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.floats(1e-5, 1e3), st.floats(1.01, 20))
def test_a_grown_slope_keeps_values_to_half_a_step(seed: int, slope: float, growth: float) -> None:
    scale = FrameScale(header(16, True, 16), Linear(slope), None)
    words = np.random.default_rng(seed).integers(0, 32768, (3, 3)).astype(np.int16)
    words[0, 0] = 32767
    real = (words * slope * growth).astype(np.float32)
    new, grown = scale.regrown(words, real)
    assert grown is not None
    assert np.abs(new * grown.slope - real).max() <= grown.slope / 2 * (1 + 1e-6) + 1e-6 * np.abs(real).max()
    assert len(str(grown.slope)) <= 24


def test_modality_table_and_its_way_back() -> None:
    table = Table(10, np.array([0.0, 1, 3, 7, 20]))
    stored = np.array([9, 10, 11, 12, 13, 14, 15])
    assert table.real(stored).tolist() == [0, 0, 1, 3, 7, 20, 20]
    assert table.moved(stored, np.zeros(7)).tolist() == stored.tolist()
    assert table.moved(np.array([12]), np.array([3.5])).tolist() == [13]


def volume(folder: Path, *datasets: Dataset) -> Volume:
    (stack,) = stacks_of(read_study(save(folder, *datasets)).series[0], 1)
    return read_volume(stack)


def test_real_values_and_slope_of_each_slice(tmp_path: Path) -> None:
    slices = image_series("PT", 4)
    read = volume(tmp_path, *slices[::-1])
    expected = np.stack([made.pixel_array * float(made.RescaleSlope) for made in slices])
    assert np.array_equal(read.voxels, expected.astype(np.float32))
    assert read.voxels.dtype == np.float32
    assert read.valid.all()


def test_negative_values_are_negative_in_every_slice(tmp_path: Path) -> None:
    slices = [image_slice("CT", index) for index in range(3)]
    slices[0] = set_pixels(slices[0], np.full((ROWS, 8), 1024))
    set_pixels(slices[1], np.zeros((ROWS, 8)))
    read = volume(tmp_path, *slices)
    assert read.voxels[0].max() == 0
    assert read.voxels[1].max() == -1024


@pytest.mark.parametrize("limit", [None, -1990])
def test_padding_is_not_valid(tmp_path: Path, limit: int | None) -> None:
    stored = np.full((ROWS, 8), 5)
    stored[0, :3] = [-2000, -1995, -1990]
    slices = [set_pixels(image_slice("CT", index), stored, bits=16, signed=True) for index in range(3)]
    for made in slices:
        made.add_new("PixelPaddingValue", "SS", -2000)
        if limit is not None:
            made.add_new("PixelPaddingRangeLimit", "SS", limit)
    invalid = ~volume(tmp_path, *slices).valid
    assert invalid.sum(axis=(1, 2)).tolist() == [1 if limit is None else 3] * 3


def test_padding_of_an_implicit_file_is_found(tmp_path: Path) -> None:
    stored = np.full((ROWS, 8), 5)
    stored[0, 0] = -2000
    slices = [set_pixels(image_slice("CT", index), stored, bits=16, signed=True) for index in range(3)]
    for number, made in enumerate(slices):
        made.add_new("PixelPaddingValue", "SS", -2000)
        del made.file_meta
        made.save_as(tmp_path / str(number), implicit_vr=True, little_endian=True)
    (stack,) = stacks_of(read_study(tmp_path).series[0], 3)
    assert (~read_volume(stack).valid).sum() == 3


def compressed(syntax: str) -> list[Dataset]:
    slices = [set_pixels(image_slice("CT", i), stored_values(i, (64, 64))) for i in range(3)]
    for made in slices:
        if syntax != ExplicitVRLittleEndian:
            made.compress(syntax, generate_instance_uid=False)
    return slices


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_lossless_syntaxes_decode_to_the_same(tmp_path: Path, syntax: str) -> None:
    assert np.array_equal(
        volume(tmp_path / "a", *compressed(syntax)).voxels,
        volume(tmp_path / "b", *compressed(ExplicitVRLittleEndian)).voxels,
    )


def test_big_endian_decodes_to_the_same(tmp_path: Path) -> None:
    slices = image_series("CT", 3)
    (tmp_path / "a").mkdir()
    for number, made in enumerate(slices):
        swapped = made.copy()
        swapped.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
        swapped.file_meta = made.file_meta.copy() if hasattr(made.file_meta, "copy") else made.file_meta
        swapped.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        swapped.save_as(tmp_path / "a" / str(number), implicit_vr=False, little_endian=False)
    (stack,) = stacks_of(read_study(tmp_path / "a").series[0], 3)
    assert np.array_equal(read_volume(stack).voxels, volume(tmp_path / "b", *image_series("CT", 3)).voxels)


def test_truncated_pixels_are_refused(tmp_path: Path) -> None:
    made = image_slice("CT", 0)
    made.PixelData = made.PixelData[:-10]
    with pytest.raises(UndecodableError, match="truncated"):
        volume(tmp_path, made)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_codestream_larger_than_its_header_is_refused_before_decoding(tmp_path: Path, syntax: str) -> None:
    made = compressed(syntax)[0]
    made.Rows = 63
    with pytest.raises(UndecodableError, match="another size"):
        volume(tmp_path, made)


def test_slope_of_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableValueError, match="RescaleSlope"):
        volume(tmp_path, *image_series("CT", 3, RescaleSlope=0))


def test_monochrome1_keeps_its_values(tmp_path: Path) -> None:
    inverted = volume(tmp_path / "a", *image_series("CT", 3, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(inverted.voxels, volume(tmp_path / "b", *image_series("CT", 3)).voxels)


def test_modality_look_up_table_is_read(tmp_path: Path) -> None:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 16])
    item.add_new("LUTData", "OW", (np.arange(4096) * 3).astype("<u2").tobytes())
    item.ModalityLUTType = "US"
    save(tmp_path, image_slice("MR", 0, ModalityLUTSequence=[item]))
    instance: Instance = read_study(tmp_path).series[0].instances[0]
    (scale,) = frame_scales(instance)
    assert scale.mapping.real(np.array([0, 5, 4095])).tolist() == [0, 15, 12285]
