"""The protocol file: defaults, files beside it, its and canonical text."""

from dataclasses import replace
from pathlib import Path

import pytest

from cbt_core.domain.protocol import Escalation, Protocol
from cbt_core.domain.study import Panel
from cbt_core.errors import StudyError
from cbt_core.files.protocol import default_protocol, load_protocol, parse_protocol, revised
from cbt_core.instruments import defaults

OWN = """
id = "own"
[[scales]]
id = "warmth"
name = { zh = "温暖", en = "Warmth" }
values = [1, 2, 3, 4, 5]
[[scales]]
id = "reads_well"
measure = "nominal"
cannot_rate = false
values = [{ value = 1, label = "Yes" }, { value = 2, label = "No" }]
"""
LABELS = """
[[labels]]
id = "blame"
definition = "Blames somebody."
examples = ["It is all his fault.", { zh = "都怪他。", en = "Blame him." }]
"""
PRACTICE = """
author = "Li"
[[items]]
id = "p1"
question = { zh = "问", en = "Asked" }
[items.answers]
A = { zh = "答", en = "Answered" }
[items.key.A]
warmth = 4
[items.reasons.A]
warmth = "Because."
"""
CHECKS = """
[[checks]]
id = "c1"
question = "Asked"
better = "Good"
worse = "Bad"
scale = "warmth"
"""
FULL = """
[study]
title = "一项研究"
language = "en"
support_text = { zh = "找人谈谈", en = "Talk to someone" }
[ethics]
committee = "Board"
number = 17
valid_until = 2027-12-31
contact = "board@example.org"
[design]
panel = "all"
overlap = 2
repeats = 0.1
repeat_gap_tasks = 30
seed = 7
[instrument]
scales = "own.toml"
labels = "labels.toml"
[sheet]
preference = "off"
confidence = true
flags = false
comment = false
[rater]
consent = "consent.txt"
profile = "profile.toml"
practice = "practice.toml"
pass_mark = 0.8
attention = "checks.toml"
recalibrate_every = 25
break_after_minutes = 30
break_after_risk_items = 5
arm_guess = false
devices = ["desktop"]
[labels]
mode = "blind"
[analysis]
baseline = "base"
primary = { scale = "warmth", system = "tuned" }
margin = 0.2
alpha = "interval"
bootstrap = 500
exclude = ["R09"]
looks = [50, 2027-01-31, "end"]
planned = ["length as a covariate"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a protocol that names a file for everything it can."""
    files = {
        "protocol.toml": FULL,
        "own.toml": OWN,
        "labels.toml": LABELS,
        "practice.toml": PRACTICE,
        "checks.toml": CHECKS,
        "consent.txt": "\ufeffYou may stop at any time.\r\nNobody can be reached.\r\n",
        "profile.toml": '[[fields]]\nid = "site"\nname = "Site"\n',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8", newline="")
    return tmp_path


def test_without_a_file_the_defaults_of_the_manual_stand() -> None:
    found = default_protocol().protocol
    raters = replace(found.raters, consent=None, profile=())
    assert replace(found, raters=raters) == Protocol()
    assert found.raters.consent == defaults().consent
    assert found.raters.profile == defaults().profile


def test_an_empty_file_is_the_default_protocol() -> None:
    assert parse_protocol("") == default_protocol()


def test_live_texts_name_who_answers_and_read_back_from_the_stored_text() -> None:
    live = parse_protocol(
        '[study]\nsource_kind = "live"\n[escalation]\nowner = "Dr Li"\nwithin_hours = 24\n'
    )
    assert live.protocol.is_live
    assert live.protocol.escalation == Escalation("Dr Li", 24)
    assert parse_protocol(live.text) == live
    assert revised(live, live.protocol) == live


def test_only_archived_texts_are_told_to_be_so() -> None:
    live = parse_protocol(
        '[study]\nsource_kind = "live"\n[escalation]\nowner = "Dr Li"\nwithin_hours = 24\n'
    ).protocol.raters.consent
    archived = default_protocol().protocol.raters.consent
    assert live is not None
    assert archived is not None
    assert "这些是存档的匿名文本，我们无法联系作者，也无法为其提供帮助。" in archived.zh
    assert "archived, anonymous texts: we cannot reach" in archived.en
    for text in (live.zh, live.en, archived.zh, archived.en):
        assert "<texts>" not in text
    assert "存档" not in live.zh
    assert "archived" not in live.en
    assert "安全标记" in live.zh


def test_that_texts_are_archived_changes_no_digest() -> None:
    spelt = parse_protocol('[study]\nsource_kind = "archived"')
    assert spelt.digest == default_protocol().digest
    assert "source_kind" not in spelt.text  # protocols of 0.1 keep their digests


def test_the_support_text_is_unset_until_the_lead_writes_one() -> None:
    assert not default_protocol().support_text_set
    assert parse_protocol('[study]\nsupport_text = "Call 120."').support_text_set


def test_every_key_is_read_and_files_stand_beside_the_protocol(folder: Path) -> None:
    found = load_protocol(folder / "protocol.toml")
    protocol = found.protocol
    assert found.instrument.id == "own"
    assert protocol.scales == found.instrument.digest
    assert protocol.labels == found.scheme.digest
    assert found.scheme.id == "labels"
    assert (protocol.ethics.number, protocol.ethics.valid_until) == ("17", "2027-12-31")
    assert (protocol.design.panel, protocol.design.seed) == (Panel.ALL, 7)
    assert protocol.raters.consent is not None
    assert protocol.raters.consent.en == "You may stop at any time.\nNobody can be reached."
    assert [field.id for field in protocol.raters.profile] == ["site"]
    assert protocol.raters.practice[0].answers == {"A": "Answered"}
    assert protocol.raters.practice[0].author == "Li"
    assert protocol.raters.attention[0].worse == "Bad"
    assert protocol.analysis.primary_scale == "warmth"
    assert protocol.analysis.looks == ("50", "2027-01-31", "end")


def test_the_canonical_text_holds_everything_and_reads_back_to_the_same(folder: Path) -> None:
    found = load_protocol(folder / "protocol.toml")
    assert parse_protocol(found.text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[rater]\npractice = "default"',
        "[rater]\nprofile = []\n[analysis]\nmargin = 0.1",
        '[instrument]\nscales = "overall-5"\nlabels = "c2d2-7"',
        '[study]\ntitle = "quotes \\"\\"\\" and \\\\ and \\u0007"',
        '[rater.consent]\nzh = """\n一\r\n\n二  \n"""\nen = "one"',
        '[instrument]\nsteps = "sample:0.30"',
    ],
)
def test_reading_the_canonical_text_changes_nothing(text: str) -> None:
    found = parse_protocol(text)
    again = parse_protocol(found.text)
    assert again == found


def test_the_digest_does_not_see_order_comments_or_spelt_out_defaults() -> None:
    short = parse_protocol("[design]\nseed = 2\noverlap = 3\n")
    other = parse_protocol(
        "# ours\n[sheet]\nflags = true\n[design]\noverlap=3\nseed  =  2\nrepeats = 0"
    )
    assert short.digest == other.digest


def test_the_digest_sees_a_change_of_plan() -> None:
    assert parse_protocol("[design]\nseed = 2\n").digest != default_protocol().digest


def test_default_practice_is_given_only_when_asked_for() -> None:
    assert default_protocol().protocol.raters.practice == ()
    items = parse_protocol('[rater]\npractice = "default"').protocol.raters.practice
    assert len(items) == 2
    for item in items:
        assert item.author == "Concord"
        assert {len(key) for key in item.key.values()} == {3}
        assert {slot: set(key) for slot, key in item.key.items()} == {
            slot: set(reasons) for slot, reasons in item.reasons.items()
        }


def test_practice_speaks_the_language_of_the_study() -> None:
    asked = '[study]\nlanguage = "en"\n[rater]\npractice = "default"'
    assert parse_protocol(asked).protocol.raters.practice[0].question.startswith("My flatmate")


def test_a_bilingual_consent_file_is_read(folder: Path) -> None:
    (folder / "consent.toml").write_text('zh = "同意书"\nen = "Consent"\n', "utf-8")
    (folder / "p.toml").write_text('[rater]\nconsent = "consent.toml"\n', "utf-8")
    consent = load_protocol(folder / "p.toml").protocol.raters.consent
    assert consent is not None
    assert (consent.zh, consent.en) == ("同意书", "Consent")


@pytest.mark.parametrize(
    ("steps", "when", "share"),
    [("none", "none", 0.0), ("after", "after", 1.0), ("before", "before", 1.0),
     ("sample:0.3", "after", 0.3)],
)  # fmt: skip
def test_steps_say_when_and_how_often(steps: str, when: str, share: float) -> None:
    found = parse_protocol(f'[instrument]\nsteps = "{steps}"').protocol
    assert (found.steps, found.steps_when, found.steps_share) == (steps, when, share)


def test_a_protocol_changed_in_the_program_is_checked_again() -> None:
    loaded = default_protocol()
    design = replace(loaded.protocol.design, overlap=5)
    changed = revised(loaded, replace(loaded.protocol, design=design))
    assert changed.protocol.design.overlap == 5
    assert changed == parse_protocol(changed.text)
    wrong = replace(loaded.protocol, design=replace(design, overlap=0))
    with pytest.raises(StudyError, match=r"design\.overlap"):
        revised(loaded, wrong)


def test_a_missing_file_named_in_a_protocol_is_named(folder: Path) -> None:
    (folder / "consent.txt").unlink()
    with pytest.raises(StudyError, match=r"consent\.txt: no such file"):
        load_protocol(folder / "protocol.toml")
