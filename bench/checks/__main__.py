"""Hold what the checks report against the truth: ``python -m bench.checks``.

Prints one line for each output of each phantom and draws reported against true edge growth. BM4D takes part where
``--bm4d-python`` names an interpreter that has it. With ``--data FOLDER`` small structures are inserted into the real
studies in its sub-folders instead, and half of each is taken from the output. With ``--kept``, too, they are inserted
into the input, and what is left of them in what is delivered is printed.
"""

import argparse
import pickle
import sys
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt

from bench.checks.candidate_outputs import SIMPLE, bm4d, mean_image, stored
from bench.checks.check_volumes import SEED, VOLUMES
from bench.checks.contrast_kept import kept_table
from bench.checks.insertions_table import insertions_table
from bench.checks.trial import Trial, try_output
from validation.phantoms.anatomy import Phantom

ALLOWED, UP_TO = 5.0, 30.0  # points between reported and true, where the truth is below so many percent
COLUMNS = (
    *("volume", "output", "edges wider, true %", "reported %", "PSNR reached", "delivered"),
    *("tissue restored %", "by", "places: harm", "noise", "failed after"),
)
Pickled = npt.NDArray[np.uint8]
PHANTOM_CODE, OUR_CODE = ("validation/phantoms", "bench/checks/check_volumes.py"), ("models",)


def main() -> int:
    """Print the table, the plot's path, and how many outputs missed."""
    parser = argparse.ArgumentParser(description="Checks against the truth.")
    parser.add_argument("--folder", type=Path, default=Path("bench-results/checks"))
    parser.add_argument("--bm4d-python", type=Path)
    parser.add_argument("--only", nargs="*", default=list(VOLUMES))
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--kept", action="store_true", help="of the input of --data, as delivered")
    given = parser.parse_args()
    if given.data:
        for line in (kept_table if given.kept else insertions_table)(given.data, given.folder):
            print(line, flush=True)
        return 0
    methods = dict(SIMPLE)
    if given.bm4d_python:
        methods["BM4D"] = partial(bm4d, given.bm4d_python, given.folder)
    trials: dict[tuple[str, str], Trial] = {}
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    for name in given.only:
        phantom = _phantom(given.folder, name)
        for method, make in methods.items():
            code = (*PHANTOM_CODE, "bench/checks/candidate_outputs.py", *(OUR_CODE if method == "ours" else ()))
            after = stored(given.folder, f"{name} {method}", partial(make, phantom), *code)
            trials[name, method] = trial = try_output(phantom, mean_image(phantom), after)
            print(_line(name, method, trial), flush=True)
    print("\n" + summary(list(trials.values())))
    if given.plot:
        _draw(trials, given.plot)
    return 0


def _phantom(folder: Path, name: str) -> Phantom:
    """Make a phantom once."""

    def make() -> Pickled:
        return np.frombuffer(pickle.dumps(VOLUMES[name](SEED)), np.uint8)

    found: Phantom = pickle.loads(stored(folder, f"{name} phantom", make, *PHANTOM_CODE).tobytes())
    return found


def _line(name: str, method: str, trial: Trial) -> str:
    reported = "too little" if trial.reported is None else f"{trial.reported:.1f} +- {trial.error:.1f}"
    true = "-" if trial.true is None else f"{trial.true:.1f}"
    by = ", ".join(f"{check} {percent:.1f}" for check, percent in trial.by_check.items())
    figures = (f"{value:.1f}" for value in (trial.reached, trial.delivered, trial.restored))
    columns = (name, method, true, reported, *figures, by, str(trial.harmful), str(trial.harmless))
    return f"| {' | '.join((*columns, ', '.join(trial.faults)))} |"


def summary(trials: list[Trial]) -> str:
    """Return how many outputs were measured, and how many of those were reported rightly."""
    both = [(trial.reported, trial.true) for trial in trials]
    errors = [abs(said - true) for said, true in both if said is not None and true is not None and true < UP_TO]
    few = sum(trial.reported is None for trial in trials)
    return (
        f"Too little to go by: {few} of {len(trials)}. True growth under {UP_TO:g} %: {len(errors)} measured, "
        f"{sum(error <= ALLOWED for error in errors)} reported within {ALLOWED:g} points."
    )


def _draw(trials: dict[tuple[str, str], Trial], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(6, 6))
    for method in dict.fromkeys(method for _, method in trials):
        points = [
            (trial.true, trial.reported)
            for (_, other), trial in trials.items()
            if other == method and trial.true is not None and trial.reported is not None
        ]
        axes.plot(*zip(*points, strict=True), "o", label=method) if points else None
    axes.plot((-10, 100), (-10, 100), "k-", linewidth=0.5)
    axes.set(xlabel="edges truly wider, %", ylabel="reported, %", xlim=(-10, 40), ylim=(-10, 40))
    axes.legend()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    sys.exit(main())
