"""Laws of a fit's context, and of the samples that measurements take."""

import math
from itertools import pairwise

import pytest
import torch

from models.compute import choose_compute
from models.fitting import FitContext
from models.robust import evenly_spaced
from models.training_loop import fit


def context(seed: int = 0, deadline: float = math.inf) -> FitContext:
    return FitContext(choose_compute("cpu"), seed, budget=math.inf, deadline=deadline, label="test")


def test_the_seed_decides_what_is_drawn_and_the_generator_outside_goes_on_undisturbed() -> None:
    torch.manual_seed(7)
    expected = torch.rand(2)
    torch.manual_seed(7)
    drawn = []
    for seed in (1, 1, 2):
        with context(seed).seeded():
            drawn.append(torch.rand(3))
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize(("deadline", "taken"), [(math.inf, 5), (-math.inf, 0)])
def test_a_fit_takes_its_steps_unless_the_deadline_has_passed(deadline: float, taken: int) -> None:
    network = torch.nn.Linear(1, 1)
    before = network.weight.detach().clone()
    steps = fit(
        network, lambda: network(torch.ones(1)).square().sum(), context(0, deadline), steps=5, learning_rate=0.1
    )
    assert steps == taken
    assert torch.equal(network.weight, before) == (taken == 0)


@pytest.mark.parametrize("count", [1, 2, 5, 24, 333])
@pytest.mark.parametrize("most", [1, 4, 24])
def test_samples_are_evenly_spaced_from_the_first_to_the_last(count: int, most: int) -> None:
    indices = evenly_spaced(count, most)
    steps = [after - before for before, after in pairwise(indices)]
    assert indices[0] == 0
    assert len(indices) == min(count, most)
    assert most == 1 or indices[-1] == count - 1
    assert max(steps, default=1) - min(steps, default=1) <= 1
