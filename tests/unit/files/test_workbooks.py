"""Workbooks as spreadsheet programs write them: shared texts, reading aids, gaps, prefixes."""

from pathlib import Path

import pytest

from cbt_core.files.problems import ImportProblems
from cbt_core.files.study import ReadStudy, read_study
from tests.unit.files.building import part, parts, shared, sheet

ROWS = (
    '<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c></row>'
    '<row r="5"><c r="A5"><v>7</v></c><c r="B5" t="s"><v>{}</v></c><c r="D5" s="1"/></row>'
)


def read(folder: Path, found: dict[str, bytes]) -> ReadStudy:
    """Read a workbook."""
    path = folder / "s.xlsx"
    path.write_bytes(found["s.xlsx"])
    return read_study(study_file=path, names={path: "s.xlsx"})


def question(folder: Path, text: str) -> str:
    """Return the question a workbook holds in its third shared text."""
    texts = f"<si><t>id</t></si><si><t>question</t></si><si>{text}</si>"
    found = shared(sheet(), texts, ROWS.format(2))
    return read(folder, found).items[0].question


def test_rows_keep_their_number_in_the_sheet(tmp_path: Path) -> None:
    texts = "<si><t>id</t></si><si><t>question</t></si><si><t>怎么办</t></si>"
    (item,) = read(tmp_path, shared(sheet(), texts, ROWS.format(2))).items
    assert (item.key, item.question, item.row) == ("7", "怎么办", 5)


def test_parts_of_a_formatted_text_are_joined(tmp_path: Path) -> None:
    assert question(tmp_path, "<r><t>怎</t></r><r><rPr/><t>么办</t></r>") == "怎么办"


def test_a_reading_aid_is_no_part_of_the_text(tmp_path: Path) -> None:
    assert question(tmp_path, '<t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh>') == "東京"


def test_an_escaped_character_is_read_as_itself(tmp_path: Path) -> None:
    assert question(tmp_path, "<t>a_x000D_\nb_x005F_x0041_</t>") == "a\r\nb_x0041_"


def test_a_text_that_does_not_exist_is_a_broken_workbook(tmp_path: Path) -> None:
    found = shared(sheet(), "<si><t>id</t></si>", ROWS.format(9))
    with pytest.raises(ImportProblems, match=r"s\.xlsx:1: file: this is not a whole XLSX"):
        read(tmp_path, found)


def test_one_long_text_in_many_cells_is_refused(tmp_path: Path) -> None:
    texts = f"<si><t>id</t></si><si><t>question</t></si><si><t>{'长' * 99_000}</t></si>"
    row = '<row><c t="n"><v>{}</v></c><c t="s"><v>2</v></c></row>'
    rows = ROWS.format(2) + "".join(row.format(number) for number in range(100, 3000))
    with pytest.raises(ImportProblems, match="far more cells or text"):
        read(tmp_path, shared(sheet(), texts, rows))


def test_millions_of_empty_rows_are_refused(tmp_path: Path) -> None:
    rows = "<row/>" * 1_200_000
    with pytest.raises(ImportProblems, match="far more cells or text"):
        read(tmp_path, shared(sheet(), "", rows))


def test_element_names_may_have_a_prefix(tmp_path: Path) -> None:
    name = "xl/worksheets/sheet1.xml"
    found = sheet(["n1", "怎么办", None, "红的", "蓝的"])
    xml = part(found, name).decode()
    for tag in ("worksheet", "sheetData", "row", "c", "is", "t"):
        xml = xml.replace(f"<{tag} ", f"<x:{tag} ").replace(f"<{tag}>", f"<x:{tag}>")
        xml = xml.replace(f"</{tag}>", f"</x:{tag}>")
    xml = xml.replace("xmlns=", "xmlns:x=")
    xml = xml.replace("<x:row", "<x:row", 1)
    study = read(tmp_path, parts(found, replace={name: xml.encode()}))
    assert study.items[0].question == "怎么办"


def test_hidden_columns_are_named_by_their_letters(tmp_path: Path) -> None:
    name = "xl/worksheets/sheet1.xml"
    found = sheet(["n1", "怎么办", None, "红的", "蓝的"])
    xml = part(found, name).replace(
        b"<sheetData>", b'<cols><col min="28" max="28" hidden="1"/></cols><sheetData>'
    )
    (warning,) = read(tmp_path, parts(found, replace={name: xml})).warnings
    assert (warning.code, warning.values) == ("xlsx_hidden", {"names": "AB:AB"})
