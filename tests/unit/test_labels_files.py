"""Files of labels: what is read, what is refused and in which words, and the two commands."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cbt_core.cli import main
from cbt_core.domain.instrument import Scheme
from cbt_core.files.gold import MachineFile, read_gold
from cbt_core.files.labels import read_labels, read_spans
from cbt_core.files.problems import ImportProblems, describe
from cbt_core.instruments import load_scheme

BURNS = load_scheme("burns-12")
Write = Callable[[str, str], Path]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def once(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return once


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def once(*arguments: object) -> tuple[int, str, str]:
        code = main([str(one) for one in arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return once


def refusals(read: Callable[[], object]) -> list[str]:
    with pytest.raises(ImportProblems) as refused:
        read()
    return [line.split(":", 1)[1] for line in refused.value.lines()]


def test_labels_are_read_by_id_and_by_name_in_both_languages(write: Write) -> None:
    file = write("l.csv", "item_id,annotator,labels\n"
                 "Q1,N01,all-or-nothing|读心术\nQ1,N02,Mind reading\nQ2,N01,\nQ2,N02,<unsure>\n")
    rows = {(row.item, row.annotator): row.labels for row in read_labels(file, scheme=BURNS).rows}
    assert rows == {
        ("Q1", "N01"): {"all-or-nothing", "mind-reading"}, ("Q1", "N02"): {"mind-reading"},
        ("Q2", "N01"): set(), ("Q2", "N02"): None,
    }


def test_without_a_scheme_labels_stay_as_written(write: Write) -> None:
    file = write("l.csv", "item_id,annotator,labels\nQ1,N01,读心术 | Own label\n")
    assert read_labels(file).rows[0].labels == {"读心术", "Own label"}


def test_excluded_rows_are_left_out_and_counted(write: Write) -> None:
    file = write("l.csv", "item_id,annotator,labels,excluded\nQ1,N01,a,\nQ2,N01,a,withdrawn\n")
    read = read_labels(file)
    assert [row.item for row in read.rows] == ["Q1"]
    assert read.flow == {"excluded": 1}


def test_what_is_wrong_in_a_labels_file_is_told_with_its_row(write: Write) -> None:
    file = write("l.csv", "item_id,annotator,labels\nQ1,N01,nonsense\nQ1,N01,\n"
                 ",N01,labeling\nQ2,N01,<unsure>|labeling\n")
    told = refusals(lambda: read_labels(file, scheme=BURNS))
    assert "4: item_id: empty, or nothing in it can be seen; fill it in" in told
    assert "3: annotator: the same item and annotator as row 2; keep one row" in told
    assert ("2: labels: nonsense is no label of the scheme burns-12; write its id or its name, "
            "labels joined by |") in told
    assert ("5: labels: <unsure> stands beside a label; write <unsure> alone, or the labels "
            "alone") in told


def test_a_file_without_a_decision_is_refused(write: Write) -> None:
    file = write("l.csv", "item_id,annotator,labels\nQ1,N01,<unsure>\n")
    assert refusals(lambda: read_labels(file)) == [
        "1: file: no row is left to analyse: every one is <unsure> or excluded; "
        "label at least one item"]


def test_offsets_count_as_in_python_also_behind_emoji(write: Write) -> None:
    text = "😔👩‍👩‍👧我总是这样"
    labels = write("l.csv", "item_id,annotator,labels\nQ1,N01,labeling\n")
    start = text.index("总是")
    spans = write("s.csv", "item_id,annotator,start,end,label\n"
                  f"Q1,N01,{start},{start + 2},乱贴标签\n")
    documents = write("d.csv", f"item_id,text\nQ1,{text}\n")
    read = read_spans(spans, documents, rows=read_labels(labels).rows, scheme=BURNS)
    (one,) = read.documents.spans
    assert text[one.start : one.end] == "总是"
    assert one.label == "labeling"
    assert read.documents.lengths == {"Q1": len(text)}


def test_what_is_wrong_in_a_spans_file_is_told_with_its_row(write: Write) -> None:
    labels = read_labels(write("l.csv", "item_id,annotator,labels\nQ1,N01,labeling\n")).rows
    documents = write("d.csv", "item_id,text\nQ1,0123456789\n")
    spans = write("s.csv", "item_id,annotator,start,end,label\nQ1,N01,4,4,labeling\n"
                  "Q1,N01,4,11,labeling\nQ1,N01,x,4,labeling\nQ9,N01,0,4,labeling\n")
    told = refusals(lambda: read_spans(spans, documents, rows=labels))
    assert [line.split(":")[0] for line in told] == ["2", "3", "4", "5"]
    assert "the span ends at 11, but the text has 10 characters" in told[1]
    assert "x is not an offset" in told[2]


def test_a_span_of_somebody_who_did_not_label_does_not_count(write: Write) -> None:
    labels = read_labels(write("l.csv", "item_id,annotator,labels\nQ1,N01,labeling\n")).rows
    documents = write("d.csv", "item_id,text\nQ1,0123456789\n")
    spans = write("s.csv", "item_id,annotator,start,end,label\nQ1,N02,0,4,labeling\n")
    read = read_spans(spans, documents, rows=labels)
    assert not read.documents.spans
    assert [one.code for one in read.warnings] == ["labels.span_of_nobody"]


def test_a_gold_file_is_read_with_rules_and_chances(write: Write) -> None:
    file = write("g.csv", "item_id,gold,model,rule,inclusion_probability\n"
                 "Q1,labeling,,adjudicated,0.5\nQ2,<unsure>,labeling,majority,1\n")
    read = read_gold(file, gold=BURNS, model=BURNS)
    (row,) = read.rows
    assert (row.gold, row.model, row.rule, row.chance) == (
        {"labeling"}, frozenset(), "adjudicated", 0.5)
    assert read.flow["gold_unsure"] == 1


def test_what_is_wrong_in_a_gold_file_is_told_with_its_row(write: Write) -> None:
    file = write("g.csv", "item_id,gold,model,inclusion_probability\nQ1,labeling,foo,0.5\n"
                 "Q1,,,1.5\n")
    told = refusals(lambda: read_gold(file, gold=BURNS, model=BURNS))
    assert any(line.startswith("3: item_id: the same item as row 2") for line in told)
    assert any(line.startswith("2: model: foo is no label of the scheme") for line in told)
    assert any(line.startswith("3: inclusion_probability: 1.5 is not a prob") for line in told)


def test_empty_cells_and_the_word_none_are_none_and_the_empty_ones_are_counted(
    write: Write,
) -> None:
    file = write("g.csv", "item_id,gold,model\nQ1,None,none\nQ2,,labeling\nQ3,,labeling\n")
    read = read_gold(file)
    assert [row.gold for row in read.rows] == [frozenset()] * 3
    assert [describe(one).split(": ", 1)[1] for one in read.warnings] == [
        "gold: 2 empty cells in `gold` are read as none; write none in them to say so"]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("unsure", "unsure is reserved; write <unsure> for what could not be decided"),
        ("none|labeling", "none stands beside a label; write none alone, or the labels alone"),
        ("a;b", "a;b holds “;”; join labels by |"),
        ("a、b", "a、b holds “、”; join labels by |"),
        ("a，b", "a，b holds “，”; join labels by |"),
    ],
)
@pytest.mark.parametrize("scheme", [None, BURNS])
def test_reserved_words_and_separators_are_no_labels(
    cell: str, told: str, scheme: Scheme | None, write: Write
) -> None:
    file = write("l.csv", f"item_id,annotator,labels\nQ1,N01,{cell}\nQ1,N02,labeling\n")
    assert refusals(lambda: read_labels(file, scheme=scheme)) == [f"2: labels: {told}"]


def test_the_label_that_was_meant_is_suggested(write: Write) -> None:
    file = write("l.csv", "item_id,annotator,labels\nQ1,N01,mind-reeding\n")
    assert refusals(lambda: read_labels(file, scheme=BURNS)) == [
        "2: labels: mind-reeding is no label of burns-12; did you mean mind-reading?"]


def test_a_span_that_stands_twice_is_refused_and_problems_are_told_by_row(write: Write) -> None:
    labels = read_labels(write("l.csv", "item_id,annotator,labels\nQ1,N01,labeling\n")).rows
    documents = write("d.csv", "item_id,text\nQ1,0123456789\n")
    spans = write("s.csv", "item_id,annotator,start,end,label\nQ1,N01,0,4,labeling\n"
                  "Q1,N01,0,4,labeling\n,N01,0,4,labeling\nQ1,N01,2,5,none\n")
    told = refusals(lambda: read_spans(spans, documents, rows=labels))
    assert "3: start: the same span as row 2; keep one row" in told
    assert "5: label: none is reserved and no label of a span; name a label, or remove the row" in (
        told)
    assert [line[0] for line in told] == sorted(line[0] for line in told)


def test_a_missing_column_is_told_with_all_that_are_needed(write: Write) -> None:
    needed = "this file needs the columns item_id, gold, model"
    for name, text in (("g.csv", "item_id,gold\nQ1,a\n"),
                       ("g.jsonl", '{"item_id": "Q1", "gold": "a"}\n')):
        file = write(name, text)
        told = refusals(partial(read_gold, file))
        assert told[0].startswith("1: model: there is no column model (found: ")
        assert told[0].endswith(needed)


def test_a_machines_file_is_joined_by_item_and_what_is_missing_is_counted(write: Write) -> None:
    gold = write("g.csv", "item_id,gold\nQ1,labeling\nQ2,none\nQ3,labeling\n")
    model = write("m.csv", "item_id,labels\nQ2,labeling\nQ1,乱贴标签\nQ8,none\nQ9,none\n")
    read = read_gold(gold, gold=BURNS, model=BURNS, machine=MachineFile(model))
    assert [(row.item, row.gold, row.model) for row in read.rows] == [
        ("Q1", {"labeling"}, {"labeling"}), ("Q2", frozenset(), {"labeling"})]
    assert (read.flow["gold_without_model"], read.flow["model_without_gold"]) == (1, 2)
    assert [one.code for one in read.warnings] == ["labels.not_in_both"]


def test_proposals_alone_do_not_say_where_nothing_was_found(write: Write) -> None:
    gold = write("g.csv", "item_id,gold\nQ1,labeling\n")
    proposals = write("proposals.csv", "item_id,label\nQ1,labeling\n")
    assert "only with machine_runs.csv beside it" in refusals(
        lambda: read_gold(gold, machine=MachineFile(proposals)))[0]


def test_gold_that_knows_only_that_there_is_a_distortion_counts_for_that_alone(
    write: Write, run: Run, tmp_path: Path
) -> None:
    file = write("g.csv", "item_id,gold,any,model\nQ1,labeling,1,labeling\nQ2,<unsure>,1,labeling\n"
                 "Q3,<unsure>,,labeling\n")
    out = tmp_path / "o.json"
    assert run("labels", "evaluate", file, "--out", out, "--bootstrap", "0")[0] == 0
    found: dict[str, Any] = json.loads(out.read_text("utf-8"))
    assert (found["n_items"], found["n_items_labels"], found["binary"]["tp"]) == (2, 1, 2)
    label = found["per_label"]["labeling"]
    assert [label[cell] for cell in ("tp", "fp", "fn", "tn")] == [1, 0, 0, 0]
    assert (found["flow"]["gold_any_only"], found["flow"]["gold_unsure"]) == (1, 1)


def test_files_in_a_named_encoding_are_read(write: Write, run: Run, tmp_path: Path) -> None:
    file, model = tmp_path / "g.csv", tmp_path / "m.csv"
    file.write_text("item_id,gold\nQ1,读心术\nQ2,none\n", "gb18030")
    model.write_text("item_id,model\nQ1,读心术\nQ2,贴标签\n", "gb18030")
    out = tmp_path / "o.json"
    code, told, _ = run("labels", "evaluate", file, "--model", model, "--encoding", "gb18030",
                        "--out", out, "--bootstrap", "0")
    assert code == 0
    assert "2 items" in told
    labels = tmp_path / "l.csv"
    labels.write_text("item_id,annotator,labels\nQ1,N01,读心术\nQ1,N02,贴标签\n", "gb18030")
    assert run("labels", "agreement", labels, "--encoding", "gb18030", "--out", out)[0] == 0
    assert list(json.loads(out.read_text("utf-8"))["labels"]) == ["读心术", "贴标签"]


LABELS = ("item_id,annotator,labels\nQ1,N01,labeling\nQ1,N02,labeling|mind-reading\n"
          "Q2,N01,\nQ2,N02,\nQ3,N01,mind-reading\nQ3,N02,<unsure>\n")


def test_labels_agreement_writes_the_contracts_json(
    write: Write, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "o.json"
    spans = write("s.csv", "item_id,annotator,start,end,label\nQ1,N01,0,4,labeling\n"
                  "Q1,N02,2,6,labeling\n")
    documents = write("d.csv", "item_id,text\nQ1,0123456789\nQ2,abc\n")
    code, told, _ = run(
        "labels", "agreement", write("l.csv", LABELS), "--out", out, "--scheme", "burns-12",
        "--spans", spans, "--documents", documents, "--bootstrap", "20")
    assert code == 0
    found: dict[str, Any] = json.loads(out.read_text("utf-8"))
    assert {"alpha_masi", "alpha_jaccard", "labels", "spans"} <= set(found)
    assert list(found["labels"]) == [label.id for label in BURNS.labels]
    label = found["labels"]["labeling"]
    assert {"prevalence", "percent_agreement", "alpha_nominal", "ac1", "kappa_pairs"} <= set(label)
    assert set(label["ac1"]) >= {"value", "low", "high", "reason"}
    assert {"a", "b", "n", "kappa"} <= set(label["kappa_pairs"][0])
    assert {"char_alpha", "char_f1"} <= set(found["spans"])
    assert "scheme:burns-12@1#" in found["signature"]
    assert "3 items, 2 annotators, 5 label sets (1 unsure left out)" in told


def test_labels_evaluate_writes_the_contracts_json(write: Write, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "o.json"
    file = write("g.csv", "item_id,gold,model,rule\nQ1,labeling,乱贴标签,majority\n"
                 "Q2,,mind-reading,adjudicated\nQ3,mind-reading,mind-reading,majority\n")
    code, told, _ = run("labels", "evaluate", file, "--out", out, "--scheme", "burns-12",
                        "--bootstrap", "20")
    assert code == 0
    found = json.loads(out.read_text("utf-8"))
    assert set(found["binary"]) >= {
        "tp", "fp", "fn", "tn", "accuracy", "precision", "recall", "specificity", "f1", "kappa"}
    for block in ("micro", "macro", "macro_supported"):
        assert {"precision", "recall", "f1"} <= set(found[block])
    assert set(found["per_label"]) == {label.id for label in BURNS.labels}
    assert found["gold_from"] == "file"
    assert found["gold_rules"] == {"adjudicated": 1, "majority": 2}
    assert found["unit"].startswith("item")
    assert "gold from: file" in told
    assert "paper (500)" in told


def test_schemes_that_differ_are_put_over_through_the_crosswalk(
    write: Write, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "o.json"
    file = write("g.csv", "item_id,gold,model\nQ1,magnification,灾难化\nQ2,labeling,\n")
    code, told, _ = run("labels", "evaluate", file, "--out", out, "--gold-scheme", "burns-12",
                        "--model-scheme", "cbt-llm-5", "--scheme", "cbt-llm-5")
    assert code == 0
    found = json.loads(out.read_text("utf-8"))
    assert found["per_label"]["catastrophizing"]["tp"] == 1
    assert found["binary"]["fn"] == 1  # labeling has no counterpart, yet it is a distortion
    assert found["crosswalk"]["gold"]["not_mapped"] == {"labeling": 1}
    assert "could not be mapped to cbt-llm-5: labeling" in told


def test_an_own_scheme_is_taken_from_its_file(write: Write, run: Run, tmp_path: Path) -> None:
    scheme = write("own.toml", 'id = "own"\n[[labels]]\nid = "x"\nname = "X"\ndefinition = "d"\n')
    file = write("l.csv", "item_id,annotator,labels\nQ1,N01,X\nQ1,N02,\n")
    out = tmp_path / "o.json"
    assert run("labels", "agreement", file, "--out", out, "--scheme", scheme)[0] == 0
    assert list(json.loads(out.read_text("utf-8"))["labels"]) == ["x"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["agreement", "{missing}", "--out", "{out}"], ":1: file: "),
        (["agreement", "{labels}", "--out", "{out}", "--scheme", "burns-13"], "burns-13"),
        (["agreement", "{labels}", "--out", "{out}", "--spans", "{labels}"], "--documents"),
        (["agreement", "{labels}", "--out", "{out}", "--gamma"], "--gamma needs"),
        (["agreement", "{labels}", "--out", "{out}", "--aggregate", "mace"], "--aggregate-out"),
        (["agreement", "{labels}", "--out", "{out}", "--scheme", "c2d2-7"], "c2d2-7; write its id"),
        (["evaluate", "{labels}", "--out", "{out}"], "gold"),
        (["evaluate", "{labels}", "--out", "{out}", "--machine", "M1"], "--machine goes with"),
        (["evaluate", "{labels}", "--out", "{out}", "--gold-scheme", "burns-12"], "--model-scheme"),
    ],
)
def test_a_refusal_is_exit_1_and_a_sentence(
    arguments: list[str], words: str, write: Write, run: Run, tmp_path: Path
) -> None:
    labels = write("l.csv", "item_id,annotator,labels\nQ1,N01,self-blame\nQ1,N02,\n")
    places = {"labels": labels, "out": tmp_path / "o.json", "missing": tmp_path / "no.csv"}
    code, _, error = run("labels", *(one.format(**places) for one in arguments))
    assert code == 1
    assert words in error
    assert "Traceback" not in error
    assert not places["out"].exists()


@pytest.mark.parametrize(
    ("option", "package", "module"),
    [("--gamma", "pygamma-agreement", "pygamma_agreement"),
     ("--aggregate", "crowd-kit", "crowdkit")],
)
def test_an_extra_that_is_not_installed_is_named_with_the_way_to_get_it(
    option: str, package: str, module: str, write: Write, run: Run, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    for name in (module, "crowdkit.aggregation.classification"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    documents = write("d.csv", "item_id,text\nQ1,0123456789\nQ2,abc\nQ3,abc\n")
    spans = write("s.csv", "item_id,annotator,start,end,label\nQ1,N01,0,4,labeling\n")
    more = [option] if option == "--gamma" else [option, "mace", "--aggregate-out",
                                                 tmp_path / "g.csv"]
    code, _, error = run(
        "labels", "agreement", write("l.csv", LABELS), "--out", tmp_path / "o.json",
        "--spans", spans, "--documents", documents, *more)
    assert code == 1
    assert package in error
    assert "pip install -r requirements-extras.txt" in error


def test_a_figure_without_an_interval_says_why(write: Write, run: Run, tmp_path: Path) -> None:
    file = write("l.csv", "item_id,annotator,labels\nQ1,N01,a\nQ1,N02,a\nQ2,N01,none\n"
                 "Q2,N02,none\n")
    _, told, _ = run("labels", "agreement", file, "--out", tmp_path / "o.json",
                     "--bootstrap", "20")
    any_row = next(line for line in told.splitlines() if line.startswith("any distortion"))
    assert "1.000 (no interval: undefined in more than 5 % of the draws of items)" in any_row


def test_the_chinese_table_is_chinese(write: Write, run: Run, tmp_path: Path) -> None:
    code, told, _ = run("--lang", "zh", "labels", "agreement", write("l.csv", LABELS), "--out",
                        tmp_path / "o.json", "--bootstrap", "0")
    assert code == 0
    assert "3 道题目，2 位标注者" in told
    assert "有任何歪曲" in told
