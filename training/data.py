"""From dataset rows to tokens: the question is read, only the answer is learned.

A row becomes prompt tokens, answer tokens and one end token. The prompt is built by the same
backend code that will ask the tuned model, so that training and use cannot drift apart.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from cbt_core.errors import StudyError
from cbt_core.generation.backend.exchange import Message
from cbt_core.generation.backend.local_model import prompt_tokens
from cbt_core.generation.backend.profiles import Template
from cbt_core.generation.dataset.dataset_rows import Entry, read_entries
from cbt_core.generation.tasks.prompts import load_prompt
from training.config import TrainingConfig

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


IGNORED: Final = -100
"""The label of a token that is not learned (PyTorch's own number)."""

SHORTEST_ANSWER: Final = 16
"""Tokens of an answer that must fit, else the row is left out and counted."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row as tokens; `answer` is the place at which the answer begins."""

    key: str
    tokens: tuple[int, ...]
    answer: int

    @property
    def labels(self) -> tuple[int, ...]:
        """Return the label of each token: the token itself in the answer, else ignored."""
        return (IGNORED,) * self.answer + self.tokens[self.answer :]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a run before they are tokens, and a digest of all of them."""

    train: tuple[Entry, ...]
    validation: tuple[Entry, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """Examples, and how many rows were shortened or left out for length."""

    examples: tuple[Example, ...]
    shortened: int
    left_out: int


def read_rows(config: TrainingConfig) -> Rows:
    """Read the datasets of a run; set rows apart for validation where no file is named.

    Raises:
        StudyError: a file is missing, wrong or empty.
    """
    train = read_entries(config.train)
    if config.validation is not None:
        validation = read_entries(config.validation)
    else:
        train, validation = _set_apart(train, config.validation_share, config.seed)
    if not train:
        raise StudyError("training.no_rows", file=config.train)
    return Rows(tuple(train), tuple(validation), _digest(train, validation))


def questions(rows: Rows) -> list[tuple[str, str]]:
    """Return question and description of every row that is learned from or chosen by."""
    return [(one.question, one.description) for one in (*rows.train, *rows.validation)]


def encode(
    entries: Sequence[Entry], config: TrainingConfig, tokenizer: "PreTrainedTokenizerBase",
    template: Template, end: int,
) -> Encoded:
    """Return rows as tokens, at most `max_tokens` each.

    Raises:
        StudyError: not one row is left.
    """
    found: list[Example] = []
    shortened = 0
    for entry in entries:
        prompt = prompt_tokens(messages(entry, config), tokenizer, template)
        answer = [*answer_tokens(entry.answer, tokenizer), end]
        room = config.max_tokens - len(prompt)
        if room < min(SHORTEST_ANSWER, len(answer)):
            continue
        shortened += len(answer) > room
        found.append(Example(entry.key, (*prompt, *answer[:room]), len(prompt)))
    if entries and not found:
        raise StudyError("training.all_too_long", tokens=config.max_tokens)
    return Encoded(tuple(found), shortened, len(entries) - len(found))


def messages(entry: Entry, config: TrainingConfig) -> tuple[Message, ...]:
    """Return the turns that put a row's question; a row may name its own language."""
    said = entry.record.get("language")
    language = said if said in {"zh", "en"} else config.language
    prompt = load_prompt(config.prompt, str(language))
    return prompt.messages(entry.question, entry.description)


def answer_tokens(answer: str, tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Return the tokens of an answer alone, without a beginning-of-text token."""
    return list(tokenizer(answer, add_special_tokens=False)["input_ids"])


def ends_with_end_token(examples: Sequence[Example], end: int) -> float:
    """Return the share of examples whose last learned token is the end token."""
    return sum(one.tokens[-1] == end for one in examples) / max(len(examples), 1)


def _set_apart(
    entries: list[Entry], share: float, seed: int
) -> tuple[list[Entry], list[Entry]]:
    """Draw rows for validation by seed; each kept in its file's order."""
    count = round(len(entries) * share)
    drawn = set(Random(seed).sample(range(len(entries)), count))
    train = [one for place, one in enumerate(entries) if place not in drawn]
    return train, [entries[place] for place in sorted(drawn)]


def _digest(*sets: Sequence[Entry]) -> str:
    """Return the SHA-256 of all texts in their order."""
    digest = hashlib.sha256()
    for part in _parts(sets):
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()


def _parts(sets: Sequence[Sequence[Entry]]) -> Iterator[bytes]:
    for entries in sets:
        yield str(len(entries)).encode()
        for one in entries:
            for text in (one.key, one.question, one.description, one.answer):
                yield text.encode("utf-8", "replace")


def file_names(config: TrainingConfig) -> Mapping[str, str]:
    """Return the names of the data files, for the manifest and the card."""
    named = {"train": config.train.name}
    return named | ({"validation": config.validation.name} if config.validation else {})
