"""Reading counts of guesses."""

from pathlib import Path

import pytest

from cbt_core.files.counts import read_counts
from cbt_core.files.problems import ImportProblems

GOOD = "guess,actual_treatment,actual_placebo\nplacebo,25,29\ntreatment,82,27\ndont_know,170,83\n"


def write(folder: Path, text: str) -> Path:
    """Return a file with this content."""
    path = folder / "c.csv"
    path.write_text(text, "utf-8")
    return path


def test_rows_may_stand_in_any_order(tmp_path: Path) -> None:
    found = read_counts(write(tmp_path, GOOD))
    assert found.arms == ("treatment", "placebo")
    assert found.counts.tolist() == [[82, 27], [25, 29]]
    assert found.dont_know.tolist() == [170, 83]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (GOOD.replace("82", "8.5"), "c.csv:3: actual_treatment: 8.5 is not a count"),
        (GOOD.replace("82", "-1"), "c.csv:3: actual_treatment: -1 is not a count"),
        (GOOD.replace("82", ""), "c.csv:3: actual_treatment: '' is not a count"),
        (GOOD.replace("dont_know", "unsure"), "c.csv:4: guess: unsure is neither an arm"),
        (GOOD.replace("placebo,25", "treatment,25"), "c.csv:3: guess: the same guess as row 2"),
        (GOOD.replace("treatment,82,27\n", ""), "c.csv:1: guess: there is no row for treatment"),
        ("guess,n\ndont_know,1\n", "c.csv:1: file: there is no column actual_<arm>"),
        ("answer,actual_a\ndont_know,1\n", "c.csv:1: guess: there is no column guess"),
    ],
)
def test_a_wrong_file_is_refused_with_row_and_field(tmp_path: Path, wrong: str, said: str) -> None:
    with pytest.raises(ImportProblems) as caught:
        read_counts(write(tmp_path, wrong), name="c.csv")
    assert said in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportProblems, match="no such file"):
        read_counts(tmp_path / "gone.csv", name="gone.csv")
