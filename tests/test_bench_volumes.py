import numpy as np
import pytest

from bench.volumes.bench_cases import Case, phantom_case
from bench.volumes.classical import noise_sd, noise_spectrum, on_even_noise
from bench.volumes.table import standing, volume_table
from bench.volumes.volume_measures import measure


@pytest.fixture(scope="module")
def case() -> Case:
    return phantom_case("ct_5mm", "small", 0)


@pytest.fixture(scope="module")
def noisy(case: Case) -> dict[str, float]:
    return measure(case, case.noisy)


@pytest.mark.slow
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

    def test_without_a_truth_only_structure_is_reported(self, case: Case) -> None:
        blind = Case(case.noisy, None, case.spacing, case.modality, case.data_range, case.window)
        assert set(measure(blind, case.noisy)) == {"structure"}


@pytest.fixture(scope="module")
def norm() -> Case:
    return phantom_case("mr_norm", "small", 0)


@pytest.mark.slow
class TestMagnitudeNoise:
    def test_the_spectrum_holds_the_power_of_the_noise(self, norm: Case) -> None:
        assert noise_spectrum(norm).mean() / norm.noisy.size == pytest.approx(noise_sd(norm) ** 2, rel=1e-4)

    def test_peers_see_even_noise_and_give_the_volumes_own_scale_back(self, norm: Case) -> None:
        seen = []
        result = on_even_noise(norm, lambda volume: seen.append(volume) or volume)
        np.testing.assert_allclose(result, norm.noisy, rtol=1e-4)
        assert norm.magnitude_noise is not None
        assert norm.truth is not None
        error = (seen[0] * norm.magnitude_noise.sd / noise_sd(norm) - norm.truth) / norm.magnitude_noise.sd
        assert error[norm.truth > 10 * norm.magnitude_noise.sd].std() == pytest.approx(1, rel=0.05)

    def test_a_rician_bias_is_removed_at_the_true_level(self) -> None:
        case = phantom_case("mr_t1_5mm", "small", 0)
        fluid = case.regions["air"]
        assert on_even_noise(case, lambda volume: volume)[fluid].mean() < case.noisy[fluid].mean()


RUNS = {"ours": [{"psnr": 30.0}, {"psnr": 32.0}], "published": [{"psnr": 29.0}], "nlm": [{"psnr": 30.5}]}


class TestTable:
    def test_mean_and_spread(self) -> None:
        assert "| ours | 31.00 ± 1.41 |" in list(volume_table("mr", RUNS, {}))

    def test_a_method_that_failed_has_its_reason(self) -> None:
        assert "| bm4d | not done in 5 s |" in list(volume_table("mr", RUNS, {"bm4d": "not done in 5 s"}))

    def test_who_is_best(self) -> None:
        assert standing(RUNS) == "Ours: +0.50 dB against the best other (nlm), +2.00 dB against it as published."
