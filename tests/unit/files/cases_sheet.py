"""Catalogue cases 43-68: CSV and XLSX."""

# ruff: noqa: E501 - a table reads best with one case a row

import io
import zipfile
from datetime import datetime

from openpyxl import Workbook
from openpyxl.comments import Comment

from tests.unit.files.samples import HEADER, Case, parts, sheet, table

ROW = "n1,睡不好怎么办？,,红的回答,蓝的回答"
CELLS = ROW.split(",")
DOUBLED = 'n1,"他说""好""吗",,红,蓝'
ESCAPED = r'n1,"他说\"好\"吗",,红,蓝'

CSV = [
    Case(43, "semicolon", table(ROW.replace(",", ";"), header=HEADER.replace(",", ";")), "W", "csv_separator"),
    Case(43, "tab", table(ROW.replace(",", "\t"), header=HEADER.replace(",", "\t")), "W", "csv_separator"),
    Case(44, "no header", table(header=ROW), "E", "column_missing", 1, "id"),
    Case(44, "header in row 3", table(HEADER, ROW, header="研究一,,,,\n2026,,,,"), "E", "header_elsewhere", 1, "id"),
    Case(44, "translated", table(ROW, header="编号,问题,描述,甲,乙"), "E", "column_missing", 1, "question"),
    Case(45, "column twice", table(ROW, header="id,question,question,answer:a,answer:b"),
         "E", "column_twice", 1, "question"),
    Case(46, "too few", table(ROW, "n2,a"), "E", "row_short", 3),
    Case(46, "too many", table(ROW, ROW + ",x"), "E", "row_long", 3),
    Case(47, "open quote", table(ROW, 'n2,"a,,r,b'), "E", "csv_quote_open", 3),
    Case(48, "cell over 131,072", table(f"n1,{'x' * 140_000},,r,b"), "E", "csv_cell_endless", 2),
    Case(49, "cell over the cap", table(f"n1,{'x' * 100_001},,r,b"), "E", "text_too_long", 2, "question"),
    Case(49, "cell of 10 MB", table(f"n1,{'x' * 10_000_000},,r,b"), "E", "csv_cell_endless", 2),
    Case(50, "crlf", {"s.csv": table(ROW, ROW.replace("n1", "n2"))["s.csv"].replace(b"\n", b"\r\n")}, "W",
         "question_twice", 3, "question"),
    Case(50, "cr", {"s.csv": table(ROW)["s.csv"].replace(b"\n", b"\r")}, "OK"),
    Case(50, "mixed", {"s.csv": f"{HEADER}\r\n{ROW}\r{ROW.replace('n1', 'n2').replace('睡', '吃')}\n".encode()},
         "OK", holds=lambda study: [item.row for item in study.items] == [2, 3]),
    Case(50, "newline in a cell", table('n1,"a\nb",,r,s', "n2,c,,t,u"), "OK",
         holds=lambda study: study.items[0].question == "a\nb" and study.items[1].row == 4),
    Case(51, "empty columns", table(ROW + ",,", header=HEADER + ",,"), "W", "columns_empty"),
    Case(51, "trailing separators", table(ROW + ",,"), "W", "row_trailing", 2),
    Case(51, "value without a name", table(ROW + ",x", header=HEADER + ","), "E", "column_unnamed", 2),
    Case(52, "sep line", table(ROW.replace(",", ";"), header="sep=;\n" + HEADER.replace(",", ";")), "OK",
         holds=lambda study: study.items[0].row == 3),
    Case(53, "zero-width in the header", table(ROW, header=HEADER.replace("question", "question\u200b")),
         "E", "column_invisible", 1, "question\\u200b"),
    Case(53, "nbsp in the header", table(ROW, header=HEADER.replace("question", "\u00a0question")),
         "E", "column_invisible", 1, "\\u00a0question"),
    Case(54, "doubled quotes", table(DOUBLED), "OK",
         holds=lambda study: study.items[0].question == '他说"好"吗'),
    Case(54, "escaped quotes", table(ESCAPED), "E", "csv_quote_inside", 2),
]  # fmt: skip


def _second_sheet(book: Workbook) -> None:
    book.create_sheet("other").append(["id"])


def _hidden_sheet(book: Workbook) -> None:
    _second_sheet(book)
    book["other"].sheet_state = "hidden"


def _merge(book: Workbook) -> None:
    book["Sheet"].merge_cells("G1:H2")


def _hide_row(book: Workbook) -> None:
    book["Sheet"].row_dimensions[2].hidden = True


def _comment(book: Workbook) -> None:
    book["Sheet"]["B2"].comment = Comment("look", "me")


def _pad(book: Workbook) -> None:
    book["Sheet"]["A2"].number_format = "0000"


def _error(book: Workbook) -> None:
    book["Sheet"]["B2"].value = "#REF!"
    book["Sheet"]["B2"].data_type = "e"


def keyed(key: object) -> dict[str, bytes]:
    """Return a workbook whose only item has this id."""
    return sheet([key, *CELLS[1:]])


def asked(question: object) -> dict[str, bytes]:
    """Return a workbook whose only item has this question."""
    return sheet(["n1", question, *CELLS[2:]])


GOOD = sheet(CELLS)
FIRST = "xl/worksheets/sheet1.xml"
SHAPE = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s<sheetData>%s</sheetData></worksheet>'
DOCTYPE = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]>'


def inline(*rows: list[str]) -> bytes:
    """Return the XML of rows of inline texts."""
    return b"".join(
        b"<row>"
        + b"".join(b'<c t="inlineStr"><is><t>%s</t></is></c>' % cell.encode() for cell in row)
        + b"</row>"
        for row in rows
    )


def bomb() -> bytes:
    """Return a workbook part of 102 MB that packs into 100 KB."""
    return SHAPE % (b"", b"<row/>" * 17_000_000)


def named(name: str) -> dict[str, bytes]:
    """Return a workbook with one more entry."""
    return parts(GOOD, replace={name: b"x"})


def linked() -> dict[str, bytes]:
    """Return a workbook with an entry that is a symbolic link."""
    buffer = io.BytesIO(GOOD["s.xlsx"])
    with zipfile.ZipFile(buffer, "a") as package:
        entry = zipfile.ZipInfo("xl/link")
        entry.external_attr = 0o120777 << 16
        package.writestr(entry, "/etc/passwd")
    return {"s.xlsx": buffer.getvalue()}


XLSX = [
    Case(55, "formula", asked("=1+1"), "E", "cell_formula", 2, "question"),
    Case(56, "error", sheet(CELLS, change=_error), "E", "not_text", 2, "question"),
    Case(57, "merged", sheet(CELLS, change=_merge), "W", "xlsx_merged"),
    Case(57, "hidden row", sheet(CELLS, change=_hide_row), "W", "xlsx_hidden"),
    Case(57, "hidden sheet", sheet(CELLS, change=_hidden_sheet), "W", "xlsx_hidden"),
    Case(58, "two sheets", sheet(CELLS, change=_second_sheet), "E", "sheets_several"),
    Case(58, "two sheets, one named", sheet(CELLS, change=_second_sheet), "OK",
         options={"study_file": "s.xlsx", "sheet": "Sheet"}),
    Case(59, "whole number", keyed(12), "OK", holds=lambda study: study.items[0].key == "12"),
    Case(59, "12.0", keyed(12.0), "OK", holds=lambda study: study.items[0].key == "12"),
    Case(59, "12.5", keyed(12.5), "E", "key_not_text", 2, "id"),
    Case(59, "shown as 0012", sheet([12, *CELLS[1:]], change=_pad), "E", "key_padded", 2, "id"),
    Case(59, "a date", keyed(datetime(2026, 3, 1)), "E", "key_not_text", 2, "id"),  # noqa: DTZ001 - a cell
    Case(59, "20 digits", keyed(12345678901234567890), "E", "key_rounded", 2, "id"),
    Case(59, "csv with 1.5E+05", table(ROW.replace("n1", "1.5E+05")), "E", "key_rounded", 2, "id"),
    Case(60, "date", asked(datetime(2026, 3, 1)), "E", "not_text", 2, "question"),  # noqa: DTZ001 - a cell
    Case(60, "true", asked(True), "E", "not_text", 2, "question"),
    Case(60, "float", asked(1.5), "E", "not_text", 2, "question"),
    Case(62, "comment", sheet(CELLS, change=_comment), "W", "xlsx_ignored"),
    Case(62, "picture", named("xl/media/image1.png"), "W", "xlsx_ignored"),
    Case(62, "rich text", parts(GOOD, replace={FIRST: SHAPE % (b"", inline(HEADER.split(",")) +
         b'<row><c t="inlineStr"><is><r><t>n</t></r><r><t>1</t></r></is></c>' + inline(CELLS[1:])[5:])}),
         "W", "xlsx_rich"),
    Case(63, "password or xls", {"s.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)}, "E", "xlsx_other_kind"),
    Case(63, "xlsm", {"s.xlsm": GOOD["s.xlsx"]}, "E", "xlsx_other_kind"),
    Case(63, "macros", named("xl/vbaProject.bin"), "E", "xlsx_other_kind"),
    Case(64, "cut off", {"s.xlsx": GOOD["s.xlsx"][:-300]}, "E", "xlsx_broken"),
    Case(64, "no sheet part", parts(GOOD, replace={FIRST: None}), "E", "xlsx_broken"),
    Case(64, "not xml", parts(GOOD, replace={FIRST: b"<worksheet>"}), "E", "xlsx_broken"),
    Case(64, "surrogate", parts(GOOD, replace={FIRST: SHAPE % (b"", b"<row>&#xD83D;</row>")}), "E", "xlsx_broken"),
    Case(65, "zip bomb", parts(GOOD, replace={FIRST: bomb()}), "E", "xlsx_bomb"),
    Case(66, "parent folder", named("../../x"), "E", "xlsx_entry"),
    Case(66, "absolute", named("/etc/x"), "E", "xlsx_entry"),
    Case(66, "link", linked(), "E", "xlsx_entry"),
    Case(67, "entities", parts(GOOD, replace={FIRST: DOCTYPE + SHAPE % (b"", b"")}), "E", "xlsx_broken"),
    Case(67, "external entity", parts(GOOD, replace={FIRST:
         b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + SHAPE % (b"", b"")}), "E", "xlsx_broken"),
    Case(68, "claims a million rows", parts(GOOD, replace={FIRST: SHAPE % (
         b'<dimension ref="A1:XFD1048576"/>', inline(HEADER.split(","), CELLS))}), "OK"),
]  # fmt: skip

CASES = [*CSV, *XLSX]
