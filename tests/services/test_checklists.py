"""The checklists: complete, numbered as their sources are, and answered from stored data only."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from cbt_core import report
from cbt_core.domain.people import TERMINAL
from cbt_core.report.checklists import NAMES, checklist, checklists, facts
from cbt_core.report.sections import criteria, design, end, machine, summary
from cbt_core.report.sections.criteria import SCALE_FACTS
from cbt_core.services.report.study_report import Wish, gather
from cbt_core.services.results import study_results
from cbt_core.services.studies import lifecycle
from cbt_core.words import sentences
from db.engine import Database
from tests import making

ROOM = Path(report.__file__).parent
FACT_ROOMS = ("paragraphs", "sheet", "context", *(
    f"sections/{name}" for name in ("criteria", "design", "end", "machine", "summary")))
# Belz & Thomson, GEM 2025, appendix, and the form at https://nlp-heds.github.io
HEDS_FIXED = (
    "1.1.1 1.1.2 1.2 1.3.1.1 1.3.1.2 1.3.1.3 1.3.2.1 1.3.2.2 1.3.2.3 2.1 2.2 2.3 2.4 2.5 "
    "3.1.1 3.1.2 3.1.3.1 3.1.3.2 3.1.3.3 3.2.1 3.2.2.1 3.2.2.2 3.2.2.3 3.2.2.4 3.2.3 3.2.4 "
    "3.2.5 3.3.1 3.3.2 3.3.3.1 3.3.3.2 3.3.4.1 3.3.4.2 3.3.5 3.3.6 3.3.7 3.3.8 5.1 5.2 5.3 "
    "5.4"
)
HEDS_CRITERION = (
    "4.1.1 4.1.2 4.1.3 4.2.1 4.2.2 4.2.3 4.3.1.1 4.3.1.2 4.3.2 4.3.3 4.3.4 4.3.5 4.3.6 4.3.7 "
    "4.3.8 4.3.9 4.3.10 4.3.11.1 4.3.11.2 4.3.12.1 4.3.12.2"
)
# Gallifant et al., Nat Med 2025;31:60-69: Table 2, item 2 written out as in Table 3
LETTERS = {"2": 12, "3": 2, "5": 5, "6": 5, "7": 5, "8": 3, "9": 2, "14": 6, "16": 4, "19": 7}
TRIPOD = [
    name
    for number in map(str, range(1, 20))
    for name in ([f"{number}{chr(97 + i)}" for i in range(LETTERS[number])]
                 if number in LETTERS else [number])
]
SINGLE = """
[design]
panel = "single"
overlap = 2
[instrument]
scales = "overall-5"
[sheet]
preference = "off"
[analysis]
bootstrap = 20
"""
PAIRS = """
[design]
repeats = 0.4
repeat_gap_tasks = 1
[ethics]
committee = "Ethics Committee of the Example Hospital"
number = "2026-031"
[analysis]
baseline = "baseline"
primary = {scale = "structure", system = "zebra-lora"}
bootstrap = 20
planned = ["zebra-lora beats baseline"]
"""


def filled(database: Database, now: datetime, slug: str = "trial") -> dict[str, dict[str, Any]]:
    """Return every item by checklist and id."""
    analysis = study_results.analyse(database, TERMINAL, slug=slug, now=now)
    context = gather(
        database, TERMINAL, slug=slug, plan=analysis.registered, wish=Wish(), now=now
    )
    found: Any = checklists(analysis, context)
    return {name: {one["id"]: one for one in body["items"]} for name, body in found.items()}


def rated(
    database: Database, folder: Path, now: datetime, protocol: str, **more: Any
) -> dict[str, dict[str, Any]]:
    """Make a small study, rate and unblind it, and return its checklists."""
    study = making.make_study(database, folder, now, protocol=protocol, **more)
    for number, who in enumerate(study.raters.values()):
        making.rate_all(database, who, study.slug, now, value=1 + number % 2)
    lifecycle.lock(database, TERMINAL, slug=study.slug, now=now)
    lifecycle.unblind(database, TERMINAL, slug=study.slug, reason="planned", now=now)
    return filled(database, now)


@pytest.fixture
def pairs(database: Database, tmp_path: Path, now: datetime) -> dict[str, dict[str, Any]]:
    return rated(database, tmp_path, now, PAIRS, items=6)


@pytest.fixture
def single(database: Database, tmp_path: Path, now: datetime) -> dict[str, dict[str, Any]]:
    return rated(database, tmp_path, now, SINGLE, items=5, raters=("R01", "R02", "R03", "R04"))


def words(item: Mapping[str, Any], language: str = "en") -> str:
    return str((item["answer"] or item["reason"] or {}).get(language, ""))


def test_every_fact_of_a_checklist_exists_and_every_fact_is_asked_for() -> None:
    asked = {
        per_scale: {
            one.fact for name in NAMES for one in checklist(name).items
            if one.fact and one.per_scale is per_scale
        }
        for per_scale in (False, True)
    }
    assert asked[False] == set(facts())
    assert asked[True] == set(SCALE_FACTS)


def test_no_two_rooms_of_facts_share_a_name() -> None:
    rooms = (
        design.DESIGN_FACTS, design.PEOPLE_FACTS, summary.RESULT_FACTS, criteria.SHEET_FACTS,
        end.STUDY_FACTS, machine.SYSTEM_FACTS,
    )
    counts = Counter(chain.from_iterable(rooms))
    assert max(counts.values()) == 1


@pytest.mark.parametrize(("name", "ids"), [
    ("grras", [str(number) for number in range(1, 16)]),
    ("tripod_llm", TRIPOD),
    ("heds", [*HEDS_FIXED.split()[:37], *HEDS_CRITERION.split(), *HEDS_FIXED.split()[37:]]),
])
def test_a_checklist_has_the_numbers_of_its_source_in_order(name: str, ids: list[str]) -> None:
    assert [one.id for one in checklist(name).items] == ids


def test_the_printed_tables_have_49_and_12_rows() -> None:
    assert len([one for one in TRIPOD if not one.startswith("2") or len(one) == 1]) + 1 == 49
    assert len([one for one in TRIPOD if one[0] == "2"]) == 12


def test_every_question_stands_in_both_languages() -> None:
    for one in chain.from_iterable(checklist(name).items for name in NAMES):
        for text in (one.section, one.ask):
            assert re.search("[\u4e00-\u9fff]", text.zh), one.id
            assert text.en.isascii(), one.id


def test_every_item_is_answered_or_says_why_not(pairs: dict[str, dict[str, Any]]) -> None:
    for one in chain.from_iterable(body.values() for body in pairs.values()):
        assert one["state"] in ("answered", "not_applicable", "authors")
        given, other = ("answer", "reason") if one["state"] == "answered" else ("reason", "answer")
        assert one[other] is None
        assert set(one[given]) == {"en", "zh"}
        assert all(text.strip() for text in one[given].values()), one["id"]
        assert "{" not in json.dumps(one[given]).replace('{"', "").replace('"}', "")


def test_section_4_of_heds_stands_once_for_every_scale(single: dict[str, dict[str, Any]]) -> None:
    asked = [name for name in single["heds"] if name[0] == "4"]
    assert len(_scales(single)) > 1
    assert asked == [f"{n} [{scale}]" for scale in _scales(single) for n in HEDS_CRITERION.split()]


def _scales(found: dict[str, dict[str, Any]]) -> list[str]:
    names = (re.search(r"\[(.+)\]", name) for name in found["heds"] if name.startswith("4.1.1 "))
    return [one.group(1) for one in names if one]


def test_an_own_scale_of_five_values_is_told_as_it_is(single: dict[str, dict[str, Any]]) -> None:
    found = single["heds"]
    assert words(found["4.3.4 [overall]"]) == "1, 2, 3, 4, 5"
    assert words(found["4.3.3 [overall]"]).startswith("5.")
    assert words(found["4.2.2 [overall]"]).startswith("Absolute")
    assert found["4.3.7 [overall]"]["state"] == "answered"


def test_a_scale_of_names_has_no_mean_and_no_test(single: dict[str, dict[str, Any]]) -> None:
    nominal = next(
        name for name in _scales(single)
        if words(single["heds"][f"4.3.8 [{name}]"]).startswith("Classification")
    )
    assert single["heds"][f"4.3.10 [{nominal}]"]["state"] == "not_applicable"
    assert "nominal" in words(single["heds"][f"4.3.11.1 [{nominal}]"])
    assert "counted" in words(single["heds"][f"4.3.9 [{nominal}]"])


def test_single_answers_are_never_said_to_stand_side_by_side(
    single: dict[str, dict[str, Any]]
) -> None:
    told = json.dumps([single["grras"]["8"], single["heds"]["3.3.4.2"]], ensure_ascii=False)
    assert "two answers" not in told
    assert "sides" not in told
    assert "左右" not in told


def test_without_an_ethics_record_the_committee_is_asked_for(
    single: dict[str, dict[str, Any]]
) -> None:
    for one in (single["heds"]["5.1"], single["tripod_llm"]["13"]):
        assert one["state"] == "authors"
        assert "No decision of a committee" in words(one)


def test_a_recorded_committee_is_named(pairs: dict[str, dict[str, Any]]) -> None:
    assert "Example Hospital, 2026-031" in words(pairs["heds"]["5.1"])


@pytest.mark.parametrize("name", [
    "3.1.2", "3.1.3.1", "3.2.2.1", "3.2.2.2", "3.2.2.3", "3.2.3", "3.2.5", "3.3.1", "3.3.7", "5.2",
    "5.3", "5.4", "2.4",
])
def test_what_is_not_stored_is_left_to_the_authors(
    pairs: dict[str, dict[str, Any]], name: str
) -> None:
    assert pairs["heds"][name]["state"] == "authors"
    assert pairs["heds"][name]["answer"] is None


def test_models_without_a_record_are_asked_for(pairs: dict[str, dict[str, Any]]) -> None:
    assert pairs["tripod_llm"]["6a"]["state"] == "authors"


def test_repeats_are_told_where_there_were_some(
    pairs: dict[str, dict[str, Any]]
) -> None:
    found = pairs["heds"]["4.3.12.2 [structure]"]
    assert found["state"] == "answered"
    assert re.search(r"Exact agreement 1\.00.* on \d+ scores", words(found))


def test_without_repeats_agreement_within_raters_does_not_apply(
    single: dict[str, dict[str, Any]]
) -> None:
    assert single["heds"]["4.3.12.1 [overall]"]["state"] == "not_applicable"


def test_actual_numbers_are_those_of_the_study(pairs: dict[str, dict[str, Any]]) -> None:
    assert words(pairs["grras"]["11"]).startswith(
        "Items in the analysis: 6 of 6; raters: 3; tasks scored: 18 of 18"
    )


@pytest.mark.parametrize("stage", ["open", "locked"])
def test_no_name_of_a_system_is_told_while_masked(
    database: Database, tmp_path: Path, now: datetime, stage: str
) -> None:
    study = making.make_study(database, tmp_path, now, protocol=PAIRS, items=5)
    for who in study.raters.values():
        making.rate_all(database, who, study.slug, now)
    if stage == "locked":
        lifecycle.lock(database, TERMINAL, slug=study.slug, now=now)
    found = filled(database, now)
    told = json.dumps(found, ensure_ascii=False)
    assert "zebra" not in told
    assert "S1" not in told or stage == "locked"
    assert found["tripod_llm"]["17"]["state"] == ("authors" if stage == "open" else "answered")
    assert "hidden until the study is unblinded" in words(found["tripod_llm"]["6a"])


def test_no_question_and_no_answer_is_told(pairs: dict[str, dict[str, Any]]) -> None:
    told = json.dumps(pairs, ensure_ascii=False)
    assert "最近总觉得自己做得不够好" not in told
    assert "种回答，内容各不相同" not in told


def test_every_sentence_of_the_section_is_used_and_every_used_one_is_there() -> None:
    code = "".join((ROOM / f"{name}.py").read_text("utf-8") for name in FACT_ROOMS)
    written = {key for key in sentences("en") if key.startswith("checklists.")}
    keys = {key.removeprefix("checklists.") for key in written}
    named = set(re.findall(r'"([a-z0-9_]+)"', code))
    begun = tuple(re.findall(r'said\(\s*f"([a-z_]+_)\{', code))
    ended = tuple(re.findall(r'said\(\s*f"\{\w+\}(_[a-z]+)"', code))
    of_use = ("input_", "layout_", "lang_")
    unused = {
        key for key in keys
        if key not in named and not key.startswith((*begun, *of_use)) and not key.endswith(ended)
    }
    assert unused == set()
    assert set(re.findall(r'said\(\s*"([a-z0-9_]+)"', code)) <= keys
