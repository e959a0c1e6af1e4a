"""Reading a ratings file: what is taken, what is refused and how it is said."""

from pathlib import Path

import numpy as np
import pytest

from cbt_core.errors import StudyError
from cbt_core.files.problems import ImportProblems
from cbt_core.files.ratings import ReadRatings, read_ratings

HEADER = "item_id,system,rater,relevance,structure,helpfulness\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder."""
    return tmp_path


def read(folder: Path, text: str | bytes, **options: str | list[str]) -> ReadRatings:
    """Read a file with this content, called r.csv."""
    path = folder / "r.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_ratings(path, name="r.csv", **options)  # type: ignore[arg-type]


def refusal(folder: Path, text: str | bytes, **options: str | list[str]) -> str:
    """Return why a file with this content is refused."""
    with pytest.raises(ImportProblems) as caught:
        read(folder, text, **options)
    return str(caught.value)


def test_scores_stand_at_the_indices_of_the_sorted_labels(folder: Path) -> None:
    ratings = read(folder, HEADER + "q2,base,R1,2,,1.0\nq1,tuned,R1,0,1,2\n").ratings
    assert (ratings.items, ratings.systems) == (("q1", "q2"), ("base", "tuned"))
    assert ratings.item.tolist() == [0, 1]
    assert ratings.values["relevance"].tolist() == [0, 2]
    assert np.isnan(ratings.values["structure"][1])
    assert ratings.values["helpfulness"][1] == 1
    assert (ratings.order, ratings.seconds) == (None, None)


def test_a_byte_order_mark_is_not_part_of_the_first_column(folder: Path) -> None:
    assert read(folder, b"\xef\xbb\xbf" + HEADER.encode() + b"q1,a,R1,1,1,1\n").ratings.rows == 1


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030"])
def test_other_encodings_are_read_when_certain_and_it_is_said(folder: Path, encoding: str) -> None:
    text = HEADER + "我的工作压力很大怎么办,基线系统,评定者,1,2,0\n"
    found = read(folder, text.encode(encoding))
    assert found.ratings.items == ("我的工作压力很大怎么办",)
    assert [warning.code for warning in found.warnings] == ["encoding_read_as"]


def test_the_guard_before_a_formula_sign_is_taken_off_again(folder: Path) -> None:
    ratings = read(folder, HEADER + "'-1,a,R1,1,1,1\n-1,b,R1,1,1,1\n'=x,a,R1,1,1,1\n").ratings
    assert ratings.items == ("-1", "=x")


def test_other_columns_are_ignored_without_a_word(folder: Path) -> None:
    found = read(folder, "item_id,system,rater,note,relevance,occasion\nq1,a,R1,x,1,0\n")
    assert found.ratings.scales == ("relevance",)
    assert found.warnings == ()


def test_optional_columns_are_read(folder: Path) -> None:
    text = "item_id,system,rater,relevance,panel,order,seconds,instrument\n"
    ratings = read(folder, text + "q1,a,R1,1,p1,3,12.5,cbt-3@1#ab\n").ratings
    assert ratings.panels == ("p1",)
    assert ratings.order is not None
    assert ratings.order.tolist() == [3]
    assert ratings.seconds is not None
    assert ratings.seconds.tolist() == [12.5]
    assert ratings.instrument == "cbt-3@1#ab"


def test_only_main_rows_in_their_last_revision_and_not_excluded_are_analysed(folder: Path) -> None:
    text = "item_id,system,rater,relevance,kind,excluded,revision\n" + (
        "q1,a,R1,0,main,,0\n"
        "q1,a,R1,2,main,,1\n"
        "q1,a,R1,1,repeat,,0\n"
        "q2,a,R1,1,main,1,0\n"
        "q3,a,R1,1,practice,,0\n"
        "q4,a,R1,1,check,,0\n"
        "q5,a,R1,1,calibration,,0\n"
    )
    ratings = read(folder, text).ratings
    assert ratings.values["relevance"].tolist() == [2]
    assert ratings.flow == {
        "rows_read": 7, "dropped_earlier_revision": 1, "dropped_repeat": 1,
        "dropped_practice": 1, "dropped_check": 1, "dropped_calibration": 1,
        "dropped_excluded": 1, "rows_analysed": 1,
    }  # fmt: skip


def test_two_rows_left_for_one_answer_and_rater_are_named_both(folder: Path) -> None:
    said = refusal(folder, HEADER + '"q\n1",a,R1,1,1,1\nq2,a,R1,1,1,1\n"q\n1",a,R1,1,1,1\n')
    assert said.startswith("r.csv:5: rater: the same item, system, panel and rater as row 2;")


def test_the_same_answer_in_another_panel_is_no_repetition(folder: Path) -> None:
    text = "item_id,system,rater,relevance,panel\nq1,a,R1,1,p1\nq1,a,R1,1,p2\n"
    assert read(folder, text).ratings.rows == 2


def test_several_problems_are_told_at_once_with_row_and_field(folder: Path) -> None:
    said = refusal(folder, HEADER + "q1,a,R1,3,x,１\n,a,R2,1,1,1\n").splitlines()
    assert len(said) == 4
    assert "r.csv:2: relevance: 3 is none of the values 0, 1, 2" in "\n".join(said)
    assert "r.csv:2: structure: x is not a number" in "\n".join(said)
    assert "r.csv:2: helpfulness: １ is not a number" in "\n".join(said)
    assert "r.csv:3: item_id: empty" in "\n".join(said)


def test_at_most_twenty_problems_are_told_and_the_rest_counted(folder: Path) -> None:
    rows = "".join(f"q{row},a,R1,9,1,1\n" for row in range(25))
    said = refusal(folder, HEADER + rows).splitlines()
    assert len(said) == 21
    assert "5" in said[-1]


@pytest.mark.parametrize("cell", ["nan", "inf", "1e0", "1_0", "true", " 1", "0x1", "1,5", "--1"])
def test_what_is_not_plainly_a_number_is_refused(folder: Path, cell: str) -> None:
    text = f'item_id,system,rater,relevance\nq1,a,R1,"{cell}"\n'
    assert "r.csv:2: relevance:" in refusal(folder, text, values="0,1,2")


def test_values_may_be_given_for_all_or_single_scales(folder: Path) -> None:
    text = "item_id,system,rater,relevance,empathy\nq1,a,R1,2,5\n"
    both = ["relevance", "empathy"]
    found = read(folder, text, scales=both, values="relevance=0,1,2;empathy=1,2,3,4,5")
    assert found.values == {"relevance": (0, 1, 2), "empathy": (1, 2, 3, 4, 5)}
    assert read(folder, text, scales=both, values="0,1,2,3,4,5").values["empathy"] == tuple(
        range(6)
    )
    assert "empathy: 5 is none" in refusal(folder, text, scales=both, values="0,1,2")


def test_without_values_an_unknown_scale_has_those_of_the_file(folder: Path) -> None:
    text = "item_id,system,rater,empathy\nq1,a,R1,5\nq1,a,R2,2\n"
    assert read(folder, text, scales=["empathy"]).values == {"empathy": (2, 5)}


@pytest.mark.parametrize("values", ["", "a,b", "x=", "=1,2", "0,1;0,1"])
def test_values_that_cannot_be_understood_are_refused(folder: Path, values: str) -> None:
    with pytest.raises(StudyError, match="cannot be read"):
        read(folder, HEADER, values=values)


def test_a_scale_asked_for_and_absent_is_refused(folder: Path) -> None:
    said = refusal(folder, HEADER + "q1,a,R1,1,1,1\n", scales=["empathy"])
    assert said.startswith("r.csv:1: empathy: there is no column empathy")


def test_a_file_without_any_scale_is_refused(folder: Path) -> None:
    assert "--scales" in refusal(folder, "item_id,system,rater,mood\nq1,a,R1,1\n")


def test_a_missing_file_is_refused_in_words(folder: Path) -> None:
    with pytest.raises(StudyError, match=r"^gone\.csv:1: file: there is no such file"):
        read_ratings(folder / "gone.csv", name="gone.csv")


def test_an_unknown_kind_is_refused(folder: Path) -> None:
    text = "item_id,system,rater,relevance,kind\nq1,a,R1,1,mian\n"
    assert "r.csv:2: kind: not a kind of rating" in refusal(folder, text)


def test_a_row_is_excluded_by_a_mark_or_a_reason(folder: Path) -> None:
    text = "item_id,system,rater,relevance,excluded\n" + "".join(
        f"q{row},a,R1,1,{mark}\n"
        for row, mark in enumerate(["", "0", "false", "No", "1", "true", "评定者退出"])
    )
    found = read(folder, text).ratings
    assert found.items == ("q0", "q1", "q2", "q3")
    assert found.flow["dropped_excluded"] == 3


def test_a_system_called_all_is_refused(folder: Path) -> None:
    assert "r.csv:2: system: ALL stands for all systems" in refusal(
        folder, HEADER + "q1,ALL,R1,1,1,1\n"
    )


def test_refusals_are_told_in_chinese_too(folder: Path) -> None:
    with pytest.raises(ImportProblems) as caught:
        read(folder, HEADER + "q1,a,R1,7,1,1\n")
    assert "取值" in caught.value.say("zh")
