"""What a GPU is asked for: few and large operations, and no value read back inside a loop."""

import math
from collections import Counter

import numpy as np
import pytest
import torch

from bench.launches import InLine, Launches
from models import side_by_side
from models.compute import PROCESSOR, Compute
from models.fitting import FitContext
from models.training_loop import fit
from models.ultrasound import coherence, retrieval
from models.ultrasound.despeckling import CHANNELS
from models.ultrasound.speckle_loss import TransplantLoss
from models.ultrasound.speckle_network import ScaleMixer
from models.volume.initial import block_matching, block_shrinkage
from models.volume.initial.nonlocal_bayes import refine
from models.volume.initial.similar_patches import BRISK, STEADY, THOROUGH, THOROUGH_MR, Search
from models.volume.measured_volume import MeasuredVolume, measure_volume
from models.volume.pairs import PairDrawer
from models.volume.scaling import noise_units
from models.volume.slice_losses import confirmed_loss
from models.volume.slice_network import SliceNetwork
from operators.quality.edges import edge_sums
from operators.quality.local_change import octaves_of, small_changes
from operators.quality.matched_filters import FILTERS
from operators.quality.volume_pair import VolumePair

CONTEXT = FitContext(Compute(torch.device("cpu"), torch.bfloat16), 0, math.inf, math.inf, "test")
LARGE = 300  # slices of 512 x 512, to which launches are scaled
OFFSET, SPECKLE_STEP = 32, 300  # launches of a search offset of a clip, of a step of its fit
PASS, STEP, TRANSFORM = 100_000, 200, 60  # launches of a pass over a large volume, of a step, of a slice's transform
SEARCHED, SEARCH_WAITS = 60, 8  # launches and waits of a filter of the checks in a block of slices


@pytest.fixture(autouse=True)
def batches_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = (retrieval.FRAMES_AT_ONCE, side_by_side.AT_ONCE)
    for sizes in (block_matching.LEADERS, block_shrinkage.BAND, *at_once):
        monkeypatch.setitem(sizes, "cpu", sizes["cuda"])


def measured(slices: int = 12, side: int = 48) -> MeasuredVolume:
    voxels = (40 + 20 * np.random.default_rng(0).standard_normal((slices, side, side))).astype(np.float32)
    return measure_volume(voxels, np.ones(voxels.shape, bool), "CT", noise_units, torch.device("cpu"))


def counted(steps: int) -> Launches:
    volume = measured(side=80)
    torch.manual_seed(0)
    network = SliceNetwork()
    pairs = PairDrawer(volume, volume.scaling.scaled(volume.voxels), gap=1, seed=0)
    with Launches() as counted:
        fit(network, lambda: confirmed_loss(network, pairs.draw(), 1.0), CONTEXT, steps=steps, learning_rate=1e-3)
    return counted


def test_a_step_is_200_launches_at_most_and_waits_for_nothing() -> None:
    few, more = counted(3), counted(5)
    assert (more.launched - few.launched).total() <= 2 * STEP
    assert more.waits - few.waits == Counter()


@pytest.mark.parametrize("search", {*BRISK, *STEADY, *THOROUGH, *THOROUGH_MR})
def test_a_pass_over_a_large_volume_is_few_launches_and_a_layer_one_wait(search: Search) -> None:
    volume, seen = measured(), []
    images = volume.scaling.scaled(volume.voxels[:, 0]).clone()
    for slices in (6, 12):
        part = measured(slices)
        with Launches() as counted:
            refine(images[:slices], part, search, InLine(), CONTEXT)
        seen.append(counted)
    layers = 6 // search.patch[0]
    launches, waits = ((more - few).total() for few, more in zip(*((c.launched, c.waits) for c in seen), strict=True))
    assert launches / layers * LARGE / search.patch[0] <= PASS
    assert waits <= layers
    assert seen[0].waits.total() <= layers + 2  # what is shared by all layers


def test_the_block_transform_waits_for_nothing() -> None:
    volume, slices = measured(), 12
    scaled = [(each, torch.ones_like(each)) for each in volume.scaling.scaled(volume.voxels[:, 0])]
    with Launches() as counted:
        assert len(list(block_shrinkage.shrink(scaled, volume.noise.coefficient_sd, InLine()))) == slices
    assert counted.waits == Counter()
    assert counted.launched.total() <= slices * TRANSFORM


def retrieved(frames: int, offsets: int) -> Launches:
    clip, tissue = torch.randn(frames, 40, 48), torch.ones(40, 48, dtype=torch.bool)
    drawn = retrieval.draw_offsets(offsets, np.random.default_rng(0))
    with Launches() as counted:
        retrieval.retrieve(clip, clip, tissue, drawn, retrieval.Similarity(13, 1.0))
    return counted


def test_retrieval_launches_the_same_for_every_offset_however_many_frames_and_waits_for_nothing() -> None:
    one, more = retrieved(1, 4), retrieved(16, 4)
    assert one.launched == more.launched
    assert (retrieved(16, 5).launched - more.launched).total() <= OFFSET
    assert more.waits == Counter()


def test_retrieval_in_batches_is_that_of_single_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, tissue = torch.randn(8, 40, 48), torch.rand(40, 48) > 0.2
    arguments = clip, clip, tissue, retrieval.offsets_in_time(), retrieval.Similarity(7, 2.0)
    batches = retrieval.retrieve(*arguments)
    monkeypatch.setitem(retrieval.FRAMES_AT_ONCE, "cpu", 1)
    assert torch.allclose(batches, retrieval.retrieve(*arguments), atol=1e-6)


def speckle_fit(steps: int) -> Launches:
    torch.manual_seed(0)
    clip, tissue = torch.randn(2, 160, 160), torch.ones(160, 160, dtype=torch.bool)
    network = ScaleMixer(CHANNELS)
    loss = TransplantLoss(network, clip, tissue, 0, lambda _: 0.5 * clip, frozenset())
    with Launches() as counted:
        fit(network, loss, CONTEXT, steps=steps, learning_rate=1e-3)
    return counted


def test_a_step_on_speckle_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TransplantLoss, "_integer", lambda *_: 0)  # the host draws crops, from a generator of its own
    few, more = speckle_fit(3), speckle_fit(5)
    assert (more.launched - few.launched).total() <= 2 * SPECKLE_STEP
    assert more.waits - few.waits == Counter()


def found_in(slices: int) -> Launches:
    before = np.random.default_rng(0).standard_normal((slices, 96, 96)).astype(np.float32)
    everywhere = np.ones(before.shape, bool)
    pair = VolumePair(before, 0.2 * before, everywhere, (1.0, 1.0, 1.0), -9.0, "CT")
    with Launches() as counted:
        assert not list(small_changes(pair, everywhere, 0))
    return counted


@pytest.mark.parametrize("slices", [8, 16])
def test_a_filter_is_few_launches_however_many_slices_and_waits_for_what_stands_out(slices: int) -> None:
    counted, filters = found_in(slices), FILTERS * octaves_of((1.0, 1.0, 1.0), 96)
    assert counted.launched.total() <= filters * SEARCHED
    assert counted.waits.total() <= filters * SEARCH_WAITS


def edges_of_slices(slices: int) -> Launches:
    images = [torch.randn(slices, 64, 64) for _ in range(2)]
    with Launches() as counted:
        edge_sums(*images, torch.ones(slices, 64, 64, dtype=torch.bool), torch.ones(slices, 64, 64))
    return counted


def test_edges_launch_the_same_however_many_slices_and_wait_for_nothing() -> None:
    few, more = edges_of_slices(4), edges_of_slices(24)
    assert few.launched == more.launched
    assert more.waits == Counter()


def standing_out_of(frames: int) -> Launches:
    clip = np.random.default_rng(0).standard_normal((frames, 96, 96)).astype(np.float32)
    with Launches() as counted:
        list(coherence.significance(clip, np.zeros_like(clip), np.ones((96, 96), np.float32), PROCESSOR))
    return counted


def test_lines_and_spots_of_a_clip_are_searched_in_batches_of_frames() -> None:
    standing_out_of(4)  # makes the filters
    few, more = standing_out_of(4), standing_out_of(16)
    assert few.launched.total() == more.launched.total()
    assert few.waits == more.waits


def test_waits_are_seen() -> None:
    values = torch.arange(4.0)
    with Launches() as counted:
        float(values.sum())
        values[values > 1].cpu()
        values.tolist()
    assert counted.waits == Counter(_local_scalar_dense=1, index=1, cpu=1, tolist=1, nonzero=0)
    assert counted.moved > 0
