"""``python -m bench.volumes --out FOLDER [--data FOLDER] [--only NAME ..] [--methods NAME ..] [--seeds 3]``.

Ours, the published NS-N2N and the peers on the same volumes, one after the other; prints a table for each volume as it
is done, and leaves it as table.md with pictures in FOLDER. Real volumes are those of ``--data``. What FOLDER holds
already is not computed again.
"""

import argparse
import sys
from pathlib import Path

from bench.volumes.bench_cases import PHANTOMS, SIZES, phantom_case
from bench.volumes.cache import cached_case, cached_result
from bench.volumes.methods import METHODS
from bench.volumes.panels import write_pictures
from bench.volumes.real_cases import REAL
from bench.volumes.table import Figures, volume_table
from bench.volumes.volume_measures import measure
from models.volume.ns_n2n import NSN2NSettings

CORRECTED = ("ours", "published")  # remove the Rician bias
LIMIT = 1800.0  # seconds for one method on one volume


def run_volume(name: str, given: argparse.Namespace) -> list[str]:
    """The lines of one volume, after writing its picture."""
    runs: dict[str, list[Figures]] = {"noisy": []}
    reasons, shown = {}, {}
    for seed in range(given.seeds):
        if name in PHANTOMS:
            case, file = cached_case(
                given.out, f"{name}_{given.size}_{seed}", lambda seed=seed: phantom_case(name, given.size, seed)
            )
        else:
            case, file = cached_case(given.out, name, lambda: REAL[name](given.data))
        runs["noisy"].append(measure(case, case.noisy))
        for method in given.methods:
            done = cached_result(given.out, file, method, given.steps, seed, given.limit)
            if done.image is None:
                reasons[method] = done.reason
                continue
            figures = measure(case, done.image, corrected=method in CORRECTED)
            runs.setdefault(method, []).append({**figures, "seconds": done.seconds, "peak": done.peak})
            shown.setdefault(method, done.image)
            print(f"{name} seed {seed} {method}: {runs[method][-1]}", file=sys.stderr, flush=True)
        if seed == 0:
            write_pictures(given.out / "pictures" / f"{name}_{given.size}.png", case, shown)
    return list(volume_table(name, runs, reasons))


def main() -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.volumes", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", nargs="+", choices=[*PHANTOMS, *REAL])
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", choices=list(SIZES), default="full")
    parser.add_argument("--steps", type=int, default=NSN2NSettings().steps, help="of every method that fits")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for one method on one volume")
    given = parser.parse_args()
    names = given.only or [*PHANTOMS, *(REAL if given.data else ())]
    lines = [f"# Volumes: size {given.size}, {given.seeds} seed(s), {given.steps} steps"]
    for name in names:
        lines += run_volume(name, given)
        (given.out / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
