"""The whole table: values, intervals, comparisons, caches, and what is undefined."""

from pathlib import Path

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from cbt_core.metrics import sacre
from cbt_core.metrics.corpus import Corpus, join
from cbt_core.metrics.measures import CHUNK, WORTH_A_POOL, Cache, Plan, spread
from cbt_core.metrics.paper import METRICS, table
from cbt_core.metrics.score_table import Cell, Outcome, score
from tests.unit.metrics.texts import chinese, columns, corpus, noisy, tasks

FIRST = chinese(60, 1, shortest=8)
REFERENCES = [[text] for text in FIRST]
ANSWERS = {"baseline": noisy(FIRST, 2, 0.5), "tuned": noisy(FIRST, 3, 0.2)}
COUNTS = ("bleu", "chrf", "meteor")


def scored(found: Corpus, metrics: tuple[str, ...] = COUNTS, **plan: int) -> Outcome:
    return score(found, Plan(metrics, "char", **plan))  # type: ignore[arg-type]


def test_the_table_holds_sacrebleus_values() -> None:
    cells = scored(corpus(ANSWERS, REFERENCES)).cells["tuned"]
    oracles = {"bleu": BLEU(tokenize="char", force=True), "chrf": CHRF()}
    for metric, oracle in oracles.items():
        wanted = oracle.corpus_score(ANSWERS["tuned"], columns(REFERENCES)).score
        assert cells[metric].value == pytest.approx(wanted, abs=0.01)


def test_a_better_system_is_told_from_a_worse_one() -> None:
    for one in scored(corpus(ANSWERS, REFERENCES)).comparisons:
        assert (one.a, one.b, one.items) == ("baseline", "tuned", 60)
        assert one.difference is not None
        assert one.low is not None
        assert one.high is not None
        assert one.low < one.difference < one.high < 0
        assert one.p == pytest.approx(1 / 10_001)
        assert one.p_bootstrap == pytest.approx(1 / 1_001)


def test_a_difference_is_the_difference_of_the_values() -> None:
    found = scored(corpus(ANSWERS, REFERENCES))
    for one in found.comparisons:
        values = [found.cells[system][one.metric].value for system in (one.a, one.b)]
        assert None not in values
        assert one.difference == pytest.approx(np.subtract(*values))  # type: ignore[arg-type]


def test_systems_are_compared_on_the_items_both_answered() -> None:
    keys = [f"q{at}" for at in range(60)]
    rows = [(key, "baseline", text) for key, text in zip(keys, ANSWERS["baseline"], strict=True)]
    rows += [(key, "tuned", text)
             for key, text in zip(keys[:20], ANSWERS["tuned"], strict=False)]
    found = scored(join(rows, zip(keys, FIRST, strict=True)), ("bleu",))
    short = {system: texts[:20] for system, texts in ANSWERS.items()}
    whole = scored(corpus(short, REFERENCES[:20]), ("bleu",))
    assert found.comparisons[0].items == 20
    assert found.comparisons[0].difference == pytest.approx(whole.comparisons[0].difference)
    alone = scored(corpus({"baseline": ANSWERS["baseline"]}, REFERENCES), ("bleu",))
    assert found.cells["baseline"]["bleu"] == alone.cells["baseline"]["bleu"]


def test_systems_without_a_common_item_are_not_compared() -> None:
    rows = [("q1", "A", "我今天很好"), ("q2", "B", "你今天很好")]
    found = scored(join(rows, [("q1", "我今天很好"), ("q2", "你今天很好")]))
    assert {one.difference for one in found.comparisons} == {None}
    assert "no item in common" in str(found.comparisons[0].reason)


def test_one_pair_has_a_value_and_no_interval() -> None:
    found = scored(corpus({"A": ["我今天很难过"], "B": ["我很好"]}, [["我今天很难过"]]))
    for cell in found.cells["A"].values():
        assert cell.value is not None
        assert (cell.low, cell.high) == (None, None)
        assert "at least 2 answers" in str(cell.reason)
    assert all(one.difference and one.p is None and one.reason for one in found.comparisons)
    assert found.family == 0


@pytest.mark.parametrize(("answers", "lowest", "highest"), [
    (["", ""], (0, 0, 0), (0, 0, 0)),
    (["我今天很难过", "你可以先写下来"], (100, 100, 0.99), (100, 100, 1)),
    (["宇宙玄黄", "日月盈昃"], (0, 0, 0), (0, 0, 0)),
], ids=["empty", "identical", "no overlap"])
def test_degenerate_answers_have_the_scores_they_must(
    answers: list[str], lowest: tuple[float, ...], highest: tuple[float, ...]
) -> None:
    found = scored(corpus({"A": answers}, [["我今天很难过"], ["你可以先写下来"]]))
    for name, low, high in zip(COUNTS, lowest, highest, strict=True):
        cell = found.cells["A"][name]
        assert cell.value is not None
        assert low - 1e-9 <= cell.value <= high + 1e-9
        assert cell.low is not None


def test_without_replicates_there_is_no_interval_and_a_reason() -> None:
    found = scored(corpus(ANSWERS, REFERENCES), bootstrap=0)
    assert "--bootstrap is 0" in str(found.cells["tuned"]["bleu"].reason)
    assert found.comparisons[0].low is None
    assert found.comparisons[0].p is None


def test_a_metric_without_its_model_is_null_and_the_others_stand() -> None:
    found = scored(corpus(ANSWERS, REFERENCES), ("bleu", "bertscore", "bleurt"))
    row = found.cells["tuned"]
    assert row["bleu"].value is not None
    for name in ("bertscore", "bleurt"):
        assert row[name].value is None
        assert f"--model {name}=" in str(row[name].reason)
    assert found.names == ("bleu", "bertscore", "bleurt")


@pytest.mark.parametrize("metric", ["bertscore", "bleurt"])
def test_a_damaged_checkpoint_is_told_not_raised(tmp_path: Path, metric: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    (tmp_path / "config.json").write_text(
        '{"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1}', "utf-8")
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", "utf-8")
    plan = Plan((metric,), models={metric: str(tmp_path)}, layer=1)
    cell = score(corpus(ANSWERS, REFERENCES), plan).cells["tuned"][metric]
    assert cell.value is None
    assert f"{metric} failed with the model" in str(cell.reason)


def test_the_same_seed_gives_the_same_table_and_another_seed_other_intervals() -> None:
    texts = corpus(ANSWERS, REFERENCES)
    assert scored(texts).cells == scored(texts).cells
    assert scored(texts, seed=2).cells["tuned"]["bleu"].low != low_of(scored(texts))


def low_of(outcome: Outcome) -> float | None:
    return outcome.cells["tuned"]["bleu"].low


def test_a_second_run_scores_only_the_system_that_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[int] = []
    real = sacre.statistics

    def counting(metric: str, tokenize: str, found: list) -> list:  # type: ignore[type-arg]
        met.append(sum(len(task.candidates) for task in found))
        return real(metric, tokenize, found)

    monkeypatch.setattr(sacre, "statistics", counting)
    plan, cache = Plan(("bleu",), "char"), Cache(tmp_path)
    first = score(corpus(ANSWERS, REFERENCES), plan, cache=cache)
    again = score(corpus(ANSWERS, REFERENCES), plan, cache=cache)
    assert met == [120]
    assert again.cells == first.cells
    changed = {**ANSWERS, "tuned": [*ANSWERS["tuned"][:-1], "改了"]}
    score(corpus(changed, REFERENCES), plan, cache=cache)
    assert met == [120, 60]


def test_a_damaged_cache_is_made_again(tmp_path: Path) -> None:
    plan, cache = Plan(("chrf",)), Cache(tmp_path)
    first = score(corpus(ANSWERS, REFERENCES), plan, cache=cache)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:40])
    assert score(corpus(ANSWERS, REFERENCES), plan, cache=cache).cells == first.cells


def test_the_cache_holds_no_text(tmp_path: Path) -> None:
    score(corpus(ANSWERS, REFERENCES), Plan(("bleu", "meteor"), "char"), cache=Cache(tmp_path))
    for file in tmp_path.iterdir():
        assert file.suffix == ".npy"
        assert np.load(file, allow_pickle=False).dtype == np.float64


def test_many_answers_are_scored_by_several_processes_with_the_same_result() -> None:
    texts = chinese(WORTH_A_POOL + CHUNK, 5, longest=12)
    made = tasks(noisy(texts, 6, 0.3), [[one] for one in texts])
    alone = [one for part in spread(lengths, made, weight=1, workers=1) for one in part]
    both = [one for part in spread(lengths, made, weight=len(made), workers=2) for one in part]
    assert both == alone


def lengths(found: list) -> list[int]:  # type: ignore[type-arg]
    """Return how long the answers are (a module's function: processes must find it)."""
    return [len(task.candidates[0]) for task in found]


def test_structure_and_variety_stand_beside_the_metrics_and_are_called_automatic() -> None:
    found = scored(corpus({"A": ["听起来你很难过。", ""]}, [["好"], ["好"]]),
                   ("structure", "distinct"))
    row = found.cells["A"]
    assert {"structure", "structure_step_1", "structure_length", "distinct_1"} <= row.keys()
    assert all("automatic" in cell.signature for cell in row.values() if cell.value is not None)
    assert row["structure_length"].value == pytest.approx(4.0)


def test_the_papers_known_cells_are_kept_and_the_others_stay_unknown() -> None:
    """Table 4 of Na (2024), as far as it is known; 0-1 scale."""
    rows = {row.backbone.split("-")[0]: row for row in table()}
    assert rows["LLaMA"].values == {"bleu": 0.2412, "meteor": 0.3758, "bertscore": 0.7793}
    assert rows["Baichuan"].values == {"bleu": 0.2648, "meteor": 0.4031, "bertscore": 0.7841}
    assert rows["Baichuan"].best == ("chrf", "bleurt")
    for name in ("Alpaca", "Qwen"):
        assert [rows[name].value(metric) for metric in METRICS] == [None] * 5


def test_a_cell_without_a_value_has_a_reason() -> None:
    found = scored(corpus(ANSWERS, REFERENCES), ("bleu", "bleurt", "structure"))
    for row in found.cells.values():
        for cell in row.values():
            assert sound(cell)


def sound(cell: Cell) -> bool:
    return cell.reason is not None or None not in (cell.value, cell.low, cell.high)
