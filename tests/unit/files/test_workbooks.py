"""Workbooks as spreadsheet programs write them: shared texts, reading aids, gaps, prefixes."""

import subprocess
import sys
from pathlib import Path

import pytest

from cbt_core.files.problems import ImportProblems
from cbt_core.files.study import ReadStudy, read_study
from cbt_core.settings import ROOT
from tests.unit.files.cases_sheet import CELLS, DOCTYPE, FIRST, GOOD, SHAPE, inline
from tests.unit.files.samples import HEADER, part, parts, shared, sheet

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


def sheet_of(rows: bytes, after: bytes = b"") -> dict[str, bytes]:
    """Return a workbook whose sheet has a header, these rows, and something after them."""
    page = SHAPE % (b"", inline(HEADER.split(",")) + rows)
    return parts(GOOD, replace={FIRST: page.replace(b"</worksheet>", after + b"</worksheet>")})


def test_what_stands_after_the_last_row_need_not_be_sound(tmp_path: Path) -> None:
    after = (
        b'<autoFilter ref="A1:E2"><filterColumn colId="0"><customFilters><customFilter val=""/>'
        b'</customFilters></filterColumn></autoFilter><pageSetup orientation="sideways"/>'
    )
    assert read(tmp_path, sheet_of(inline(CELLS), after)).items[0].key == "n1"


def test_cells_that_only_have_a_style_may_lie_beyond_the_columns_we_read(tmp_path: Path) -> None:
    styled = inline(CELLS).replace(b"</row>", b'<c r="XFD2" s="0"/></row>')
    assert read(tmp_path, sheet_of(styled)).items[0].key == "n1"
    with pytest.raises(ImportProblems, match=r"s\.xlsx:2: file: more than 1000 columns"):
        read(tmp_path, sheet_of(styled.replace(b's="0"/>', b"><v>1</v></c>")))


def test_values_far_apart_are_refused_before_the_field_between_them_is_filled(
    tmp_path: Path,
) -> None:
    far = inline(CELLS) + b'<row r="1048576"><c r="ALL1048576"><v>1</v></c></row>'
    with pytest.raises(ImportProblems, match="far more cells or text"):
        read(tmp_path, sheet_of(far))
    with pytest.raises(ImportProblems, match="far more cells or text"):
        read(tmp_path, sheet_of(b'<row r="999999999"><c><v>1</v></c></row>'))


def test_rows_out_of_order_are_refused_not_dropped(tmp_path: Path) -> None:
    rows = inline(CELLS).replace(b"<row>", b'<row r="5">') + b'<row r="3"><c><v>1</v></c></row>'
    with pytest.raises(ImportProblems, match="not a whole XLSX"):
        read(tmp_path, sheet_of(rows))


def test_the_strict_variant_is_refused_by_name_not_read_as_empty(tmp_path: Path) -> None:
    page = part(GOOD, FIRST).replace(
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    )
    with pytest.raises(ImportProblems, match=r"save it as plain \.xlsx"):
        read(tmp_path, parts(GOOD, replace={FIRST: page}))


def test_no_part_is_read_that_was_not_inspected(tmp_path: Path) -> None:
    """A sheet under another ending would bring its document type past the inspection."""
    types, links = "[Content_Types].xml", "xl/_rels/workbook.xml.rels"
    moved = parts(GOOD, replace={
        FIRST: None, "xl/worksheets/sheet1.dat": DOCTYPE + SHAPE % (b"", inline(CELLS)),
        types: part(GOOD, types).replace(b"sheet1.xml", b"sheet1.dat"),
        links: part(GOOD, links).replace(b"sheet1.xml", b"sheet1.dat"),
    })
    with pytest.raises(ImportProblems, match="not a whole XLSX"):
        read(tmp_path, moved)


def test_formatted_comments_are_no_formatted_texts(tmp_path: Path) -> None:
    comments = b'<comments xmlns="x"><text><r><t>a</t></r><r><t>b</t></r></text></comments>'
    (warning,) = read(tmp_path, parts(GOOD, replace={"xl/comments1.xml": comments})).warnings
    assert warning.code == "xlsx_ignored"


def test_warnings_of_the_reader_are_neither_noise_nor_errors(tmp_path: Path) -> None:
    styles = "xl/styles.xml"
    bare = part(GOOD, styles).replace(b"cellStyles", b"others")
    path = tmp_path / "s.xlsx"
    path.write_bytes(parts(GOOD, replace={styles: bare})["s.xlsx"])
    code = "import sys; from pathlib import Path; from cbt_core.files.study import read_study; "
    code += "print(len(read_study(study_file=Path(sys.argv[1])).items))"
    for how in ("default", "error"):
        done = subprocess.run(
            [sys.executable, "-W", f"{how}::UserWarning", "-c", code, str(path)], cwd=ROOT,
            capture_output=True, text=True, check=False,
        )
        assert (done.stdout, done.stderr) == ("1\n", "")
