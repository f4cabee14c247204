"""Transfer syntaxes and classes that are younger than the libraries: decoded, or refused by their name."""

import base64
from pathlib import Path

import numpy as np
import pytest
from dicom_builders import enhanced, file_meta, image_series, image_slice, named_as, save, stored_values
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2K, UID, HTJ2KLossless, HTJ2KLosslessRPCL, JPEG2000Lossless

from operators.dicom.codestream import announced_size
from operators.dicom.errors import UndecodableError
from operators.dicom.geometry import stacks_of
from operators.dicom.jpeg_xl import SYNTAXES, is_available
from operators.dicom.pixels import read_volume
from operators.dicom.reading import read_study
from operators.dicom.uid_names import (
    CT_FOR_PROCESSING,
    ENHANCED_CT_FOR_PROCESSING,
    JPEG_XL_LOSSLESS,
    LEGACY_CONVERTED_CT_FOR_PROCESSING,
)

# stored_values(0), 6 x 8 of 16 bits, without loss: by OpenJPH, and by libjxl.
HIGH_THROUGHPUT = base64.b85decode(
    "|4;u>04YEK0000800006000000000000008000060000000000009pH0sl|{2mk^A000XAQUDA90ssL31q1{@0smY86Cj9?kdTm&kdTm&kdTmwh"
    "=~7W02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*00000Q2+t|lfVEb_x=S3bN~PVzyK1!01|-y00(pc+5v}j0KfnezyJ~e?f}Ac0NoNZ0KfnyfB;n"
    "hB%vchbpUR++x@^0fxfl?|Je"
)
XL = base64.b85decode(
    "0000CN?1%F4GM<}0000KW^{RQYItlQ00000YItlQ00009YItmH3IG5AENXacWB&>$F#G^TiwFb(09XJ^C?v+W6(l6ZWzqr639tYIFaQHE00"
)


def packed(made: Dataset, stream: bytes, syntax: UID) -> Dataset:
    made.PixelData = encapsulate([stream])
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return file_meta(made, syntax)


def voxels(folder: Path, stream: bytes, syntax: UID) -> np.ndarray:
    for index in range(3):
        made = packed(image_slice("CT", index, RescaleIntercept=0), stream, JPEG2000Lossless)
        named_as(folder, made, syntax)
    (stack,) = stacks_of(read_study(folder).series[0], 3)
    return read_volume(stack).voxels


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K], ids=lambda uid: uid.name)
def test_high_throughput_jpeg_2000_is_decoded(tmp_path: Path, syntax: UID) -> None:
    np.testing.assert_array_equal(voxels(tmp_path, HIGH_THROUGHPUT, syntax), [stored_values(0)] * 3)


def test_jpeg_xl_is_decoded_where_its_decoder_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("imagecodecs")
    for number, syntax in enumerate(sorted(SYNTAXES)):
        np.testing.assert_array_equal(voxels(tmp_path / str(number), XL, syntax), [stored_values(0)] * 3)


@pytest.mark.skipif(is_available(), reason="its decoder is installed")
def test_jpeg_xl_is_else_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(UndecodableError, match="transfer syntax JPEG XL Lossless cannot be decoded"):
        voxels(tmp_path, XL, JPEG_XL_LOSSLESS)


def test_the_size_that_a_jpeg_xl_codestream_announces() -> None:
    assert announced_size(XL) == (6, 8)
    assert announced_size(b"\xff\x0a" + (0b000_00000_1).to_bytes(16, "little")) == (8, 8 * 1)
    square = 0 | (0b01 << 1) | (511 << 3) | (1 << 16)  # no multiple of 8, 13 bits, 512 rows, as many columns
    assert announced_size(b"\xff\x0a" + square.to_bytes(16, "little")) == (512, 512)


@pytest.mark.parametrize("sop_class", [ENHANCED_CT_FOR_PROCESSING, LEGACY_CONVERTED_CT_FOR_PROCESSING])
def test_enhanced_ct_for_processing_is_a_ct(tmp_path: Path, sop_class: UID) -> None:
    series = read_study(save(tmp_path, file_meta(enhanced("CT", 4, SOPClassUID=sop_class)))).series[0]
    assert series.modality == "CT"
    assert len(stacks_of(series, 3)[0].places) == 4


def test_ct_for_processing_is_a_ct_and_keeps_its_class(tmp_path: Path) -> None:
    slices = image_series("CT", 4, SOPClassUID=CT_FOR_PROCESSING, PresentationIntentType="FOR PROCESSING")
    series = read_study(save(tmp_path, *map(file_meta, slices))).series[0]
    (stack,) = stacks_of(series, 3)
    assert series.modality == "CT"
    assert {place.instance.header.SOPClassUID for place in stack.places} == {CT_FOR_PROCESSING}
