"""Why a series was not written, for programs: the codes beside those that every kind of ``Refusal`` bears."""

CHECKS_FAILED = "checks-failed"
TIME_SPENT = "time-spent"
UNEXPECTED_ERROR = "unexpected-error"
NO_OUTCOME = "no-outcome"
TOO_FEW_SLICES = "too-few-slices"

MEANINGS = {
    CHECKS_FAILED: "The series was denoised, and at every strength that was tried a check failed.",
    TIME_SPENT: "The time left was too short for even the initial estimate of this series; the others stand.",
    UNEXPECTED_ERROR: "The program failed at the series; its reason names the kind of error and the place in the code.",
    NO_OUTCOME: "The program lost the series.",
    TOO_FEW_SLICES: "A volume has fewer slices than the published variant of NS-N2N needs.",
}
WORTH_RETRYING = {TIME_SPENT: "with a larger time budget", "too-little-memory": "with more memory"}
