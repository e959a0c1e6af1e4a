"""BLEU and chrF are sacrebleu's own, for a corpus, for single answers and for any sum."""

from collections.abc import Sequence

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from cbt_core.metrics import sacre
from cbt_core.metrics.sacre import bleu, chrf
from cbt_core.stats.ratings import Floats
from tests.unit.metrics.texts import chinese, columns, noisy, tasks

FIRST = chinese(120, 1)
REFERENCES = [
    [text, *more] for text, more in zip(FIRST, [[], ["你先写下来"], ["休息", "看看证据"]] * 40,
                                        strict=True)
]
ANSWERS = ["" if at % 17 == 0 else text for at, text in enumerate(noisy(FIRST, 2, 0.4))]
TOKENIZERS = ("zh", "char", "13a")


def rows(metric: str, answers: Sequence[str], references: Sequence[Sequence[str]],
         tokenize: str = "zh") -> Floats:
    return np.vstack(sacre.statistics(metric, tokenize, tasks(answers, references)))


def total(table: Floats) -> Floats:
    return table.sum(axis=0)[np.newaxis]


@pytest.mark.parametrize("tokenize", TOKENIZERS)
def test_corpus_bleu_is_sacrebleus(tokenize: str) -> None:
    oracle = BLEU(tokenize=tokenize, force=True).corpus_score(ANSWERS, columns(REFERENCES))
    ours = bleu(total(rows("bleu", ANSWERS, REFERENCES, tokenize)))
    assert ours[0] == pytest.approx(oracle.score, abs=1e-9)


def test_corpus_chrf_is_sacrebleus() -> None:
    oracle = CHRF().corpus_score(ANSWERS, columns(REFERENCES))
    assert chrf(total(rows("chrf", ANSWERS, REFERENCES)))[0] == pytest.approx(oracle.score)


@pytest.mark.parametrize("tokenize", TOKENIZERS)
def test_the_bleu_of_an_answer_is_sacrebleus_sentence_bleu(tokenize: str) -> None:
    oracle = BLEU(tokenize=tokenize, effective_order=True, force=True)
    wanted = [oracle.sentence_score(*pair).score for pair in zip(ANSWERS, REFERENCES, strict=True)]
    ours = bleu(rows("bleu", ANSWERS, REFERENCES, tokenize), effective_order=True)
    np.testing.assert_allclose(ours, wanted, atol=1e-9)


def test_the_chrf_of_an_answer_is_sacrebleus_sentence_chrf() -> None:
    wanted = [CHRF().sentence_score(*pair).score
              for pair in zip(ANSWERS, REFERENCES, strict=True)]
    np.testing.assert_allclose(chrf(rows("chrf", ANSWERS, REFERENCES)), wanted, atol=1e-9)


def test_a_resampled_corpus_scores_as_sacrebleu_scores_it() -> None:
    drawn = np.random.default_rng(3).integers(len(ANSWERS), size=len(ANSWERS))
    answers, references = [ANSWERS[at] for at in drawn], [REFERENCES[at] for at in drawn]
    for metric, formula, oracle in (("bleu", bleu, BLEU(tokenize="zh", force=True)),
                                    ("chrf", chrf, CHRF())):
        ours = formula(total(rows(metric, ANSWERS, REFERENCES)[drawn]))
        wanted = oracle.corpus_score(answers, columns(references)).score
        assert ours[0] == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("metric", "oracle"), [("bleu", BLEU(tokenize="zh", force=True)),
                                                ("chrf", CHRF())])
@pytest.mark.parametrize("references", [REFERENCES, [[text] for text in FIRST]])
def test_the_signature_is_sacrebleus(
    metric: str, oracle: BLEU | CHRF, references: list[list[str]]
) -> None:
    oracle.corpus_score(ANSWERS, columns(references))
    ours = sacre.signature(metric, "zh", [len(known) for known in references])
    assert ours == str(oracle.get_signature())


def test_sacrebleu_is_the_version_whose_private_counting_was_checked() -> None:
    """Raise this together with the requirement, after the tests above pass."""
    assert sacre.sacrebleu_version().split(".")[:2] == ["2", "6"]


@pytest.mark.parametrize(("answer", "reference", "wanted_bleu", "wanted_chrf"), [
    ("今天我们一起看看证据", "今天我们一起看看证据", 100.0, 100.0),
    ("", "今天我们一起看看证据", 0.0, 0.0),
    ("完全不同", "今天我们一起看看证据", 0.0, 0.0),
])
def test_identical_empty_and_unrelated_answers_score_as_they_must(
    answer: str, reference: str, wanted_bleu: float, wanted_chrf: float
) -> None:
    assert bleu(rows("bleu", [answer], [[reference]]))[0] == pytest.approx(wanted_bleu)
    assert chrf(rows("chrf", [answer], [[reference]]))[0] == pytest.approx(wanted_chrf)
