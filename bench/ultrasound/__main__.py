"""Ultrasound side by side: our default, the published method, and the filters that scanners and papers use.

``python -m bench.ultrasound [--data FOLDER] --out FOLDER`` writes table.md and pictures; ``--parts stills cines scanner
carotid real echoes caught speed`` and ``--methods NLM ours ...`` run less. Peers are tuned on the truth of each
phantom, by PSNR; ours has one default. Their brightness is restored as ours is. FOLDER is searched for published
carotid frames (``Input_01.gif``) and for DICOM ultrasound.
"""

import argparse
import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO

import numpy as np

from app.conformance import table
from bench.ultrasound.carotid import carotid_rows
from bench.ultrasound.caught import caught_rows
from bench.ultrasound.echoes import echo_rows
from bench.ultrasound.figures import Row, cine_row, still_row
from bench.ultrasound.gallery import save_gallery
from bench.ultrasound.measured import Image, Mask, framewise, measured, ours, published
from bench.ultrasound.peers import PEERS, Filter, candidates
from bench.ultrasound.real import real_frames, real_rows
from bench.ultrasound.scanner_stills import STILLS as SCANNER_STILLS
from bench.ultrasound.scanner_stills import scanner_row
from validation.phantoms.anatomy import Phantom
from validation.phantoms.speckle_physics import MAXIMUM
from validation.phantoms.speckle_probe import Kind
from validation.phantoms.speckle_scan import SpeckleScan, make_scan
from validation.phantoms.speckle_still import make_still
from validation.scoring import psnr

PARTS = ("stills", "cines", "scanner", "carotid", "real", "echoes", "caught", "speed")
METHODS = (*PEERS, "published", "ours")
STILLS: tuple[tuple[Kind, int], ...] = (("linear", 11), ("linear", 12), ("linear", 13), ("sector", 14))
CINES: tuple[tuple[Kind, int], ...] = (("linear", 21), ("linear", 22), ("sector", 23))
STILL_SIDE, CINE_SIDE, CINE_FRAMES, REALISATIONS = 512, 256, 24, 2
SCORED = slice(8, 16)  # frames of a cine; single-frame filters see no others
SPEED_SHAPES = (1, 512), (64, 512)  # frames and side


def main() -> int:
    """Write table.md."""
    parser = argparse.ArgumentParser(description="Ultrasound methods side by side.")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.out / "table.md").open("w") as page:
        if "stills" in given.parts:
            for kind, seed in STILLS:
                _write(
                    page, f"Still, {kind}, scene {seed}", still_table(kind, seed, STILL_SIDE, given.methods, given.out)
                )
        if "cines" in given.parts:
            for kind, seed in CINES:
                _write(page, f"Cine, {kind}, scene {seed}", cine_table(kind, seed, given.methods, given.out))
        if "scanner" in given.parts:
            for number, (title, kind, seed, look) in enumerate(SCANNER_STILLS):
                still = make_still(kind, CINE_SIDE, seed, look)
                _write(
                    page, f"Still as scanners make it: {title}", scanner_table(still, number, given.methods, given.out)
                )
        if given.data and "carotid" in given.parts:
            for first in sorted(given.data.rglob("Input_01.gif")):
                _write(page, "Published carotid frames, equal mean", carotid_rows(first.parent, given.out))
        if given.data and "real" in given.parts:
            _write(page, "Real stills and cines", real_rows(given.data, given.out))
        if given.data and "echoes" in given.parts:
            _write(page, "Echoes put into real frames, same texture left", echo_rows(real_frames(given.data)))
        if "caught" in given.parts:
            _write(page, "Structures that the check catches", caught_rows())
        if "speed" in given.parts:
            _write(page, "Speed", speed_rows())
    return 0


def still_table(kind: Kind, seed: int, side: int, names: Collection[str], out: Path) -> dict[str, Row]:
    """Every method on one scene: one realisation to judge, more to measure bias."""
    phantoms = [make_scan(kind, side, 1, seed, each) for each in range(REALISATIONS)]
    first, rows, images = phantoms[0], {}, {}
    for name, method in _methods(names, first.frames, first.truth, first.tissue).items():
        judged = phantoms[:1] if name == "published" else phantoms  # minutes for each fit
        results = [measured(method, each.frames, each.tissue) for each in judged]
        rows[name], images[name] = still_row(judged, results), results[0].images[0]
    save_gallery(out / f"still_{kind}_{seed}.png", {"recorded": first.frames[0], "truth": first.truth[0]} | images)
    return rows


def cine_table(kind: Kind, seed: int, names: Collection[str], out: Path) -> dict[str, Row]:
    """Every method on one cine; ours and the published method take all frames, and some are scored."""
    cines = [make_scan(kind, CINE_SIDE, CINE_FRAMES, seed, each) for each in range(REALISATIONS)]
    scored = [SpeckleScan(each.scene, each.frames[SCORED], each.truth[SCORED], each.tissue) for each in cines]
    first, rows, images = scored[0], {}, {}
    for name, method in _methods(names, first.frames[:1], first.truth[:1], first.tissue).items():
        whole = name in {"ours", "published"}
        judged = 1 if name == "published" else REALISATIONS  # minutes for each fit
        given = (cines if whole else scored)[:judged]
        results = [measured(method, each.frames, each.tissue) for each in given]
        if whole:
            results = [replace(each, images=each.images[SCORED]) for each in results]
        rows[name], images[name] = cine_row(scored[:judged], results), results[0].images[0]
    save_gallery(out / f"cine_{kind}_{seed}.png", {"recorded": first.frames[0], "truth": first.truth[0]} | images)
    return rows


def scanner_table(still: Phantom, number: int, names: Collection[str], out: Path) -> dict[str, Row]:
    """Every method on one still that resembles a scanner's."""
    tissue, rows, images = still.regions["tissue"][0], {}, {}
    for name, method in _methods(names, still.noisy, still.truth, tissue).items():
        done = measured(method, still.noisy, tissue)
        rows[name], images[name] = scanner_row(still, done), done.images[0]
    save_gallery(out / f"scanner_{number}.png", {"recorded": still.noisy[0], "truth": still.truth[0]} | images)
    return rows


def _methods(
    names: Collection[str], frame: Image, truth: Image, tissue: Mask
) -> dict[str, Callable[[Image, Mask], Image]]:
    """Each method by its name: peers at their best setting for this frame, (1, rows, columns)."""
    methods: dict[str, Callable[[Image, Mask], Image]] = {"recorded": partial(framewise, np.copy)}
    for name in (each for each in PEERS if each in names):
        grid = candidates(name, (frame - truth)[0])

        def score(choice: Filter) -> float:
            return psnr(framewise(choice, frame, tissue), truth, tissue[None], MAXIMUM)

        label = max(grid, key=lambda each: score(grid[each]))
        methods[f"{name}, {label}"] = partial(framewise, grid[label])
    return methods | {name: fitted for name, fitted in (("published", published), ("ours", ours)) if name in names}


def speed_rows() -> dict[str, Row]:
    """Seconds and memory of ours at full size."""
    rows = {}
    for frames, side in SPEED_SHAPES:
        clip = make_scan("linear", side, frames, 31)
        done = measured(ours, clip.frames, clip.tissue)
        rows[f"{frames} x {side} x {side}"] = {
            "PSNR": psnr(done.images, clip.truth, np.broadcast_to(clip.tissue, clip.truth.shape), MAXIMUM),
            "s": done.seconds,
            "GiB": done.gib,
        }
    return rows


def _write(page: TextIO, title: str, rows: dict[str, Row]) -> None:
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    cells = [
        (method, *(f"{row[name]:.3g}" if abs(row[name]) < 10 else f"{row[name]:.2f}" for name in names))
        for method, row in rows.items()
    ]
    text = f"## {title}\n{table(('', *names), cells)}\n"
    page.write(text + "\n")
    page.flush()
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
