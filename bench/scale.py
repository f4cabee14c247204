"""What many studies need, from measured times: ``python -m bench.scale`` prints the tables of docs/scale.md.

To have them for another machine, replace the figures of ``KINDS`` by what ``result.json`` says of such studies there.
"""

from dataclasses import dataclass

HOUR, WEEK = 3600.0, 7 * 24 * 3600.0  # seconds
BATCH = 100_000  # studies in a week
BUSY = 0.8  # share of the time that a worker may be busy in the peak hour, so that a queue stays short
CORES = 2  # of a worker, as app.yaml asks for


@dataclass(frozen=True)
class Kind:
    """Studies of one modality, and the run of one of them on a worker."""

    name: str
    content: str
    seconds: float  # of the whole run, under the default time budget
    steps: int  # planned for each series or image
    full: int  # asked for by the settings
    peak: float  # studies in the peak hour


KINDS = (
    Kind("CT", "1 series, 60 x 512 x 512", 0.0, 0, 800, 21),
    Kind("MR", "7 series, 30 x 256 x 256", 0.0, 0, 800, 17.5),
    Kind("US", "30 stills, 480 x 648", 0.0, 0, 300, 5),
)


def all_steps(kind: Kind) -> float:
    """Seconds with every step that the settings ask for: an upper estimate, since not all of a run is steps."""
    return kind.seconds * kind.full / kind.steps


def mean(seconds: dict[str, float]) -> float:
    """Of a study, in the mixture of the peak hour."""
    return sum(seconds[kind.name] * kind.peak for kind in KINDS) / sum(kind.peak for kind in KINDS)


def table(*rows: tuple[object, ...]) -> str:
    """Markdown; the first row is the head."""
    head, *body = ("| " + " | ".join(map(str, row)) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def measured() -> str:
    """What was measured, and what follows for all steps."""
    rows = [
        (kind.name, kind.content, f"{kind.seconds:.0f} s", f"{kind.steps} of {kind.full}", f"{all_steps(kind):.0f} s")
        for kind in KINDS
    ]
    return table(("study", "content", "run, measured", "steps", "with all steps, estimated"), *rows)


def needs() -> str:
    """Workers for the batch and for the peak hour."""
    peak = sum(kind.peak for kind in KINDS)
    rows = []
    for name, each in (
        ("default time budget", {kind.name: kind.seconds for kind in KINDS}),
        ("all steps", {kind.name: all_steps(kind) for kind in KINDS}),
    ):
        batch, hour = BATCH * mean(each) / WEEK, peak * mean(each) / HOUR / BUSY
        rows.append((name, f"{mean(each):.0f} s", *(f"{count:.0f} ({count * CORES:.0f})" for count in (batch, hour))))
    return table(("", "a study, mean", f"{BATCH:,} in 7 days: workers (cores)", "peak hour: workers (cores)"), *rows)


def target() -> str:
    """The time that one worker would have for a study."""
    peak = sum(kind.peak for kind in KINDS)
    rows = [(count, f"{count * WEEK / BATCH:.0f} s", f"{count * BUSY * HOUR / peak:.0f} s") for count in (1, 4, 16, 64)]
    return table(("workers", f"seconds for each of {BATCH:,} in 7 days", "seconds for each in the peak hour"), *rows)


if __name__ == "__main__":
    print(f"{measured()}\n\n{needs()}\n\n{target()}")
