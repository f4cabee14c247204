"""Selection rules, on headers through bytes and back."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from operators.dicom.reading import read_study
from operators.selection import Rule, RuleBrokenError, RuleError, SelectionSettings
from operators.sources.finding import source_of
from operators.sources.source import Source
from tests.small_study import CANARY, write_series


def series_of(folder: Path, slices: int = 3, **attributes: object) -> Source:
    return source_of(read_study(write_series(folder, "CT", 1, slices, **attributes)).series[0])


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ({"keyword": "ConvolutionKernel", "equals": "B70"}, True),
        ({"keyword": "ConvolutionKernel", "equals": "B7"}, False),
        ({"keyword": "ConvolutionKernel", "regex": "^B"}, True),
        ({"keyword": "ConvolutionKernel", "regex": "^C"}, False),
        ({"keyword": "SliceThickness", "range": (0, 2)}, True),
        ({"keyword": "SliceThickness", "range": (0, 1.9)}, False),
        ({"keyword": "ConvolutionKernel", "range": (0, 1)}, False),
        ({"keyword": "ImageType", "one_of": ("PRIMARY", "SECONDARY")}, True),
        ({"keyword": "ImageType", "one_of": ("SECONDARY",)}, False),
        ({"keyword": "ImageType", "none_of": ("LOCALIZER",)}, True),
        ({"keyword": "ImageType", "none_of": ("ORIGINAL",)}, False),
        ({"keyword": "ProtocolName", "equals": "x"}, False),
        ({"keyword": "ProtocolName", "regex": ""}, False),
        ({"keyword": "ProtocolName", "range": (0, 1)}, False),
        ({"keyword": "ProtocolName", "none_of": ("x",)}, True),
        ({"keyword": "RequestAttributesSequence.ScheduledProcedureStepID", "equals": "7"}, True),
        ({"keyword": "RequestAttributesSequence.ScheduledProcedureStepID", "equals": "8"}, False),
        ({"minimum_slices": 3}, True),
        ({"minimum_slices": 4}, False),
        ({"minimum_slices": 4, "modality": ("MR",)}, True),
    ],
)
def test_each_test_of_a_rule(tmp_path: Path, rule: dict[str, object], met: bool) -> None:
    step = Dataset()
    step.ScheduledProcedureStepID = "7"
    series = series_of(tmp_path, ConvolutionKernel="B70", RequestAttributesSequence=Sequence([step]))
    assert Rule("one", **rule).met_by(series) is met  # type: ignore[arg-type]


def test_every_instance_must_meet_the_rule(tmp_path: Path) -> None:
    write_series(tmp_path, "CT", 1, 3, ConvolutionKernel="B70")
    series = series_of(tmp_path, 1, ConvolutionKernel="B30")
    assert series.instance_count == 3
    assert not Rule("kernel", keyword="ConvolutionKernel", equals="B70").met_by(series)


def test_the_reason_names_the_rule_and_not_the_patient(tmp_path: Path) -> None:
    rules = (Rule("any", minimum_slices=1), Rule("not him", keyword="PatientName", none_of=(CANARY,)))
    with pytest.raises(RuleBrokenError, match="'not him' \\(PatientName none_of\\)") as refusal:
        SelectionSettings(rules).check(series_of(tmp_path))
    assert CANARY not in str(refusal.value)


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({}, "0 tests"),
        ({"keyword": "ImageType", "equals": "a", "regex": "b"}, "2 tests"),
        ({"equals": "a"}, "needs a keyword"),
        ({"keyword": "ImageType", "minimum_slices": 3}, "takes none"),
        ({"keyword": "ImageTyp", "equals": "a"}, "no DICOM keyword"),
        ({"keyword": "ImageType", "regex": "("}, "does not compile"),
    ],
)
def test_a_rule_that_can_not_be_followed_says_why(rule: dict[str, object], fault: str) -> None:
    with pytest.raises(RuleError, match=fault):
        Rule("odd", **rule)  # type: ignore[arg-type]
