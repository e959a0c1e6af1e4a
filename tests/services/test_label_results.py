"""What a lead sees of the labels of a study, at which stage."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import cohen_kappa_score

from cbt_core.analysis.labels import LabelResults
from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.domain.submission import Work
from cbt_core.errors import Refused, StudyError
from cbt_core.files.labels import read_labels, read_spans
from cbt_core.services.desk import desk_task
from cbt_core.services.export import study_export
from cbt_core.services.labels import machine_proposals
from cbt_core.services.results.study_results import label_results
from cbt_core.services.studies import lifecycle
from cbt_core.stats.labels.annotators import Setting, labels_agreement
from cbt_core.stats.labels.detection import Cells
from cbt_core.stats.labels.label_sets import gather
from db.engine import Database
from tests import making
from tests.label_figures import ALL, BLIND, MIND, OVER, TAG, worked_study
from tests.label_study import LabelStudy, make_label_study, open_next, press


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> LabelStudy:
    return worked_study(database, tmp_path, now)


def number_of(view: dict[str, Any]) -> int:
    return int("".join(letter for letter in view["task"]["question"] if letter.isdigit()))


def seen(database: Database, study: LabelStudy, now: datetime) -> LabelResults:
    return label_results(database, TERMINAL, slug=study.slug, now=now, bootstrap=50)


def locked(database: Database, study: LabelStudy, now: datetime) -> LabelResults:
    lifecycle.lock(database, TERMINAL, slug=study.slug, now=now)
    return seen(database, study, now)


def test_a_second_look_is_not_computed_anew_and_a_new_label_is_seen_at_once(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, mode="blind", annotators=("N01", "N02"))
    view = open_next(database, study.annotators["N01"], study.slug, now)
    desk_task.save(
        database, study.annotators["N01"], body=press(view, labels=[TAG]), work=Work.LABEL, now=now)
    first = seen(database, study, now)
    assert seen(database, study, now) is first
    view = open_next(database, study.annotators["N02"], study.slug, now)
    desk_task.save(
        database, study.annotators["N02"], body=press(view, labels=[ALL]), work=Work.LABEL, now=now)
    assert seen(database, study, now).agreement.n_sets == 2


def test_before_the_lock_nothing_of_the_machine_is_there(
    database: Database, study: LabelStudy, now: datetime
) -> None:
    found = seen(database, study, now)
    assert found.detected == ()
    assert found.anchoring is None
    assert "qwen-7b" not in repr(found)


def test_agreement_is_that_of_the_blind_round(
    database: Database, study: LabelStudy, now: datetime
) -> None:
    found = seen(database, study, now)
    agreement = found.agreement
    assert (agreement.n_items, agreement.n_annotators) == (6, 3)
    assert agreement.flow["unsure"] == 1
    assert found.is_blind
    assert found.first["N02"]["Q004"] == {TAG, OVER}
    pair = agreement.labels[MIND].kappa_of("N01", "N02")
    common = [at for at in range(6) if BLIND["N01"][at] is not None]
    expected = cohen_kappa_score(*(
        [MIND in (BLIND[code][at] or ()) for at in common] for code in ("N01", "N02")))
    assert pair is not None
    assert pair.kappa.value == pytest.approx(expected)


def test_the_figures_equal_those_of_the_exported_files(
    database: Database, study: LabelStudy, now: datetime, tmp_path: Path
) -> None:
    out = tmp_path / "export"
    study_export.export_study(database, TERMINAL, slug=study.slug, folder=out, now=now)
    read = read_labels(out / "labels.csv")
    marked = read_spans(out / "spans.csv", out / "documents.csv", rows=read.rows)
    found = seen(database, study, now)
    sets = gather(read.rows, found.labels)
    again = labels_agreement(sets, Setting(50, 1), marked.documents)
    for key in ("alpha_masi", "alpha_jaccard", "labels", "spans"):
        assert getattr(found.agreement, key) == getattr(again, key)


def test_after_the_lock_the_machine_is_judged_against_gold(
    database: Database, study: LabelStudy, now: datetime
) -> None:
    (one,) = locked(database, study, now).detected
    # majority of the blind round: Q1 {all}, Q2 {mind}, Q3 {}, Q4 {tag}, Q5 {}, Q6 {tag}
    # machine: Q1 {all, over}, Q2 {}, Q3 {tag}, Q4 {tag}, Q5 {mind, all}, Q6 {}
    assert one.found.binary.cells == Cells(tp=2, fp=2, fn=2, tn=0)
    assert one.found.per_label[TAG].cells == Cells(tp=1, fp=1, fn=1, tn=3)
    assert one.found.per_label[ALL].cells == Cells(tp=1, fp=1, fn=0, tn=4)
    assert one.found.gold_from == "adjudicated 0, majority 6; blind round only"
    assert int(one.matrix.sum()) == 8  # one cell for each label that one side has, one if both
    assert one.name == "M1"


def test_where_annotators_saw_different_distortions_gold_is_not_none(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(
        database, tmp_path, now, mode="blind", items=2, annotators=("N01", "N02"))
    machine_proposals.propose(database, TERMINAL, slug=study.slug, source="m", empty=["Q001",
    "Q002"],
                      proposals=[], now=now)
    for code, labels in (("N01", [ALL]), ("N02", [TAG])):
        for _ in range(2):
            view = open_next(database, study.annotators[code], study.slug, now)
            is_first = number_of(view) == 1
            entry: dict[str, Any] = {"labels": labels} if is_first else {"verdict": "none"}
            desk_task.save(
                database, study.annotators[code], body=press(view, **entry),
                work=Work.LABEL, now=now)
    (one,) = locked(database, study, now).detected
    found = one.found
    assert found.binary.cells == Cells(tp=0, fp=0, fn=1, tn=1)
    assert found.per_label[ALL].cells == Cells(tp=0, fp=0, fn=0, tn=1)
    assert (found.n_items, found.n_items_labels) == (2, 1)
    assert (found.flow["items_undecided"], found.flow["items_undecided_any"]) == (1, 1)


def test_a_machine_bears_its_name_once_the_study_is_unblinded(
    database: Database, study: LabelStudy, now: datetime
) -> None:
    locked(database, study, now)
    lifecycle.unblind(database, TERMINAL, slug=study.slug, reason="planned", now=now)
    assert [one.name for one in seen(database, study, now).detected] == ["qwen-7b"]


def test_anchoring_compares_the_two_rounds(
    database: Database, study: LabelStudy, now: datetime
) -> None:
    anchoring = locked(database, study, now).anchoring
    assert anchoring is not None
    # Items with proposals: Q1, Q3, Q4, Q5, three annotators each. Jaccard with the machine:
    # before Q1 1/2 1/2 1/2, Q3 0 0 1, Q4 1 1/2 1, Q5 1/2 0 0;
    # after  Q1 1/2 1/2 1/2, Q3 1 1 1, Q4 1 1/2 1, Q5 1 0 0.
    assert anchoring.n_pairs == 12
    assert anchoring.similarity_before.value == pytest.approx(5.5 / 12)
    assert anchoring.similarity_after.value == pytest.approx(8 / 12)
    assert anchoring.effect.value == pytest.approx(2.5 / 12)
    tag = anchoring.labels[TAG].adoption
    assert (tag.answered, tag.confirmed, tag.rejected, tag.added) == (6, 4, 2, 2)


def test_excluded_items_leave_every_figure(
    database: Database, study: LabelStudy, now: datetime
) -> None:
    lifecycle.withdraw_item(
        database, TERMINAL, slug=study.slug, key="Q001", reason="a name in it", now=now)
    found = locked(database, study, now)
    assert found.agreement.n_items == 5
    assert found.anchoring is not None
    assert found.anchoring.n_pairs == 9
    assert found.detected[0].found.n_items == 5


def test_labels_given_with_the_machine_on_the_screen_are_not_called_blind(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = worked_study(database, tmp_path, now, mode="correct")
    found = locked(database, study, now)
    assert not found.is_blind
    assert "set:first,last" in found.agreement.signature
    assert found.detected == ()  # no blind round and no decision: no gold
    assert found.anchoring is not None
    assert found.anchoring.effect.reason == "nobody saved labels in both rounds"


def test_a_lead_who_labels_sees_nothing_before_the_lock(
    database: Database, study: LabelStudy, now: datetime
) -> None:
    both = making.give_role(
        database, making.lead(database, study.study_id, now), study.study_id, Role.ANNOTATOR, now)
    with pytest.raises(Refused) as refused:
        label_results(database, both, slug=study.slug, now=now)
    assert refused.value.code == "labels.no_results_for_annotators"
    lifecycle.lock(database, TERMINAL, slug=study.slug, now=now)
    assert label_results(database, both, slug=study.slug, now=now, bootstrap=10).detected


def test_an_unlabelled_study_says_so(database: Database, tmp_path: Path, now: datetime) -> None:
    make_label_study(database, tmp_path, now)
    with pytest.raises(StudyError) as told:
        label_results(database, TERMINAL, slug="labels", now=now)
    assert told.value.code == "labels.nothing_labelled"
