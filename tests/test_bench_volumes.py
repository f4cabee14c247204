import numpy as np
import pytest

from bench.volumes.bench_cases import Case, phantom_case
from bench.volumes.table import standing, volume_table
from bench.volumes.volume_measures import measure


@pytest.fixture(scope="module")
def case() -> Case:
    return phantom_case("ct_5mm", "small", 0)


@pytest.fixture(scope="module")
def noisy(case: Case) -> dict[str, float]:
    return measure(case, case.noisy)


class TestMeasures:
    def test_an_untouched_volume_has_its_noise_and_its_edges(self, noisy: dict[str, float]) -> None:
        assert noisy["noise"] == pytest.approx(1)
        assert noisy["edge"] == pytest.approx(1)

    def test_an_untouched_volume_lost_no_structure(self, noisy: dict[str, float]) -> None:
        assert noisy["structure"] <= 0

    def test_the_truth_is_unbiased_and_keeps_every_contrast(self, case: Case) -> None:
        assert case.truth is not None
        figures = measure(case, case.truth)
        assert figures["bias"] == figures["structure"] == 0
        assert figures["lesions"] == figures["vessels"] == figures["nodules"] == 1

    def test_a_blurred_truth_shows_what_it_lost(self, case: Case) -> None:
        assert case.truth is not None
        blurred = (case.truth + np.roll(case.truth, 1, axis=1) + np.roll(case.truth, -1, axis=1)) / 3
        figures = measure(case, blurred)
        assert figures["structure"] > 0.2
        assert figures["vessels"] < 0.9
        assert figures["edge"] > 1.0

    def test_without_a_truth_only_structure_is_told(self, case: Case) -> None:
        blind = Case(case.noisy, None, case.spacing, case.modality, case.data_range, case.window)
        assert set(measure(blind, case.noisy)) == {"structure"}


RUNS = {"ours": [{"psnr": 30.0}, {"psnr": 32.0}], "published": [{"psnr": 29.0}], "nlm": [{"psnr": 30.5}]}


class TestTable:
    def test_mean_and_spread(self) -> None:
        assert "| ours | 31.00 ± 1.41 |" in list(volume_table("mr", RUNS, {}))

    def test_a_method_that_failed_has_its_reason(self) -> None:
        assert "| bm4d | not done in 5 s |" in list(volume_table("mr", RUNS, {"bm4d": "not done in 5 s"}))

    def test_who_is_best(self) -> None:
        assert standing(RUNS) == "Ours: +0.50 dB against the best other (nlm), +2.00 dB against it as published."
