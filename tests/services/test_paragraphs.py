"""The methods paragraph and the limitations say what a study did, and nothing else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cbt_core.domain.people import TERMINAL
from cbt_core.report.paragraphs import limitations, methods_paragraph
from cbt_core.services.operations import demo_study
from cbt_core.services.report.study_report import Wish, gather
from cbt_core.services.results import study_results
from cbt_core.services.studies import lifecycle, registration
from db import migrate
from db.engine import Database
from tests import making

MOMENT = datetime(2026, 11, 23, 8, tzinfo=UTC)
SINGLE = """
[design]
panel = "single"
overlap = 2
[instrument]
scales = "overall-5"
[sheet]
flags = false
preference = "off"
[analysis]
bootstrap = 20
"""
REPEATED = """
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
"""


@dataclass(frozen=True)
class Written:
    """Paragraph and limitations by language."""

    paragraph: dict[str, str]
    limits: dict[str, list[str]]


def written(database: Database, slug: str, now: datetime = MOMENT) -> Written:
    analysis = study_results.analyse(database, TERMINAL, slug=slug, now=now, bootstrap=20)
    context = gather(
        database, TERMINAL, slug=slug, plan=analysis.registered, wish=Wish(bootstrap=20), now=now
    )
    return Written(
        {lang: methods_paragraph(analysis, context, lang) for lang in ("zh", "en")},
        {lang: limitations(analysis, context, lang) for lang in ("zh", "en")},
    )


def small(
    database: Database, folder: Path, now: datetime, protocol: str, *, unblinded: bool = True,
    register: bool = False, **more: Any,
) -> Written:
    study = making.make_study(database, folder, now, protocol=protocol, **more)
    if register:
        registration.register(database, TERMINAL, slug="trial", language="en", now=now)
    for number, who in enumerate(study.raters.values()):
        making.rate_all(database, who, study.slug, now, value=1 + number % 2)
    lifecycle.lock(database, TERMINAL, slug=study.slug, now=now)
    if unblinded:
        lifecycle.unblind(database, TERMINAL, slug=study.slug, reason="planned", now=now)
    return written(database, study.slug, now)


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Written]]:
    """Yield what is written of the demonstration: zh unblinded, en locked."""
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'concord.db'}")
    migrate.upgrade(made)
    demo_study.load_demonstration(made, now=MOMENT)
    for slug in demo_study.SLUGS.values():
        lifecycle.lock(made, TERMINAL, slug=slug, now=MOMENT)
    lifecycle.unblind(made, TERMINAL, slug="demo", reason="planned", now=MOMENT)
    yield {slug: written(made, slug) for slug in demo_study.SLUGS.values()}
    made.close()


@pytest.fixture
def single(database: Database, tmp_path: Path, now: datetime) -> Written:
    return small(database, tmp_path, now, SINGLE, items=5, raters=("R01", "R02", "R03", "R04"))


@pytest.fixture
def repeated(database: Database, tmp_path: Path, now: datetime) -> Written:
    return small(database, tmp_path, now, REPEATED, items=6, register=True)


def test_the_paragraph_of_the_demonstration_has_a_length_a_paper_can_take(
    demonstration: dict[str, Written]
) -> None:
    for one in demonstration.values():
        assert 250 <= len(one.paragraph["en"].split()) <= 400
        assert 500 <= len(re.findall("[\u4e00-\u9fff]", one.paragraph["zh"])) <= 900


def test_the_paragraph_names_design_instrument_statistics_and_software(
    demonstration: dict[str, Written]
) -> None:
    told = demonstration["demo"].paragraph["en"]
    for part in (
        "answers of two systems to 24 items", "side by side", "three ratings", "seed 7",
        "letters only", "version 1, SHA-256", "Krippendorff 2011", "Gwet 2014", "Pratt 1959",
        "sign flips by item (10,000 draws)", "quasi-F", "Holm", "Davidson 1970", "Bang et al. 2004",
        "20 replicates", "cbt against baseline on CBT structure", "Passonneau 2006", "SciPy",
    ):
        assert part in told


def test_every_sentence_is_whole_and_in_its_language(demonstration: dict[str, Written]) -> None:
    for one in demonstration.values():
        for lang, text in one.paragraph.items():
            assert not re.search(r"[{}]|None|  |\bno (raters|items|ratings)\b", text)
            assert text.endswith("。" if lang == "zh" else ".")
        named = one.paragraph["en"].replace("演示", "")
        assert not re.search("[\u4e00-\u9fff]", named)


def test_a_sentence_never_begins_with_a_figure(demonstration: dict[str, Written]) -> None:
    for one in demonstration.values():
        assert not re.search(r"\. \d", one.paragraph["en"].replace("al. ", "al "))


def test_while_masked_neither_names_nor_the_primary_comparison_nor_blinding_are_told(
    demonstration: dict[str, Written]
) -> None:
    told = demonstration["demo-en"].paragraph["en"]
    assert "primary comparison" not in told
    assert "Bang" not in told
    assert "cbt " not in told


def test_single_answers_are_not_said_to_stand_side_by_side(single: Written) -> None:
    for text in ("side by side", "on one page", "letters", "preferred", "positions", "Bradley"):
        assert text not in single.paragraph["en"]
    assert "并排" not in single.paragraph["zh"]
    assert "Each task showed one answer." in single.paragraph["en"]


def test_what_was_not_done_is_not_mentioned(single: Written) -> None:
    for text in ("rated twice", "quality checks", "Practice", "labelled", "flag", "metric",
                 "approved", "Judge models", "missing and not imputed"):
        assert text not in single.paragraph["en"]


def test_few_items_enumerate_all_sign_flips(repeated: Written) -> None:
    assert "all enumerated" in repeated.paragraph["en"]
    assert "10,000" not in repeated.paragraph["en"]


def test_without_pairs_no_test_is_claimed(single: Written) -> None:
    for text in ("sign flips", "Effect sizes", "Holm", "quasi-F", "primary"):
        assert text not in single.paragraph["en"]
    assert "no difference between systems was tested" in single.paragraph["en"]
    assert has(single, "also holds differences between raters")


def test_an_own_instrument_is_told_with_its_values(single: Written) -> None:
    assert "(1, 2, 3, 4, 5)" in single.paragraph["en"]
    assert "names it is given" in single.paragraph["en"]


def test_repeats_committee_and_registration_are_told(repeated: Written) -> None:
    told = repeated.paragraph["en"]
    assert "rated twice by the same rater" in told
    assert "Agreement within raters" in told
    assert "approved by Ethics Committee of the Example Hospital (2026-031)" in told
    assert "frozen on 2026-11-23, before the first rating" in told


def has(found: Written, en: str) -> bool:
    return any(en in one for one in found.limits["en"])


def test_the_demonstration_says_first_that_nothing_follows_from_it(
    demonstration: dict[str, Written]
) -> None:
    assert demonstration["demo"].limits["en"][0].startswith("This is a demonstration")
    assert demonstration["demo"].limits["zh"][0].startswith("本研究为演示")


def test_both_languages_hold_the_same_limitations(demonstration: dict[str, Written]) -> None:
    for one in demonstration.values():
        assert len(one.limits["zh"]) == len(one.limits["en"]) > 5


def test_limitations_of_the_demonstration_follow_from_its_data(
    demonstration: dict[str, Written]
) -> None:
    found = demonstration["demo"]
    for text in ("one answer per item", "these 3 raters", "Items in the analysis: 24",
                 "144 of 576",                 "not registered", "alpha is below 0.667"):
        assert has(found, text), text
    assert not has(found, "amended")
    assert not has(found, "also lead")
    assert not has(found, "No ethics decision")


def test_a_registered_study_with_a_committee_is_not_blamed(repeated: Written) -> None:
    assert not has(repeated, "not registered")
    assert not has(repeated, "No ethics decision")
    assert not has(repeated, "are missing")
    assert not has(repeated, "demonstration")


def test_incomplete_overlap_is_a_limitation(single: Written) -> None:
    assert has(single, "Not every rater scored every answer")


def test_complete_overlap_is_none(repeated: Written) -> None:
    assert not has(repeated, "Not every rater scored every answer")


def test_a_single_rater_allows_no_word_about_agreement(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    found = small(database, tmp_path, now, "[design]\noverlap = 1\n[analysis]\nbootstrap = 20\n",
                  items=4, raters=("R01",))
    assert has(found, "There is a single rater")
    assert "Agreement between raters" not in found.paragraph["en"]
    assert not has(found, "item-level tests")


def test_no_system_is_named_while_masked(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    found = small(database, tmp_path, now, REPEATED, items=5, unblinded=False)
    assert "zebra" not in repr(found)
