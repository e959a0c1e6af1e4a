"""The journal: what is on disk counts, what is torn does not."""

import json
from pathlib import Path

import pytest

from cbt_core.errors import StudyError
from cbt_core.generation.run.journal import Journal, beside, failed_line, row_line
from cbt_core.generation.run.manifest import copy_lines


def written(out: Path, *keys: str) -> Path:
    """Leave a journal as a killed run does, and return it."""
    with Journal(out, digest="d") as journal:
        journal.begin(resume=False)
        journal.append([row_line(key, {"id": key}) for key in keys])
    return beside(out, ".part")


def test_rows_of_an_earlier_session_are_known(tmp_path: Path) -> None:
    written(tmp_path / "a", "q1", "q2")
    with Journal(tmp_path / "a", digest="d") as journal:
        journal.begin(resume=True)
        assert list(journal.row_at) == ["q1", "q2"]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_last_line_is_dropped_and_the_next_row_is_whole(tmp_path: Path, cut: int) -> None:
    file = written(tmp_path / "a", "q1", "q2")
    file.write_bytes(file.read_bytes()[:-cut])
    with Journal(tmp_path / "a", digest="d") as journal:
        journal.begin(resume=True)
        assert (list(journal.row_at), journal.healed) == (["q1"], 1)
        journal.append([row_line("q2", {"id": "q2"})])
    assert [json.loads(line) for line in file.read_bytes().splitlines()][1:] == [
        {"key": "q1", "row": {"id": "q1"}}, {"key": "q2", "row": {"id": "q2"}}]


def test_a_line_that_a_power_cut_garbled_costs_its_own_row_only(tmp_path: Path) -> None:
    file = written(tmp_path / "a", "q1", "q2", "q3")
    lines = file.read_bytes().splitlines(keepends=True)
    lines[2] = b"\0" * (len(lines[2]) - 1) + b"\n"
    file.write_bytes(b"".join(lines))
    with Journal(tmp_path / "a", digest="d") as journal:
        journal.begin(resume=True)
        assert (list(journal.row_at), journal.healed) == (["q1", "q3"], 1)


def test_other_settings_are_refused(tmp_path: Path) -> None:
    written(tmp_path / "a", "q1")
    with pytest.raises(StudyError) as refused, Journal(tmp_path / "a", digest="e") as journal:
        journal.begin(resume=True)
    assert refused.value.code == "generation.other_settings"


def test_an_unfinished_run_is_not_overwritten(tmp_path: Path) -> None:
    file = written(tmp_path / "a", "q1")
    before = file.read_bytes()
    with pytest.raises(StudyError) as refused, Journal(tmp_path / "a", digest="d") as journal:
        journal.begin(resume=False)
    assert refused.value.code == "generation.unfinished"
    assert file.read_bytes() == before


def test_a_foreign_file_is_not_taken_for_a_journal(tmp_path: Path) -> None:
    beside(tmp_path / "a", ".part").write_text("hello\n")
    with pytest.raises(StudyError) as refused, Journal(tmp_path / "a", digest="d") as journal:
        journal.begin(resume=True)
    assert refused.value.code == "generation.not_a_journal"


def test_two_processes_cannot_share_a_run(tmp_path: Path) -> None:
    with Journal(tmp_path / "a", digest="d"), pytest.raises(StudyError) as refused:
        Journal(tmp_path / "a", digest="d").__enter__()
    assert refused.value.code == "generation.busy"


def test_a_failure_gives_way_to_the_row_that_came_later(tmp_path: Path) -> None:
    with Journal(tmp_path / "a", digest="d") as journal:
        journal.begin(resume=False)
        journal.append([failed_line("q1", {"cause": "empty"})])
        assert journal.failed["q1"][1] == "empty"
        journal.append([row_line("q1", {"id": "q1"})])
        assert not journal.failed


def test_rows_are_copied_byte_for_byte_in_the_order_asked_for(tmp_path: Path) -> None:
    answer = "他说：“好”,\n\u2028 {\"row\":1}"
    rows = [{"id": 'q"1:', "answer": answer}, {"id": "q2", "answer": "😀"}]
    with Journal(tmp_path / "a", digest="d") as journal:
        journal.begin(resume=False)
        places = journal.append([row_line(str(row["id"]), row) for row in rows])
        copy_lines(journal, reversed(places), tmp_path / "a")
    lines = (tmp_path / "a").read_bytes().split(b"\n")[:-1]
    assert [json.loads(line) for line in lines] == rows[::-1]


def test_half_an_emoji_does_not_stop_a_run(tmp_path: Path) -> None:
    with Journal(tmp_path / "a", digest="d") as journal:
        journal.begin(resume=False)
        journal.append([row_line("q1", {"id": "q1", "answer": "cut \ud83d"})])
    last = beside(tmp_path / "a", ".part").read_bytes().splitlines()[-1]
    assert json.loads(last)["row"]["answer"] == "cut ?"


def test_tokens_and_cost_of_all_sessions_are_added_up(tmp_path: Path) -> None:
    with Journal(tmp_path / "a", digest="d") as journal:
        journal.begin(resume=False)
        journal.append([
            row_line("q1", {"prompt_tokens": 10, "reply_tokens": 5, "cost": 0.5}),
            failed_line("q2", {"cause": "empty", "prompt_tokens": 10, "reply_tokens": 0}),
        ])
    with Journal(tmp_path / "a", digest="d") as journal:
        journal.begin(resume=True)
        assert (journal.spent.prompt_tokens, journal.spent.reply_tokens) == (20, 5)
        assert journal.spent.cost == 0.5
