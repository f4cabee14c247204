"""One method on one volume in a process of its own, so that its peak memory is its own and a fault ends only it.

``python -m bench.volumes.job CASE.pkl METHOD STEPS SEED RESULT.npz`` writes image, seconds and peak (MiB).
"""

import pickle
import sys
import time
from pathlib import Path

import numpy as np

from bench.peak import forget_peak, peak_memory
from bench.volumes.methods import METHODS


def main(case_file: str, method: str, steps: str, seed: str, result: str) -> int:
    """Seconds are the processor's, which other programs on the machine change little."""
    case = pickle.loads(Path(case_file).read_bytes())
    before = forget_peak()
    started = time.process_time()
    image = METHODS[method](case, int(steps), int(seed))
    seconds = time.process_time() - started
    peak = peak_memory() - before
    np.savez(result, image=image.astype(np.float32), seconds=seconds, peak=peak)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
