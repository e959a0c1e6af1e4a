"""Names of distortions as models write them, brought to the labels of a scheme."""

import pytest

from cbt_core.generation.dataset.labels import LabelParser
from cbt_core.instruments import load_scheme

BURNS = LabelParser(load_scheme("burns-12"))


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("mind-reading", "mind-reading"), ("读心术", "mind-reading"),
        ("Mind Reading", "mind-reading"), ("“以偏概全”", "overgeneralization"),
        ("1. 非此即彼（All-or-nothing thinking）", "all-or-nothing"),
        ("灾难化", "magnification"), ("catastrophizing", "magnification"),  # aliases of the scheme
        ("personalization", "self-blame"), ("black-white", "all-or-nothing"),  # crosswalk: C2D2's
        ("Over_generalization", "overgeneralization"), ("读心术/先知错误", "mind-reading"),
    ],
)
def test_a_label_is_found_under_any_of_its_names(written: str, label: str) -> None:
    assert BURNS.label(written.strip("“”")) == label


def test_unknown_names_are_kept_and_nothing_is_no_name() -> None:
    parsed = BURNS.parse(["妄想", "无", "none", "读心术", " 妄想 "])
    assert parsed.labels == ("mind-reading",)
    assert parsed.unknown == ("妄想",)


def test_labels_come_once_and_in_the_order_of_the_scheme() -> None:
    assert BURNS.parse(["labelling", "all-or-nothing", "乱贴标签"]).labels == (
        "all-or-nothing", "labeling",
    )


def test_a_label_that_only_partly_overlaps_stays_unknown() -> None:
    c2d2 = LabelParser(load_scheme("c2d2-7"))
    parsed = c2d2.parse(["非此即彼", "罪责归他", "catastrophizing"])  # partly: fortune-telling
    assert parsed.labels == ("black-white",)
    assert parsed.unknown == ("罪责归他", "catastrophizing")
