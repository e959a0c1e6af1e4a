"""METEOR: worked by hand, held to nltk's, with synonyms and with words of several kinds."""

import random
from collections.abc import Mapping

import pytest
from nltk.translate.meteor_score import single_meteor_score

from cbt_core.metrics.corpus import Task
from cbt_core.metrics.meteor import aligned, chunks, digest, meteor, read_synonyms, scores
from cbt_core.metrics.segmentation import segmenter

GROUPS = read_synonyms(["难过 伤心 悲伤", "朋友,好友", "想法 念头 悲伤"])


class Stemmer:
    """Chinese has no stems."""

    def stem(self, word: str) -> str:
        """Return the word."""
        return word


class Lemma:
    """A word of a group."""

    def __init__(self, word: str) -> None:
        self.word = word

    def name(self) -> str:
        """Return it."""
        return self.word


class Synset:
    """A group of synonyms."""

    def __init__(self, words: list[str]) -> None:
        self.words = words

    def lemmas(self) -> list[Lemma]:
        """Return its words."""
        return [Lemma(word) for word in self.words]


class WordNet:
    """What nltk asks of WordNet, answered from our groups."""

    def __init__(self, groups: Mapping[str, frozenset[str]]) -> None:
        self.groups = groups

    def synsets(self, word: str) -> list[Synset]:
        """Return the groups of a word."""
        return [
            Synset([other for other, names in self.groups.items() if name in names])
            for name in self.groups.get(word, frozenset())
        ]


def test_a_worked_example_in_one_order() -> None:
    """5 of 6 words match in 2 chunks: P = 5/6, R = 5/5, F = 10PR/(R+9P) = 8.3333/8.5 = .98039.

    Penalty = .5 (2/5)^3 = .032; score = .98039 x .968 = .94902.
    """
    candidate = ["我", "今天", "真", "很", "难过", "。"]
    reference = ["我", "今天", "很", "难过", "。"]
    assert chunks(sorted(aligned(candidate, reference, {}))) == 2
    assert meteor(candidate, reference) == pytest.approx(0.949020, abs=1e-6)


def test_a_worked_example_in_reversed_order() -> None:
    """2 of 2 words match in 2 chunks: P = R = F = 1, penalty = .5 (2/2)^3 = .5; score = .5."""
    assert meteor(["难过", "我"], ["我", "难过"]) == pytest.approx(0.5)


def test_a_worked_example_with_a_synonym() -> None:
    """Exact: 我, 很. Synonym: 伤心 = 难过. 3 of 3 match in 1 chunk of 3.

    P = R = F = 1; penalty = .5 (1/3)^3 = .018519; score = .981481. Without synonyms: 2 of 3 match
    in 1 chunk: P = R = F = 2/3, penalty = .5 (1/2)^3 = .0625; score = .625.
    """
    candidate, reference = ["我", "很", "伤心"], ["我", "很", "难过"]
    assert meteor(candidate, reference, GROUPS) == pytest.approx(0.981481, abs=1e-6)
    assert meteor(candidate, reference) == pytest.approx(0.625)


def test_the_example_of_nltks_documentation() -> None:
    """https://www.nltk.org/api/nltk.translate.meteor_score.html, without stems and synonyms."""
    candidate = ("It is a guide to action which ensures that the military always obeys the "
                 "commands of the party").lower().split()
    reference = ("It is a guide to action that ensures that the military will forever heed Party "
                 "commands").lower().split()
    wanted = single_meteor_score(reference, candidate, stemmer=Stemmer(), wordnet=WordNet({}))
    assert meteor(candidate, reference) == pytest.approx(wanted)


@pytest.mark.parametrize("groups", [{}, GROUPS], ids=["exact", "synonyms"])
def test_it_equals_nltks_on_random_texts(groups: Mapping[str, frozenset[str]]) -> None:
    draw = random.Random(5)
    words = ["我", "你", "难过", "伤心", "悲伤", "朋友", "好友", "想法", "念头", "今天", "。"]
    for _ in range(300):
        first, second = (draw.choices(words, k=draw.randint(1, 25)) for _ in range(2))
        wanted = single_meteor_score(second, first, stemmer=Stemmer(), wordnet=WordNet(groups))
        assert meteor(first, second, groups) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(("candidate", "reference"), [([], ["我"]), (["我"], []), ([], []),
                                                      (["天"], ["地"])])
def test_nothing_in_common_is_zero(candidate: list[str], reference: list[str]) -> None:
    assert meteor(candidate, reference) == 0.0


def test_an_identical_answer_lacks_only_the_penalty_of_its_one_chunk() -> None:
    """.5 (1/4)^3 = .0078125."""
    words = ["今", "天", "很", "好"]
    assert meteor(words, words) == pytest.approx(1 - 0.0078125)


def test_the_best_reference_counts() -> None:
    task = Task(("毫不相干", "我很难过"), ("我很难过", ""))
    found = scores("char", None, [task])[0]
    assert found == pytest.approx([1 - 0.5 / 64, 0.0])


def test_words_are_cut_by_jieba_by_character_or_by_13a() -> None:
    text = "我今天用GPT4写 日记。"
    assert segmenter("char")(text) == ["我", "今", "天", "用", "gpt4", "写", "日", "记", "。"]
    assert segmenter("jieba")("我今天 很难过。") == ["我", "今天", "很", "难过", "。"]
    assert segmenter("13a")("I'm sad, truly.") == ["i'm", "sad", ",", "truly", "."]


def test_only_synonyms_of_the_thesaurus_are_read_not_related_words() -> None:
    lines = ["Aa01A01= 人 士 人物", "Aa01A02# 手指 指头", "Aa01A03@ 孤词", "# 注释 一行", ""]
    found = read_synonyms(lines)
    assert set(found) == {"人", "士", "人物"}
    assert found["人"] == found["士"]


def test_another_list_of_synonyms_has_another_digest() -> None:
    assert digest(GROUPS) != digest(read_synonyms(["难过 伤心"]))
