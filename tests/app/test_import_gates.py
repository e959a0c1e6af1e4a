"""The import page shows what the answers betray, before anything is stored."""

import json
from pathlib import Path

from cbt_core.domain.people import Person
from tests import making
from tests.app.desk import press, show, words


def test_the_preview_says_what_tells_the_systems_apart(lead: Person, tmp_path: Path) -> None:
    file = making.study_file(tmp_path, items=12)
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    for row in rows:
        row["answers"]["zebra-lora"] = "1. 先休息。\n2. " + row["answers"]["zebra-lora"]
    rows[2]["answers"]["baseline"] = "您可以先停药观察几天。"
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    screen = show("import_study")
    screen.file_uploader(key="up-study").upload("study.jsonl", text.encode(), "application/json")
    screen = press(screen.run(), "Look at the files")
    assert not screen.exception
    said = words(screen)
    assert "Before raters see the answers" in said
    assert "baseline and zebra-lora can be told apart by form alone" in said
    assert "advice to take, stop or change medicine: baseline 1" in said
    assert "Q003" in said
