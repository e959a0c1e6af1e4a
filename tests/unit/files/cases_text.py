"""Catalogue cases 1-42: encoding, JSON and JSONL, PsyQA."""

# ruff: noqa: E501 - a table reads best with one case a row

import gzip
import json

from tests.unit.files.samples import ANSWER, HEADER, Case, lines, one, record, table

GOOD = table("n1,睡不好怎么办,我是最近才这样的,红的回答在这里,蓝的回答在这里")["s.csv"]
TEXT = GOOD.decode()
BIG5 = (
    f"{HEADER}\nn1,最近總是睡不著怎麼辦,我覺得壓力很大,試著寫下擔心的事,先聽聽身體的感覺\n".encode(
        "big5"
    )
)
LONG = "x" * 1_200_000


def psyqa(*records: object) -> dict[str, bytes]:
    """Return a PsyQA file."""
    return {"p.json": json.dumps(records, ensure_ascii=False).encode()}


def entry(number: object = 1, **more: object) -> dict[str, object]:
    """Return a sound PsyQA record."""
    spans = [
        {"start": 0, "end": 2, "type": "Restatement"},
        {"start": 2, "end": 5, "type": "Others"},
    ]
    answer = {"answer_text": ANSWER, "has_label": True, "labels_sequence": spans}
    fields = {
        "questionID": number,
        "question": f"第{number}题怎么办？",
        "description": "",
        "keywords": "睡眠,工作",
    }
    return {**fields, "answers": [answer], **more}


def spans(*found: dict[str, object]) -> list[dict[str, object]]:
    """Return the answers of a PsyQA record with these spans."""
    return [{"answer_text": ANSWER, "has_label": True, "labels_sequence": list(found)}]


P = {"questions": "p.json"}
SPAN = "answers[1].labels_sequence"

ENCODING = [
    Case(1, "bom", {"s.csv": b"\xef\xbb\xbf" + GOOD}, "OK"),
    Case(1, "bom in jsonl", {"s.jsonl": b"\xef\xbb\xbf" + lines(record())}, "OK"),
    Case(2, "utf-16 le", {"s.csv": TEXT.encode("utf-16")}, "W", "encoding_read_as"),
    Case(2, "utf-16 be", {"s.csv": b"\xfe\xff" + TEXT.encode("utf-16-be")}, "W", "encoding_read_as"),
    Case(3, "utf-16 without bom", {"s.csv": TEXT.encode("utf-16-le")}, "E", "encoding_no_mark"),
    Case(4, "gb18030", {"s.csv": TEXT.encode("gb18030")}, "W", "encoding_read_as"),
    Case(5, "big5", {"s.csv": BIG5}, "E", "encoding_unknown", 2),
    Case(6, "bad byte", {"s.csv": GOOD + GOOD.split(b"\n")[1][:-3] + b"\xff\n"}, "E", "encoding_bad_byte", 3),
    Case(6, "bad byte far in", {"s.jsonl": lines(record(1, description=LONG), record(2), b'{"id":"\xff"}')},
         "E", "encoding_bad_byte", 3),
    Case(7, "utf-8 asked as gb18030", {"s.csv": GOOD}, "E", "encoding_is_utf8",
         options={"study_file": "s.csv", "encoding": "gb18030"}),
    Case(8, "twice encoded", one(description="你好".encode().decode("cp1252", "replace").replace("\ufffd", "\u00a0")),
         "W", "text_mangled", 2, "description"),
    Case(9, "utf-7", {"s.csv": TEXT.encode("utf-7")}, "E", "encoding_utf7"),
    Case(9, "overlong", {"s.csv": b"id,question\n1,a\xc0\x80b\n"}, "E", "encoding_unknown", 2),
    Case(10, "lone surrogate", {"s.jsonl": lines(record(1), '{"id":"a","question":"\\ud83d"}')},
         "E", "text_surrogate", 2, "question"),
    Case(11, "replacement character", one(question="睡\ufffd好"), "W", "text_damaged", 2, "question"),
    Case(12, "nul", one(question="a\0b"), "E", "text_nul", 2, "question"),
    Case(12, "nul in csv", table("1,a\0b,,r,b"), "E", "text_nul", 2, "question"),
    Case(13, "control", one(question="a\x07b"), "E", "text_control", 2, "question"),
    Case(13, "c1 control", one(question="a\x9bb"), "E", "text_control", 2, "question"),
    Case(14, "empty", {"s.csv": b""}, "E", "file_empty"),
    Case(15, "only a bom", {"s.csv": b"\xef\xbb\xbf"}, "E", "no_records"),
    Case(15, "only a header", table(), "E", "no_records"),
    Case(15, "only blank lines", {"s.jsonl": b"\n\n \n"}, "E", "no_records"),
    Case(16, "zip as csv", {"s.csv": b"PK\x03\x04" + bytes(60)}, "E", "not_a_text_file"),
    Case(16, "pdf as csv", {"s.csv": b"%PDF-1.7\n"}, "E", "not_a_text_file"),
    Case(16, "png as jsonl", {"s.jsonl": b"\x89PNG\r\n\x1a\n"}, "E", "not_a_text_file"),
    Case(16, "gz as jsonl", {"s.jsonl": gzip.compress(b"{}")}, "E", "not_a_text_file"),
]  # fmt: skip

JSON = [
    Case(17, "cut off", {"s.jsonl": lines(record(1)) + b'{"id":"n2","ques'}, "E", "json_broken", 2),
    Case(17, "list cut off", {"s.json": b'[{"id":"n1","question":"a"},{"id":"n2"'}, "E", "json_broken", 2),
    Case(18, "list in jsonl", {"s.jsonl": json.dumps([record(1), record(2)]).encode()}, "OK"),
    Case(18, "lines in json", {"s.json": lines(record(1), record(2))}, "OK"),
    Case(19, "pretty-printed", {"s.jsonl": json.dumps(record(), indent=2).encode()}, "E", "json_over_lines"),
    Case(20, "trailing comma", {"s.jsonl": lines(record(1), '{"id":"n2",}')}, "E", "json_broken", 2),
    Case(20, "comment", {"s.jsonl": lines(record(1), "// more")}, "E", "json_broken", 2),
    Case(20, "single quotes", {"s.jsonl": lines(record(1), "{'id':'n2'}")}, "E", "json_broken", 2),
    Case(21, "key twice", {"s.jsonl": lines('{"id":"a","id":"b","question":"c"}')}, "E", "json_key_twice", 1, "id"),
    Case(22, "nan", {"s.jsonl": lines('{"id":"a","question":NaN}')}, "E", "json_not_a_number"),
    Case(22, "infinity", {"s.jsonl": lines('{"id":"a","question":-Infinity}')}, "E", "json_not_a_number"),
    Case(23, "1e999", {"s.jsonl": lines('{"id":1e999,"question":"a"}')}, "E", "json_number_too_large"),
    Case(24, "5,000 digits", {"s.jsonl": lines('{"id":' + "9" * 5000 + "}")}, "E", "json_number_too_large"),
    Case(25, "2^63", {"s.jsonl": lines('{"id":9223372036854775808,"question":"a"}')}, "E", "json_number_too_large"),
    Case(26, "nested", {"s.jsonl": lines(record(1), '{"id":' + "[" * 100_000)}, "E", "json_too_deep", 2),
    Case(27, "number", {"s.jsonl": lines(record(1), "7")}, "E", "json_not_an_object", 2),
    Case(27, "null in a list", {"s.json": b'[{"id":"a","question":"b"},null]'}, "E", "json_not_an_object", 2),
    Case(28, "line separators", one(question="a\u2028b\u2029c\u0085d"), "OK",
         holds=lambda study: study.items[1].question == "a\u2028b\u2029c\u0085d"),
    Case(29, "endless line", {"s.jsonl": b'{"id":"' + b"x" * 17_000_000}, "E", "record_too_long"),
    Case(30, "unknown field", one(colour="red"), "W", "column_unknown", 2, "colour"),
    Case(30, "typing error", one(descripton="a"), "W", "column_unknown_close", 2, "descripton"),
    Case(31, "other case", {"s.jsonl": lines({"ID": "a", "Question ": "b"})}, "W", "column_spelling", 1, "ID"),
    Case(32, "blank lines", {"s.jsonl": lines(record(1), "", "", record(2))}, "OK",
         holds=lambda study: study.items[1].row == 4),
]  # fmt: skip

PSYQA = [
    Case(33, "list", psyqa(entry(1), entry(2)), "OK", options=P,
         holds=lambda study: study.items[0].references == (ANSWER,) and study.items[0].source == "PsyQA"),
    Case(33, "data", {"p.json": json.dumps({"data": [entry(1)]}).encode()}, "OK", options=P),
    Case(34, "no answers", psyqa(entry(1, answers=None), entry(2, answers=[])), "OK", options=P),
    Case(35, "answer is a list", psyqa(entry(1, answers=[{"answer_text": ["a"]}])), "E", "not_text",
         1, "answers[1].answer_text", P),
    Case(36, "ids mixed", psyqa(entry(1), entry("2")), "E", "key_mixed", 2, "id", P),
    Case(37, "keywords", psyqa(entry(1), entry(2, keywords=["睡眠", "工作"])), "OK", options=P,
         holds=lambda study: {item.keywords for item in study.items} == {("睡眠", "工作")}),
    Case(38, "has_label as text", psyqa(entry(1, answers=[{"answer_text": ANSWER, "has_label": "false"}])),
         "E", "not_true_or_false", 1, "answers[1].has_label", P),
    Case(39, "end before start", psyqa(entry(1, answers=spans({"start": 3, "end": 1}))),
         "E", "span_outside", 1, f"{SPAN}[1]", P),
    Case(39, "bytes", psyqa(entry(1, answers=spans({"start": 0, "end": len(ANSWER.encode())}))),
         "E", "span_outside", 1, f"{SPAN}[1]", P),
    Case(39, "overlap", psyqa(entry(1, answers=spans({"start": 0, "end": 4}, {"start": 3, "end": 6}))),
         "E", "span_overlap", 1, f"{SPAN}[2]", P),
    Case(40, "question twice", psyqa(entry(1), entry(2, question="第1题怎么办？")), "W", "question_twice",
         2, "question", P),
    Case(41, "same answer", one(answers={"red": ANSWER, "blue": ANSWER}), "W", "same_answer", 2, "answer:blue"),
    Case(41, "answer is the reference",
         {"s.jsonl": lines(record(1)), "r.jsonl": lines({"id": "n1", "answer": f"红的回答1：{ANSWER}"})},
         "W", "same_reference", 1, "answer:red", {"study_file": "s.jsonl", "references": ["r.jsonl"]}),
    Case(42, "entities", one(question="a &lt;b&gt; <br> c"), "OK",
         holds=lambda study: study.items[1].question == "a &lt;b&gt; <br> c"),
]  # fmt: skip

CASES = [*ENCODING, *JSON, *PSYQA]
