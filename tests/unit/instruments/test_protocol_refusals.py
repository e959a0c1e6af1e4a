"""What a protocol may not say: one sentence per mistake, in both languages."""

import json
import re
from pathlib import Path

import pytest

import cbt_core.files
from cbt_core.errors import StudyError
from cbt_core.files.protocol import parse_protocol
from cbt_core.instruments.shipped import FOLDER, defaults
from cbt_core.words import sentences

FILES = Path(cbt_core.files.__path__[0])
LIVE = '[study]\nsource_kind = "live"\n[escalation]\nowner = "Dr Li"\nwithin_hours = 24\n'
ARCHIVED_CONSENT = (
    f"{{ zh = {json.dumps(defaults().consent.zh, ensure_ascii=False)}, "
    f"en = {json.dumps(defaults().consent.en)} }}"
)
WRONG = {
    "protocol.exempt_without_reason": "[ethics]\nexempt = true",
    "protocol.not_date": '[ethics]\nvalid_until = "next year"',
    "protocol.bad_steps": '[instrument]\nsteps = "sample:1.5"',
    "protocol.no_steps": '[instrument]\nscales = "overall-5"\nsteps = "after"',
    "protocol.no_scale": '[analysis]\nprimary = { scale = "warmth" }',
    "protocol.practice_author": (
        '[[rater.practice]]\nid = "p"\nquestion = "q"\nanswers = { A = "a" }\n'
    ),
    "protocol.live_needs_escalation": (
        '[study]\nsource_kind = "live"\n[escalation]\nowner = "Dr Li"'
    ),
    "protocol.escalation_not_live": '[escalation]\nowner = "Dr Li"\nwithin_hours = 24',
    "protocol.live_needs_flags": LIVE + "[sheet]\nflags = false",
    "protocol.live_archived_consent": LIVE + f"[rater]\nconsent = {ARCHIVED_CONSENT}",
    "protocol.no_files_here": '[rater]\nconsent = "/etc/passwd"',
    "instruments.unknown_key_near": "[design]\noverlaps = 3",
    "instruments.unknown_key": "[raters_and_more_of_them]",
    "instruments.not_option": '[design]\npanel = "pair"',
    "instruments.not_number": "[rater]\npass_mark = 70",
    "instruments.not_whole": "[design]\noverlap = true",
    "instruments.not_yes_no": '[sheet]\nflags = "off"',
    "instruments.not_table": 'study = "mine"',
    "instruments.not_tables": "[rater]\nprofile = 1",
    "instruments.missing": '[[rater.attention]]\nid = "c"\n',
    "instruments.value_not_on_scale": (
        '[[rater.practice]]\nid = "p"\nquestion = "q"\nauthor = "x"\nanswers = { A = "a" }\n'
        "key = { A = { relevance = 3 } }\n"
    ),
    "instruments.repeated": '[rater]\ndevices = ["tablet", "tablet"]',
    "instruments.missing_language": '[study]\nsupport_text = { en = "Talk" }',
}


@pytest.mark.parametrize("code", WRONG)
def test_a_wrong_protocol_is_refused_in_both_languages(code: str) -> None:
    with pytest.raises(StudyError) as caught:
        parse_protocol(WRONG[code], "mine.toml")
    assert caught.value.code == code
    assert caught.value.say("en").startswith("mine.toml: ")
    assert caught.value.say("zh").startswith("mine.toml：")


@pytest.mark.parametrize(
    "text",
    [
        "[design]\nrepeats = nan",
        '[study]\nsource_kind = "live"',
        '[study]\nsource_kind = "stream"',
        LIVE.replace("24", "0"),
        LIVE.replace("24", "721"),
        LIVE.replace("24", "1.5"),
        LIVE.replace("Dr Li", " "),
        LIVE.replace("within_hours", "within"),
        "[design]\nseed = -1",
        '[rater]\ndevices = ["watch"]',
        "[rater]\ndevices = []",
        '[instrument]\nscales = "../../secret.toml"',
        '[instrument]\nlabels = "mine.toml"',
        '[instrument]\nsteps = "sample:0"',
        '[instrument]\nsteps = "sample:nan"',
        '[instrument]\nsteps = "sometimes"',
        "[analysis]\nlooks = [[1]]",
        "[analysis]\nmargin = -1",
        '[rater]\npractice = "mine.toml"',
        '[instrument]\nscales = "overall-5"\n[rater]\npractice = "default"',
        '[[rater.attention]]\nid = "c"\nquestion = "q"\nbetter = "b"\nworse = "w"\nscale = "none"',
        '[[rater.practice]]\nid = "p"\nquestion = "q"\nauthor = "x"\nanswers = { E = "a" }',
        (
            '[[rater.practice]]\nid = "p"\nquestion = "q"\nauthor = "x"\nanswers = { A = "a" }\n'
            "key = { A = { relevance = 2 } }\n"
        ),
        "[" * 3000,
    ],
)
def test_nothing_out_of_range_gets_through(text: str) -> None:
    with pytest.raises(StudyError):
        parse_protocol(text)


def test_every_protocol_refusal_has_its_sentence_and_its_test() -> None:
    sources = "".join(path.read_text("utf-8") for path in FILES.glob("protocol*.py"))
    raised = set(re.findall(r'"(protocol\.\w+)"', sources)) - {"protocol.toml"}
    assert raised == {code for code in WRONG if code.startswith("protocol.")}
    for language in ("en", "zh"):
        assert raised == {code for code in sentences(language) if code.startswith("protocol.")}


@pytest.mark.parametrize(
    ("section", "key", "file"),
    [
        ("instrument", "scales", "overall-5.toml"),
        ("instrument", "labels", "burns-12.toml"),
        ("rater", "consent", "defaults.toml"),
        ("rater", "practice", "practice-cbt-3.toml"),
    ],
)
def test_a_protocol_from_a_browser_reads_no_file_of_the_server(
    section: str, key: str, file: str
) -> None:
    path = FOLDER / file
    assert path.exists()
    with pytest.raises(StudyError) as caught:
        parse_protocol(f"[{section}]\n{key} = '{path}'")
    assert caught.value.code == "protocol.no_files_here"
