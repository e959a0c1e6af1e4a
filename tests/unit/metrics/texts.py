"""Small corpora for the tests of metrics, and the oracle's way of taking them."""

import random
from collections.abc import Mapping, Sequence

from cbt_core.metrics.corpus import Corpus, Task, join

LETTERS = "我你他很难过今天工作做不好想法证据可以先写下来看看解释朋友休息，。！ab "


def chinese(count: int, seed: int, *, shortest: int = 1, longest: int = 60) -> list[str]:
    """Return random texts."""
    draw = random.Random(seed)
    return [
        "".join(draw.choice(LETTERS) for _ in range(draw.randint(shortest, longest)))
        for _ in range(count)
    ]


def noisy(texts: Sequence[str], seed: int, share: float) -> list[str]:
    """Return texts with some characters replaced."""
    draw = random.Random(seed)
    return [
        "".join(draw.choice(LETTERS) if draw.random() < share else one for one in text)
        for text in texts
    ]


def corpus(answers: Mapping[str, Sequence[str]], references: Sequence[Sequence[str]]) -> Corpus:
    """Return a corpus in which every system answers every item."""
    keys = [f"q{number}" for number in range(len(references))]
    return join(
        [(key, system, text) for system, texts in answers.items()
         for key, text in zip(keys, texts, strict=True)],
        [(key, text) for key, texts in zip(keys, references, strict=True) for text in texts],
    )


def tasks(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> list[Task]:
    """Return one task per candidate."""
    return [
        Task(tuple(known), (text,)) for text, known in zip(candidates, references, strict=True)
    ]


def columns(references: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """Return references as sacrebleu takes them: one list per place, None where there is none."""
    most = max(map(len, references))
    return [
        [known[place] if place < len(known) else None for known in references]
        for place in range(most)
    ]
