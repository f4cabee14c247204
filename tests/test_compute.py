"""The compute of a run, and what it reports of itself."""

import torch

from models.compute import choose_compute


def test_threads_are_reported_since_they_decide_the_last_bits() -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = choose_compute("cpu").processor
        torch.set_num_threads(2)
        two = choose_compute("cpu").processor
    finally:
        torch.set_num_threads(threads)
    assert one.endswith(" in 1 thread")
    assert two.endswith(" in 2 threads")
