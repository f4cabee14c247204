"""How well the gate catches: honest outputs of known truth, and the same outputs spoiled in one way each.

``python -m bench.gate [--volumes 300] [--fits 30] [--bm4d-python PYTHON --bm4d 10]`` prints a table. Limits were
chosen on seeds below 1000. A hit is a spoiled output that fails a check, a false alarm an honest one. Intervals are
Clopper and Pearson's, 95 %.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from scipy import stats

from bench.gate.honest_outputs import SETTINGS, Output, fitted, pair_of, simulated
from bench.gate.spoiled_clips import clip_trial
from bench.gate.spoilers import SPOILERS
from operators.quality.volume_checks import assess_volume
from validation.phantoms.anatomy import Volume

Faults = dict[str, list[tuple[str, ...]]]  # the failed checks of each output of a kind


def faults_of(output: Output, after: Volume) -> tuple[str, ...]:
    """Return the names of the failed checks."""
    pair = pair_of(output.phantom.modality, output.phantom, output.before, after)
    return tuple(check.name for check in assess_volume(pair, 100, SETTINGS).faults)


def outputs_of(modality: str, given: argparse.Namespace) -> Iterator[Output]:
    """Yield the honest outputs: our fits, BM4D's, then truths with part of the noise."""
    first, fits, others = given.first_seed, given.fits, given.bm4d if given.bm4d_python else 0
    yield from fitted(modality, range(first, first + fits), given.folder, None)
    yield from fitted(modality, range(first, first + others), given.folder, given.bm4d_python)
    for seed in range(first, first + given.volumes - fits - others):
        yield simulated(modality, seed)


def volume_trials(modality: str, given: argparse.Namespace) -> Faults:
    """Return the failed checks of honest outputs, and of some of them spoiled in each way."""
    failed: Faults = defaultdict(list)
    for number, output in enumerate(outputs_of(modality, given)):
        failed[f"honest, {output.maker}"].append(faults_of(output, output.after))
        if number % max(1, given.volumes // given.spoiled):
            continue
        for name, spoil in SPOILERS.items():
            rng = np.random.default_rng((given.first_seed, number))
            failed[name].append(faults_of(output, spoil(rng, output)))
    return failed


def clip_trials(given: argparse.Namespace) -> Faults:
    """Return the same of ultrasound stills."""
    failed: Faults = defaultdict(list)
    seeds = range(given.first_seed, given.first_seed + given.spoiled)
    for name, faults in chain.from_iterable(clip_trial(seed).items() for seed in seeds):
        failed[name].append(faults)
    return failed


def interval(count: int, of: int) -> str:
    """Return a rate in percent with its interval."""
    ends = stats.binomtest(count, of).proportion_ci(0.95)
    return f"{100 * count / of:.1f} ({100 * ends.low:.1f} to {100 * ends.high:.1f})"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Hit and false alarm rates of the gate.")
    parser.add_argument("--volumes", type=int, default=300, help="honest outputs of each modality")
    parser.add_argument("--fits", type=int, default=30, help="of these by our method")
    parser.add_argument("--bm4d", type=int, default=10, help="of these by BM4D, where --bm4d-python has it")
    parser.add_argument("--bm4d-python", type=Path)
    parser.add_argument("--spoiled", type=int, default=60, help="of these spoiled in each way")
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--folder", type=Path, default=Path("bench-results/gate"))
    parser.add_argument("--modality", nargs="*", default=["CT", "MR", "PT", "US"])
    given = parser.parse_args()
    print("| modality | output | outputs | failed, % (95 %) | checks |\n|---|---|---|---|---|")
    for modality in given.modality:
        failed = clip_trials(given) if modality == "US" else volume_trials(modality, given)
        for name, lists in failed.items():
            checks = ", ".join(
                f"{check} {sum(check in each for each in lists)}"
                for check in sorted({check for each in lists for check in each})
            )
            rate = interval(sum(map(bool, lists)), len(lists))
            print(f"| {modality} | {name} | {len(lists)} | {rate} | {checks} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
