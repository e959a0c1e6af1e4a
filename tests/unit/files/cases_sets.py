"""Catalogue cases 69-93: ids, sets of systems, texts, limits."""

# ruff: noqa: E501 - a table reads best with one case a row

from tests.unit.files.samples import (
    ANSWER,
    HEADER,
    Case,
    answers,
    lines,
    one,
    questions,
    record,
    table,
)

BOTH = {"questions": "q.jsonl", "answers": ["a.jsonl"]}
SURE = {"questions": "q.jsonl", "answers": ["a.jsonl"], "labels": {"mind-reading"}}


def pair(asked: tuple[str, ...], *given: tuple[str, str]) -> dict[str, bytes]:
    """Return a questions and an answers file."""
    return {"q.jsonl": questions(*asked), "a.jsonl": answers(*given)}


def keys(*found: str) -> dict[str, bytes]:
    """Return a study file with these ids."""
    return {"s.jsonl": lines(*(record(n, id=key) for n, key in enumerate(found)))}


def labelled(*labels: str) -> dict[str, bytes]:
    """Return a questions file and an answer with these labels."""
    row = {"id": "n1", "system": "red", "answer": ANSWER, "distortions": list(labels)}
    return {"q.jsonl": questions("n1"), "a.jsonl": lines(row)}


def said(text: str) -> dict[str, bytes]:
    """Return a study file in which blue says this in the second record."""
    return one(answers={"red": "红的回答：" + ANSWER, "blue": text})


def kept(text: str) -> dict[str, bytes]:
    """Return a study file with this question in the second record."""
    return one(question=text)


LITERAL = [
    "<script>alert(1)</script><img src=x onerror=alert(1)> [a](javascript:x) ![](http://x.example/y.png)",
    "**a** $x$ :smile: :red[x] `c`",
    "👩‍👩‍👧‍👦 𠀀𠮷 e\u0301\u0301\u0301\u0301 क्ष",
    "=1+1",
    "'=quoted",
    "Cafe\u0301 Ａ１",
]

IDS = [
    Case(69, "same record twice", {"s.jsonl": lines(record(1), record(1))}, "W", "record_twice", 2, "id"),
    Case(69, "other content", {"s.jsonl": lines(record(1), record(1, question="别的"))}, "E", "key_twice", 2, "id"),
    Case(70, "missing", {"s.jsonl": lines(record(1), {"question": "a"})}, "E", "key_empty", 2, "id"),
    Case(70, "blank", keys("n1", " "), "E", "key_empty", 2, "id"),
    Case(70, "invisible", keys("n1", "\u200b"), "E", "key_empty", 2, "id"),
    Case(71, "case", keys("Q1", "q1"), "E", "key_like", 2, "id"),
    Case(71, "width", keys("Q1", "Ｑ１"), "E", "key_like", 2, "id"),
    Case(71, "trim", keys("Q1", "Q1 "), "E", "key_like", 2, "id"),
    Case(71, "nfc", keys("caf\u00e9", "cafe\u0301"), "E", "key_like", 2, "id"),
    Case(72, "formula-like", keys("=1+1", "+86", "-1", "@x"), "OK",
         holds=lambda study: [item.key for item in study.items] == ["=1+1", "+86", "-1", "@x"]),
    Case(73, "path-like", keys("../../etc/passwd", "con", "a/b", "%2e%2e", "a\nb", "x" * 200), "OK"),
    Case(73, "300 characters", keys("x" * 300), "E", "key_too_long", 1, "id"),
    Case(74, "system in the id", pair(("n1", "q12_gpt4"), ("n1", "gpt4"), ("q12_gpt4", "gpt4")),
         "E", "key_names_system", 2, "id", BOTH),
    Case(74, "other separators", pair(("Q-GPT_4-1",), ("Q-GPT_4-1", "gpt-4")), "E", "key_names_system", 1, "id", BOTH),
    Case(74, "only part of a word", pair(("database-1",), ("database-1", "base")), "OK", options=BOTH),
    Case(74, "two letters", pair(("ab-1",), ("ab-1", "ab")), "OK", options=BOTH),
    Case(75, "names its model", said("As GPT-4, I would first ask what went through your mind."),
         "W", "leak_phrase", 2, "answer:blue"),
    Case(75, "says it is an AI", said("作为一个AI语言模型，我不能感受情绪。"), "W", "leak_phrase", 2, "answer:blue"),
    Case(75, "names its system", pair(("n1",), ("n1", "zebra-lora")) | {"a.jsonl":
         lines({"id": "n1", "system": "zebra-lora", "answer": "我是Zebra-LoRA，您好。"})},
         "W", "leak_system", 1, "answer:zebra-lora", BOTH),
    Case(76, "unequal sets", pair(("n1", "n2"), ("n1", "red"), ("n1", "blue"), ("n2", "red")),
         "E", "systems_unequal", 2, "answers", BOTH),
    Case(77, "two spellings", pair(("n1", "n2"), ("n1", "gpt4"), ("n2", "gpt-4")), "E", "system_like", 2, "system", BOTH),
    Case(77, "space at the end", pair(("n1",), ("n1", "red ")), "E", "system_spaces", 1, "system", BOTH),
    Case(78, "answered twice", pair(("n1",), ("n1", "red"), ("n1", "red")), "E", "answer_twice", 2, "system", BOTH),
    Case(79, "unknown item", pair(("n1",), ("n1", "red"), ("n9", "red")), "E", "item_unknown", 2, "id", BOTH),
    Case(79, "almost known item", pair(("n1",), ("N1", "red")), "E", "item_like", 1, "id", BOTH),
    Case(80, "one system", pair(("n1",), ("n1", "red")), "OK", options=BOTH),
    Case(80, "no system", {"s.jsonl": questions("n1")}, "OK"),
]  # fmt: skip

TEXTS = [
    *(Case(83, f"blank {n}", said(text), "E", "text_empty", 2, "answer:blue")
      for n, text in enumerate(("", "  \n", "\u200b", "\u3164", "\u2800"))),
    Case(83, "blank in csv", table("n1,a,,r,b", "n2,c,, ,d"), "E", "text_empty", 3, "answer:red"),
    *(Case(number, f"literal {n}", kept(text), "OK",
           holds=lambda study, text=text: study.items[1].question == text)  # type: ignore[misc]
      for n, (number, text) in enumerate(zip((84, 85, 87, 88, 88, 87), LITERAL, strict=True))),
    Case(88, "guarded cell", table("n1,'=1+1,,r,b"), "OK", holds=lambda study: study.items[0].question == "=1+1"),
    Case(86, "override", kept("a\u202eb"), "W", "text_direction", 2, "question"),
    Case(86, "isolate", kept("a\u2067b\u2069"), "W", "text_direction", 2, "question"),
    Case(89, "20,000 characters", kept("长" * 20_000), "OK"),
    Case(89, "20,001 characters", kept("长" * 20_001), "W", "text_long", 2, "question"),
    Case(89, "200,000 characters", kept("长" * 200_000), "E", "text_too_long", 2, "question"),
    Case(89, "unequal", said("短" * 19_000), "W", "lengths_unequal", 2, "answers"),
    Case(90, "telephone", kept("打 138-1234-5678 找我"), "W", "privacy_phone", 2, "question"),
    Case(90, "mail", kept("写信到wang.li@example.com吧"), "W", "privacy_mail", 2, "question"),
    Case(90, "wechat", kept("加我微信：wang_li88"), "W", "privacy_chat", 2, "question"),
    Case(90, "card", kept("号码是11010519491231002X的"), "W", "privacy_card", 2, "question"),
    Case(90, "no person", kept("2026-11-23 08:00，@所有人，3.14159265，1/2"), "OK"),
    Case(92, "unknown label", labelled("读心术"), "E", "label_unknown", 1, "distortions", SURE),
    Case(92, "label twice", labelled("mind-reading", "mind-reading"), "E", "label_twice", 1, "distortions", SURE),
    Case(92, "known label", labelled("mind-reading"), "OK", options=SURE),
    Case(93, "10,000 columns", table(header=HEADER + "," + ",".join(f"c{n}" for n in range(10_000))),
         "E", "too_many_columns"),
    Case(93, "10,000 keys", {"s.jsonl": lines({f"c{n}": n for n in range(10_000)})}, "E", "too_many_columns"),
    Case(93, "1,000 systems", pair(("n1",), *(("n1", f"s{n}") for n in range(1000))), "E", "too_many_systems",
         101, "system", BOTH),
]  # fmt: skip

CASES = [*IDS, *TEXTS]
