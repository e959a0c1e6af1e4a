"""Own instruments and schemes: many ways to write them, one digest, one sentence per mistake."""

import re
from pathlib import Path

import pytest

from cbt_core.canonical import digest
from cbt_core.domain.instrument import content
from cbt_core.errors import StudyError
from cbt_core.instruments import (
    load_instrument,
    load_scheme,
    parse_instrument,
    parse_scheme,
    shipped_instruments,
    shipped_schemes,
)
from cbt_core.instruments.shipped import FOLDER
from cbt_core.words import sentences

SHORT = """
id = "own"
[[scales]]
id = "warmth"
name = "Warmth"
values = [1, 2, 3]
"""
SAME = """
# the same, written by somebody else
[[scales]]
values = [
    { value = 1, label = "1" },
    { label = { zh = "2", en = "2" }, value = 2 },
    { value = 3, anchor = "3" },
]
name = { en = "Warmth", zh = "Warmth" }
id = "warmth"
question = '''
Warmth
'''
"""
SCALE = '[[scales]]\nid = "s"\nvalues = [1, 2]\n'
LABEL = '[[labels]]\nid = "l"\ndefinition = "d"\n'

INSTRUMENTS = {
    "not_toml": "id = ",
    "unknown_key": 'id = "x"\ncolour = 1\n' + SCALE,
    "unknown_key_near": 'id = "x"\n[[scale]]\nid = "s"\n',
    "missing": SCALE,
    "missing_language": 'id = "x"\nname = { zh = "好" }\n' + SCALE,
    "empty": 'id = "x"\nname = { zh = "好", en = " " }\n' + SCALE,
    "not_text": "id = 1\n" + SCALE,
    "not_words": 'id = "x"\nname = 3\n' + SCALE,
    "not_tables": 'id = "x"\nscales = "s"\n',
    "not_whole": 'id = "x"\nversion = 1.5\n' + SCALE,
    "not_yes_no": 'id = "x"\n' + SCALE + 'required = "yes"\n',
    "not_option": 'id = "x"\n' + SCALE + 'level = "item"\n',
    "bad_id": 'id = "a b"\n' + SCALE,
    "taken_id": 'id = "x"\n[[scales]]\nid = "rater"\nvalues = [1, 2]\n',
    "repeated": 'id = "x"\n[[scales]]\nid = "s"\nvalues = [1, 2, 1]\n',
    "no_scales": 'id = "x"\n',
    "no_values": 'id = "x"\n[[scales]]\nid = "s"\n',
    "too_many_values": 'id = "x"\n[[scales]]\nid = "s"\nvalues = [1,2,3,4,5,6,7,8,9,10]\n',
    "step_values": 'id = "x"\n' + SCALE + "[[step_values]]\nvalue = 1\n",
    "value_not_on_scale": 'id = "x"\n' + SCALE + '[[examples]]\nscale = "s"\nvalue = 3\n',
}
SCHEMES = {
    "no_labels": 'id = "x"\n',
    "not_texts": 'id = "x"\n' + LABEL + "aliases = 1\n",
    "taken_id": 'id = "x"\n[[labels]]\nid = "none"\ndefinition = "d"\n',
    "not_words": 'id = "x"\n' + LABEL + "examples = [1]\n",
}
ELSEWHERE = {
    "no_file", "unreadable", "too_large", "not_utf8", "not_shipped",  # below
    "not_table", "not_number",  # test_protocol_files.py
}  # fmt: skip


def refused(error: StudyError, code: str, *shown: str) -> None:
    """Check code and sentence, in both languages, with what must stand in it."""
    assert error.code == f"instruments.{code}"
    for language in ("en", "zh"):
        sentence = error.say(language)
        assert all(part in sentence for part in shown)
        assert "{" not in sentence.replace("{ zh", "")


@pytest.mark.parametrize("code", INSTRUMENTS)
def test_a_wrong_instrument_is_refused_with_file_and_place(code: str) -> None:
    with pytest.raises(StudyError) as caught:
        parse_instrument(INSTRUMENTS[code], "mine.toml")
    refused(caught.value, code, "mine.toml")


@pytest.mark.parametrize("code", SCHEMES)
def test_a_wrong_scheme_is_refused_with_file_and_place(code: str) -> None:
    with pytest.raises(StudyError) as caught:
        parse_scheme(SCHEMES[code], "mine.toml")
    refused(caught.value, code, "mine.toml")


def test_every_refusal_has_its_sentence_in_both_languages_and_its_test() -> None:
    sources = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.py"))
    raised = set(re.findall(r'"instruments\.(\w+)"', sources))
    assert raised == {*INSTRUMENTS, *SCHEMES, *ELSEWHERE}
    for language in ("en", "zh"):
        written = {code for code in sentences(language) if code.startswith("instruments.")}
        assert written == {f"instruments.{code}" for code in raised}


def test_the_place_of_a_mistake_is_counted_from_one() -> None:
    wrong = 'id = "x"\n' + SCALE + '[[scales]]\nid = "t"\n[[scales.values]]\nvalue = "1"\n'
    with pytest.raises(StudyError, match=re.escape("mine.toml: scales[2].values[1].value: ")):
        parse_instrument(wrong, "mine.toml")


def test_a_misspelt_key_is_answered_with_the_nearest_known_one() -> None:
    with pytest.raises(StudyError, match=r"scales\[1\]\.requird: .* did you mean required\?"):
        parse_instrument('id = "x"\n' + SCALE + "requird = true\n", "mine.toml")


def test_the_line_of_broken_toml_is_named() -> None:
    with pytest.raises(StudyError, match=r"^mine\.toml:2: "):
        parse_instrument('id = "x"\nname = "open\n', "mine.toml")


def test_the_digest_does_not_see_layout(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes(b"\xef\xbb\xbf" + SAME.replace("\n", "\r\n").encode())
    assert load_instrument("own.toml", tmp_path) == parse_instrument(SHORT, "short.toml")


def test_the_digest_sees_every_word() -> None:
    changed = parse_instrument(SHORT.replace("Warmth", "Warmth!"), "own.toml")
    assert changed.digest != parse_instrument(SHORT, "own.toml").digest


def test_the_digest_is_the_sha_256_of_canonical_json() -> None:
    # printf '{"a":["好",1],"b":true}' | sha256sum
    expected = "0ce78f8926a8642c9904834aad88010bccda418bec842fc7925046d866bf3f0d"
    assert digest({"b": True, "a": ["好", 1]}) == expected


@pytest.mark.parametrize("name", shipped_instruments())
def test_the_content_of_an_instrument_holds_all_of_it(name: str) -> None:
    found = load_instrument(name)
    assert digest(content(found)) == found.digest
    assert "digest" not in content(found)


@pytest.mark.parametrize("name", shipped_schemes())
def test_a_shipped_scheme_read_as_a_file_is_the_same(name: str) -> None:
    assert load_scheme(FOLDER / f"{name}.toml") == load_scheme(name)


def test_a_plain_text_stands_for_both_languages() -> None:
    scale = parse_instrument(SHORT, "own.toml").scale("warmth")
    assert scale.name("zh") == scale.name("en") == scale.question("zh") == "Warmth"
    assert scale.values[0].label("zh") == "1"


def test_an_own_checklist_without_values_gets_absent_partial_present() -> None:
    found = parse_instrument(SHORT + '[[steps]]\nid = "1"\nname = "Agenda"\n', "own.toml")
    assert [choice.label.en for choice in found.step_values] == ["Absent", "Partial", "Present"]


def test_a_file_that_is_not_there_is_named_as_typed(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        load_instrument("none.toml", tmp_path)
    refused(caught.value, "no_file", "none.toml")


def test_a_folder_is_not_an_instrument(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        load_instrument(tmp_path)
    refused(caught.value, "unreadable", str(tmp_path))


def test_a_huge_file_is_not_an_instrument(tmp_path: Path) -> None:
    (tmp_path / "huge.toml").write_bytes(b"#" * 2_000_001)
    with pytest.raises(StudyError) as caught:
        load_instrument("huge.toml", tmp_path)
    refused(caught.value, "too_large", "huge.toml")


def test_another_encoding_is_refused_rather_than_guessed(tmp_path: Path) -> None:
    (tmp_path / "gb.toml").write_bytes('name = "切题"'.encode("gb18030"))
    with pytest.raises(StudyError) as caught:
        load_scheme("gb.toml", tmp_path)
    refused(caught.value, "not_utf8", "gb.toml")


@pytest.mark.parametrize("load", [load_instrument, load_scheme])
def test_an_unknown_name_is_answered_with_the_shipped_ones(load: object) -> None:
    assert callable(load)
    with pytest.raises(StudyError) as caught:
        load("cbt-33")
    refused(caught.value, "not_shipped", "cbt-33")
