"""Figures of the software itself: what is installed, whether it runs, whether its result repeats to the byte."""

from validation.kit.evidence import Evidence
from validation.kit.not_measured import NotMeasuredError
from validation.measures.intervals import Measured, exact


def wrong_versions(evidence: Evidence) -> Measured:
    """Libraries with another version than pinned."""
    installed = evidence.installation
    if not installed.pins_known:
        raise NotMeasuredError("requirements.txt does not lie beside the application")
    return exact(len(installed.wrong), len(installed.libraries))


def not_handed_out(evidence: Evidence) -> Measured:
    """Series that the application handed out as nothing."""
    missing = sum(outcome.after is None for outcome in evidence.outcomes)
    return exact(missing, len(evidence.outcomes))


def files_differing(evidence: Evidence) -> Measured:
    """Files whose bytes are not the same in two equal runs."""
    return exact(evidence.determinism.files_differing, evidence.determinism.files)


def thread_difference(evidence: Evidence) -> Measured:
    """Rms difference between one thread and two, over the sd of the input's noise."""
    return exact(evidence.determinism.thread_rms)


def gpu_files_differing(evidence: Evidence) -> Measured:
    """Files whose bytes are not the same in two equal runs on a GPU."""
    found = evidence.determinism.gpu_files_differing
    if found is None:
        raise NotMeasuredError("no GPU in this machine", counts=False)
    return exact(found, evidence.determinism.files)


def gpu_difference(evidence: Evidence) -> Measured:
    """Largest difference between GPU and CPU, HU."""
    found = evidence.determinism.gpu_largest
    if found is None:
        raise NotMeasuredError("no GPU in this machine", counts=False)
    return exact(found)
