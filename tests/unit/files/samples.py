"""Small files for the tests of reading, good and bad, and what is expected of them."""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

from cbt_core.files.study import ReadStudy, read_study

HEADER = "id,question,description,answer:red,answer:blue"
ANSWER = "先说说当时脑子里闪过的念头。"


@dataclass(frozen=True, slots=True)
class Case:
    """A catalogue case: files by name, and class E (refused), W (warned) or OK (taken).

    `options` go to `read_study`: the role of each file, encoding, sheet.
    """

    number: int
    name: str
    files: dict[str, bytes]
    expected: str
    code: str = ""
    row: int = 1
    field: str = "file"
    options: dict[str, object] | None = None
    holds: Callable[[ReadStudy], bool] | None = None

    def read(self, folder: Path) -> ReadStudy:
        """Write the files and read them; without options the first is a study file."""
        paths = {name: folder / name for name in self.files}
        for name, content in self.files.items():
            paths[name].write_bytes(content)
        options = dict(self.options or {"study_file": next(iter(paths))})
        for role in ("study_file", "questions"):
            if role in options:
                options[role] = folder / str(options[role])
        for role in ("answers", "references"):
            if role in options:
                options[role] = [folder / str(name) for name in options[role]]  # type: ignore[attr-defined]
        shown = {path: name for name, path in paths.items()}
        return read_study(names=shown, **options)  # type: ignore[arg-type]


def record(number: object = 1, **more: object) -> dict[str, object]:
    """Return a sound record of a study file."""
    answers = {"red": f"红的回答{number}：{ANSWER}", "blue": f"蓝的回答{number}：{ANSWER}"}
    return {
        "id": f"n{number}",
        "question": f"第{number}题：睡不好怎么办？",
        "answers": answers,
        **more,
    }


def lines(*records: object) -> bytes:
    """Return records as JSONL; a text or bytes stands as it is."""
    return b"".join(_line(one) + b"\n" for one in records)


def _line(one: object) -> bytes:
    if isinstance(one, bytes):
        return one
    return (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)).encode()


def one(**more: object) -> dict[str, bytes]:
    """Return a JSONL study file whose second record has the given fields."""
    return {"s.jsonl": lines(record(1), record(2, **more))}


def table(*rows: str, header: str = HEADER, name: str = "s.csv") -> dict[str, bytes]:
    """Return a CSV file."""
    return {name: "\n".join((header, *rows, "")).encode()}


def sheet(
    *rows: Sequence[object],
    change: Callable[[Workbook], None] | None = None,
    header: str = HEADER,
) -> dict[str, bytes]:
    """Return a workbook with one sheet; `change` edits it before it is saved."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(header.split(","))
    for row in rows:
        page.append(list(row))
    if change:
        change(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return {"s.xlsx": buffer.getvalue()}


def parts(
    found: dict[str, bytes], *, replace: dict[str, bytes | None] | None = None
) -> dict[str, bytes]:
    """Return a workbook with some of its parts replaced, added or (None) left out."""
    replace = replace or {}
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(found["s.xlsx"])) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name not in replace:
                new.writestr(name, old.read(name))
        for name, content in replace.items():
            if content is not None:
                new.writestr(name, content)
    return {"s.xlsx": buffer.getvalue()}


NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def shared(found: dict[str, bytes], texts: str, rows: str) -> dict[str, bytes]:
    """Return a workbook whose cells refer to texts by number, as Excel writes it.

    `texts` is the XML of the texts, `rows` that of the rows.
    """
    relations = "xl/_rels/workbook.xml.rels"
    link = f'<Relationship Type="{RELATION}/sharedStrings" Target="sharedStrings.xml" Id="rId9"/>'
    links = part(found, relations).decode().replace("</Relationships>", f"{link}</Relationships>")
    types = "[Content_Types].xml"
    kind = '<Override PartName="/xl/sharedStrings.xml" ContentType="{}+xml"/>'.format(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings"
    )
    kinds = part(found, types).decode().replace("</Types>", f"{kind}</Types>")
    page = f'<worksheet xmlns="{NAMESPACE}"><sheetData>{rows}</sheetData></worksheet>'
    replace: dict[str, bytes | None] = {
        relations: links.encode(),
        types: kinds.encode(),
        "xl/sharedStrings.xml": f'<sst xmlns="{NAMESPACE}">{texts}</sst>'.encode(),
        "xl/worksheets/sheet1.xml": page.encode(),
    }
    return parts(found, replace=replace)


def part(found: dict[str, bytes], name: str) -> bytes:
    """Return one part of a workbook."""
    with zipfile.ZipFile(io.BytesIO(found["s.xlsx"])) as package:
        return package.read(name)


def questions(*keys: str) -> bytes:
    """Return a questions file with these ids."""
    return lines(*({"id": key, "question": f"{key}：怎么办？"} for key in keys))


def answers(*pairs: tuple[str, str], text: str = ANSWER) -> bytes:
    """Return an answers file: (id, system) each, with different texts."""
    return lines(
        *(
            {"id": key, "system": system, "answer": f"{text}（{number}）"}
            for number, (key, system) in enumerate(pairs)
        )
    )
