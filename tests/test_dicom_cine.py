"""Ultrasound: only grey tissue changes, whatever the pixels are stored as."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dicom_builders import SECTOR, US_SIZE, as_jpeg, file_meta, region, save, speckle, through_bytes, ultrasound
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import MPEG4HP41, EnhancedUSVolumeStorage, JPEG2000Lossless, RLELossless

from models.compute import choose_compute
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.volume.ns_n2n_settings import NSN2NSettings
from operators.denoise_ultrasound import denoise
from operators.dicom.cine import read_clip
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.deriving import derive_clip_series
from operators.dicom.errors import ImageKindError, NoTissueError, UndecodableError
from operators.dicom.provenance import Provenance
from operators.dicom.reading import Series, read_study
from operators.messages import SelectedSeries
from operators.quality.gate_settings import GateSettings
from operators.series_costs import Pricing
from operators.sources.finding import source_of
from operators.time_budget import timetable, whole_run

PROVENANCE = Provenance("Speckle2Self", "0.1", "abc", 0, 100.0, "cpu", "float32", "AVX2 in 2 threads", 5)
FRAMES = 6
DOT = (slice(40, 46), slice(40, 46))  # a coloured spot inside the sector


def grey(frames: int) -> Dataset:
    return ultrasound(speckle(frames), "MONOCHROME2")


def coloured(frames: int) -> np.ndarray:
    samples = np.repeat(speckle(frames)[..., None], 3, axis=3)
    samples[(slice(None), *DOT)] = (200, 20, 10)
    return samples


def rgb(frames: int) -> Dataset:
    return ultrasound(coloured(frames), "RGB")


def planar(frames: int) -> Dataset:
    made = rgb(frames)
    made.PixelData = np.moveaxis(coloured(frames), -1, 1).tobytes()
    made.PlanarConfiguration = 1
    return made


def ybr(frames: int) -> Dataset:
    return ultrasound(convert_color_space(coloured(frames), "RGB", "YBR_FULL"), "YBR_FULL")


def ybr_422(frames: int) -> Dataset:
    samples = convert_color_space(coloured(frames), "RGB", "YBR_FULL").reshape(frames, -1, 2, 3)
    made = ybr(frames)
    made.PixelData = np.concatenate([samples[..., 0], samples[:, :, 0, 1:]], axis=-1).tobytes()
    made.PhotometricInterpretation = "YBR_FULL_422"
    return made


def jpeg(frames: int) -> Dataset:
    return as_jpeg(rgb(frames), coloured(frames))


def rle(frames: int) -> Dataset:
    made = rgb(frames)
    made.compress(RLELossless, generate_instance_uid=False)
    return made


def jpeg_2000(frames: int) -> Dataset:
    made = rgb(frames)
    made.PhotometricInterpretation = "YBR_RCT"
    made.compress(JPEG2000Lossless, coloured(frames).squeeze(), generate_instance_uid=False)
    return made


def with_palette(made: Dataset, bits: int) -> Dataset:
    """Indices up to 200 are grey of 200 minus themselves; those above are red."""
    ramp = (200 - np.arange(256)) * (1 if bits == 8 else 257)
    for colour in ("Red", "Green", "Blue"):
        table = ramp.copy()
        table[201:] = 0 if colour != "Red" else ramp.max()
        made.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, bits])
        data = table.astype("u1" if bits == 8 else "<u2").tobytes()
        made.add_new(f"{colour}PaletteColorLookupTableData", "OW", data)
    return made


def palette(bits: int) -> Callable[[int], Dataset]:
    def build(frames: int) -> Dataset:
        indices = 200 - speckle(frames).clip(0, 200)
        indices[(slice(None), *DOT)] = 250
        return with_palette(ultrasound(indices, "PALETTE COLOR"), bits)

    return build


BUILDERS = {
    "MONOCHROME2": grey,
    "RGB": rgb,
    "RGB planar": planar,
    "YBR_FULL": ybr,
    "YBR_FULL_422": ybr_422,
    "JPEG": jpeg,
    "RLE": rle,
    "YBR_RCT": jpeg_2000,
    "palette 8": palette(8),
    "palette 16": palette(16),
}


def series_of(folder: Path, *datasets: Dataset) -> Series:
    (series,) = read_study(save(folder, *datasets)).series
    return series


def derived(series: Series, noise: float) -> Dataset:
    """The derived object of a series of one clip, its denoised frames being the source's plus noise everywhere."""
    (instance,) = series.instances
    clip = read_clip(instance)
    drawn = np.random.default_rng(1).standard_normal(clip.frames.shape).astype(np.float32)
    frames = clip.frames + np.float32(noise * clip.maximum / 255) * drawn
    (made,) = derive_clip_series(series, {instance: frames}, PROVENANCE, DerivedSettings(), frozenset())
    return through_bytes(made)


def shown(dataset: Dataset) -> np.ndarray:
    pixels = pixel_array(dataset, raw=dataset.PhotometricInterpretation == "PALETTE COLOR")
    return pixels.reshape(-1, US_SIZE, US_SIZE, *([3] if dataset.SamplesPerPixel == 3 else []))


@pytest.mark.parametrize("frames", [1, FRAMES])
@pytest.mark.parametrize("kind", BUILDERS)
def test_pixels_outside_the_tissue_are_bit_identical(tmp_path: Path, kind: str, frames: int) -> None:
    series = series_of(tmp_path, BUILDERS[kind](frames))
    tissue = read_clip(series.instances[0]).tissue
    before, after = shown(dcmread(tmp_path / "file0")), shown(derived(series, noise=9))
    assert np.array_equal(before[:, ~tissue], after[:, ~tissue])
    assert (before[:, tissue] != after[:, tissue]).mean() > 0.5
    assert tissue[SECTOR].mean() > 0.7
    assert not tissue[:14].any()
    if kind != "MONOCHROME2":
        assert not tissue[DOT].any()


@pytest.mark.parametrize("kind", BUILDERS)
def test_no_change_gives_the_same_pixels(tmp_path: Path, kind: str) -> None:
    series = series_of(tmp_path, BUILDERS[kind](1))
    assert np.array_equal(shown(dcmread(tmp_path / "file0")), shown(derived(series, noise=0)))


@pytest.mark.parametrize("kind", ["MONOCHROME2", "RGB", "RGB planar", "YBR_FULL", "YBR_FULL_422", "palette 16"])
def test_uncompressed_pixel_formats_are_kept(tmp_path: Path, kind: str) -> None:
    source = BUILDERS[kind](FRAMES)
    made = derived(series_of(tmp_path, source), noise=9)
    for keyword in ("PhotometricInterpretation", "PlanarConfiguration", "SamplesPerPixel", "NumberOfFrames"):
        assert made.get(keyword) == source.get(keyword)
    assert len(made.PixelData) == len(source.PixelData)


def test_jpeg_stays_marked_as_lossy(tmp_path: Path) -> None:
    made = derived(series_of(tmp_path, jpeg(2)), noise=9)
    assert made.LossyImageCompression == "01"
    assert made.PhotometricInterpretation == "RGB"
    assert not made.file_meta.TransferSyntaxUID.is_compressed


def test_luminance_changes_and_chroma_stays(tmp_path: Path) -> None:
    series = series_of(tmp_path, ybr(1))
    before, after = dcmread(tmp_path / "file0"), derived(series, noise=9)
    assert np.array_equal(pixel_array(before, raw=True)[..., 1:], pixel_array(after, raw=True)[..., 1:])


def test_regions_bound_the_tissue(tmp_path: Path) -> None:
    made = grey(1)
    made.SequenceOfUltrasoundRegions = [
        region(0, 0, 95, 95, kind=0),
        region(20, 20, 75, 75),
        region(20, 50, 75, 75, spatial=2, kind=3),
    ]
    tissue = read_clip(series_of(tmp_path, made).instances[0]).tissue
    allowed = np.zeros_like(tissue)
    allowed[20:50, 20:76] = True
    assert not tissue[~allowed].any()
    assert tissue[allowed].mean() > 0.95


def test_two_tissue_regions_of_a_dual_image(tmp_path: Path) -> None:
    made = grey(1)
    made.SequenceOfUltrasoundRegions = [region(16, 16, 45, 79), region(50, 16, 79, 79)]
    tissue = read_clip(series_of(tmp_path, made).instances[0]).tissue
    assert tissue[20:70, 20:44].mean() > 0.9
    assert tissue[20:70, 52:78].mean() > 0.9
    assert not tissue[:, 46:50].any()


def test_region_larger_than_its_image_is_not_trusted(tmp_path: Path) -> None:
    made = grey(1)
    made.SequenceOfUltrasoundRegions = [region(40, 40, 300, 300)]
    tissue = read_clip(series_of(tmp_path, made).instances[0]).tissue
    assert tissue[SECTOR].mean() > 0.7


def test_only_doppler_regions_are_refused(tmp_path: Path) -> None:
    made = grey(1)
    made.SequenceOfUltrasoundRegions = [region(16, 16, 79, 79, spatial=3, kind=3)]
    with pytest.raises(NoTissueError, match="no two-dimensional tissue region"):
        read_clip(series_of(tmp_path, made).instances[0])


def test_drawn_cross_and_grey_wedge_inside_the_sector_are_left(tmp_path: Path) -> None:
    samples = speckle()
    samples[0, 40, 30:41] = samples[0, 35:46, 35] = 255
    samples[0, 20:70, 60:72] = np.linspace(250, 30, 50).astype(np.uint8)[:, None]
    tissue = read_clip(series_of(tmp_path, ultrasound(samples, "MONOCHROME2")).instances[0]).tissue
    assert not tissue[40, 30:41].any()
    assert not tissue[35:46, 35].any()
    assert not tissue[20:70, 60:72].any()
    assert tissue[60:75, 20:50].mean() > 0.9


def test_static_panel_beside_a_moving_sector_is_left(tmp_path: Path) -> None:
    moving = np.concatenate([speckle(1, seed) for seed in range(FRAMES)])
    moving[:, 16:80, 84:] = np.random.default_rng(9).integers(30, 200, (64, 12))
    tissue = read_clip(series_of(tmp_path, ultrasound(moving, "MONOCHROME2")).instances[0]).tissue
    assert tissue[SECTOR].mean() > 0.8
    assert not tissue[:, 86:].any()


def test_black_image_has_no_tissue(tmp_path: Path) -> None:
    with pytest.raises(NoTissueError):
        read_clip(series_of(tmp_path, ultrasound(np.zeros((1, 96, 96), np.uint8), "MONOCHROME2")).instances[0])


def test_video_and_unknown_colour_are_refused_with_the_reason(tmp_path: Path) -> None:
    video = file_meta(grey(2), MPEG4HP41)
    stream = io.BytesIO()
    video.PixelData = (
        b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x04\x00\x00\x00abcd\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    )
    video["PixelData"].is_undefined_length = True
    video.save_as(stream, enforce_file_format=True)
    (tmp_path / "video").write_bytes(stream.getvalue())
    with pytest.raises(UndecodableError, match="video"):
        read_clip(read_study(tmp_path).series[0].instances[0])
    odd = ultrasound(coloured(1), "CMYK")
    with pytest.raises((ImageKindError, UndecodableError)):
        read_clip(series_of(tmp_path / "odd", odd).instances[0])


def test_stills_of_one_series_are_clips_of_their_own(tmp_path: Path) -> None:
    stills = [grey(1), grey(1)]
    stills[1].SOPInstanceUID += "1"
    file_meta(stills[1])
    series = series_of(tmp_path, *stills)
    clips = {instance: read_clip(instance).frames for instance in series.instances}
    assert len(list(derive_clip_series(series, clips, PROVENANCE, DerivedSettings(), frozenset()))) == 2


def test_two_sectors_of_a_dual_image_without_regions(tmp_path: Path) -> None:
    both = np.concatenate([speckle(1), speckle(1, seed=1)], axis=2)
    (series,) = read_study(save(tmp_path, ultrasound(both, "MONOCHROME2"))).series
    tissue = read_clip(series.instances[0]).tissue
    middles = tissue[40:56, 40:56].mean(), tissue[40:56, US_SIZE + 40 : US_SIZE + 56].mean()
    assert middles == (1, 1)
    assert not tissue[:, 84:108].any()


SEPIA = np.array([1.0, 0.85, 0.6])


def sepia(frames: int) -> np.ndarray:
    return (speckle(frames)[..., None] * SEPIA).round().astype(np.uint8)


def sepia_palette(frames: int) -> Dataset:
    made = ultrasound(speckle(frames), "PALETTE COLOR")
    for colour, part in zip(("Red", "Green", "Blue"), SEPIA, strict=True):
        made.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, 8])
        made.add_new(f"{colour}PaletteColorLookupTableData", "OW", (np.arange(256) * part).astype("u1").tobytes())
    return made


def as_ybr(samples: np.ndarray) -> Dataset:
    return ultrasound(convert_color_space(samples, "RGB", "YBR_FULL"), "YBR_FULL")


def colours_of(dataset: Dataset) -> np.ndarray:
    """Red, green and blue of each pixel."""
    pixels = shown(dataset)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return (np.arange(256)[:, None] * SEPIA).astype(int)[pixels]
    return pixels.astype(int)


TINTED: dict[str, Callable[[int], Dataset]] = {
    "RGB": lambda frames: ultrasound(sepia(frames), "RGB"),
    "YBR_FULL": lambda frames: as_ybr(sepia(frames)),
    "JPEG": lambda frames: as_jpeg(ultrasound(sepia(frames), "RGB"), sepia(frames)),
    "palette": sepia_palette,
}


@pytest.mark.parametrize("kind", TINTED)
def test_a_tinted_image_is_served_through_its_map(tmp_path: Path, kind: str) -> None:
    series = series_of(tmp_path, TINTED[kind](2))
    before, after = dcmread(tmp_path / "file0"), derived(series, noise=20)
    assert read_clip(series.instances[0]).tissue[SECTOR].mean() > 0.9
    assert np.array_equal(shown(before), shown(derived(series, noise=0)))
    change = (colours_of(after) - colours_of(before))[0][SECTOR]
    assert np.abs(change).max() > 20
    whole = colours_of(after)[0][SECTOR].min(axis=-1) > 0  # no component ends at black
    off = np.abs(change - change[..., :1] * SEPIA)[whole]
    limit = 12 if kind == "JPEG" else 4  # its chroma is smeared between pixels, so that levels have a mean of their own
    assert np.percentile(off, 95) <= limit, np.percentile(off, [50, 90, 95, 99])


def test_flow_in_a_tinted_image_is_untouched(tmp_path: Path) -> None:
    samples = sepia(2)
    samples[(slice(None), *DOT)] = (20, 40, 200)
    series = series_of(tmp_path, ultrasound(samples, "RGB"))
    assert not read_clip(series.instances[0]).tissue[DOT].any()
    after = shown(derived(series, noise=20))
    assert np.array_equal(after[(slice(None), *DOT)], samples[(slice(None), *DOT)])


def test_one_hue_over_grey_is_flow(tmp_path: Path) -> None:
    samples = np.repeat(speckle(2)[..., None], 3, axis=3)
    samples[:, 40:60, 20:70] = sepia(2)[:, 40:60, 20:70]
    clip = read_clip(series_of(tmp_path, ultrasound(samples, "RGB")).instances[0])
    assert not clip.tissue[samples[0].max(axis=-1) - samples[0].min(axis=-1) > 20].any()
    assert clip.tissue[20:36, 20:76].mean() > 0.9


def test_a_large_coloured_banner_beside_a_small_grey_sector_is_no_tint(tmp_path: Path) -> None:
    size, sector = 2 * US_SIZE, (slice(20, 64), slice(20, 64))
    samples = np.zeros((1, size, size, 3), np.uint8)
    samples[0][sector] = speckle(1)[0, 20:64, 20:64, None]
    banner = np.linspace(40, 250, size).astype(np.uint8)[:, None, None] * np.array([0.5, 0.8, 1.0])
    samples[0, :, 80:] = banner.astype(np.uint8)
    clip = read_clip(series_of(tmp_path, ultrasound(samples, "RGB")).instances[0])
    assert clip.tissue[sector].mean() > 0.8
    assert not clip.tissue[:, 76:].any()


def test_a_sector_with_several_colours_for_one_grey_is_refused_by_name(tmp_path: Path) -> None:
    flow = speckle(1)[..., None] * np.where(np.arange(US_SIZE)[:, None, None] % 8 < 4, [1.0, 0.2, 0.1], [0.1, 0.4, 1.0])
    series = series_of(tmp_path, ultrasound(flow.astype(np.uint8), "RGB"))
    with pytest.raises(NoTissueError, match="colour flow"):
        read_clip(series.instances[0])


def test_a_slightly_tinted_image_counts_as_grey(tmp_path: Path) -> None:
    bluish = (speckle(1)[..., None] * np.array([0.97, 0.98, 1.0])).astype(np.uint8)
    (series,) = read_study(save(tmp_path, ultrasound(bluish, "RGB"))).series
    assert read_clip(series.instances[0]).tissue[SECTOR].mean() > 0.9


def test_a_three_dimensional_volume_is_refused_by_name(tmp_path: Path) -> None:
    made = file_meta(ultrasound(speckle(3), "MONOCHROME2", SOPClassUID=EnhancedUSVolumeStorage))
    (series,) = read_study(save(tmp_path, made)).series
    assert "Enhanced US Volume Storage: three-dimensional ultrasound" in str(series.refusal)


def test_a_broken_still_does_not_take_the_others_along(tmp_path: Path) -> None:
    good, dark = grey(1), ultrasound(np.zeros((1, US_SIZE, US_SIZE), np.uint8), "MONOCHROME2", SOPInstanceUID="1.2.3.4")
    (series,) = read_study(save(tmp_path, good, file_meta(dark))).series
    source, settings, compute = source_of(series), Speckle2SelfSettings(steps=1), choose_compute("cpu")
    (time,) = timetable(whole_run(1000), 0, [Pricing(compute, NSN2NSettings(), settings).need(source)])
    found = denoise(SelectedSeries(source, time), settings, GateSettings(), compute, 0)
    assert [instance.uid for instance in found.images] == [good.SOPInstanceUID]
    assert list(found.summary.left_out.values()) == [1]
