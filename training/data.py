"""Rows of a dataset to tokens, labels and batches: what counts in the loss, in which order."""

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
    from torch import Tensor
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
    examples: list[Example] = []
    shortened = 0
    for entry in entries:
        prompt = prompt_tokens(messages(entry, config), tokenizer, template)
        answer = [*answer_tokens(entry.answer, tokenizer), end]
        room = config.max_tokens - len(prompt)
        if room < min(SHORTEST_ANSWER, len(answer)):
            continue
        shortened += len(answer) > room
        examples.append(Example(entry.key, (*prompt, *answer[:room]), len(prompt)))
    if entries and not examples:
        raise StudyError("training.all_too_long", tokens=config.max_tokens)
    return Encoded(tuple(examples), shortened, len(entries) - len(examples))


def messages(entry: Entry, config: TrainingConfig) -> tuple[Message, ...]:
    """Return the turns that put a row's question; a row may name its own language."""
    own_language = entry.record.get("language")
    language = own_language if own_language in {"zh", "en"} else config.language
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
        for entry in entries:
            for text in (entry.key, entry.question, entry.description, entry.answer):
                yield text.encode("utf-8", "replace")


def file_names(config: TrainingConfig) -> Mapping[str, str]:
    """Return the names of the data files, for the manifest and the card."""
    named = {"train": config.train.name}
    return named | ({"validation": config.validation.name} if config.validation else {})


class AnswerCollator:
    """Pads examples on the right and says at which places scores are needed."""

    def __init__(self, padding: int, *, picks_places: bool) -> None:
        self.padding = padding
        self.picks_places = picks_places

    def __call__(self, examples: Sequence[Example]) -> "dict[str, Tensor]":
        """Return `input_ids`, `attention_mask` (rows × width) and the labels of the next tokens.

        `labels` has a first column nobody learns: Trainer counts what is learned from the second
        on, as if labels were still to be shifted.
        """
        import torch

        width = max(len(one.tokens) for one in examples)
        tokens = torch.tensor([_padded(one.tokens, width, self.padding) for one in examples])
        mask = torch.tensor([_padded((1,) * len(one.tokens), width, 0) for one in examples])
        following = torch.tensor([_padded(one.labels, width, IGNORED)[1:] for one in examples])
        batch = {"input_ids": tokens, "attention_mask": mask}
        if self.picks_places:
            places = (following != IGNORED).any(0).nonzero().squeeze(-1)
            batch["logits_to_keep"] = places
            following = following[:, places]
        blank = torch.full((len(examples), 1), IGNORED)
        batch["labels"] = torch.cat([blank, following], dim=1)
        return batch


def answer_loss(
    outputs: "Mapping[str, Tensor]", labels: "Tensor", num_items_in_batch: "Tensor | None" = None
) -> "Tensor":
    """Return the mean cross-entropy of the learned tokens.

    `num_items_in_batch` is their number over all micro-batches of a step, so that accumulation
    weighs tokens and not micro-batches.
    """
    from torch.nn.functional import cross_entropy

    wanted = labels[:, 1:]
    scores = outputs["logits"][:, : wanted.shape[1]].float()
    wanted = wanted.to(scores.device)
    total = cross_entropy(
        scores.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    count = (wanted != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
    return total / count


def _padded(row: Sequence[int], width: int, padding: int) -> list[int]:
    return [*row, *[padding] * (width - len(row))]


POOL: Final = 32
"""Batches sorted by length together: like lengths stand side by side, yet the order is random."""


class EpochOrder:
    """A sampler for a data loader; accelerate shares its batches out between processes.

    Trainer tells the epoch by `set_epoch`. transformers' own length grouping draws from torch's
    global stream, which a resumed run has not advanced to the same place.
    """

    def __init__(
        self, lengths: Sequence[int], *, batch: int, seed: int, by_length: bool = True
    ) -> None:
        self.lengths = lengths
        self.batch = batch
        self.seed = seed
        self.by_length = by_length
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order is drawn."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        """Yield the places of rows."""
        random = Random(f"{self.seed}/{self.epoch}")
        order = list(range(len(self.lengths)))
        random.shuffle(order)
        return iter(self._grouped(order, random) if self.by_length else order)

    def _grouped(self, order: list[int], random: Random) -> list[int]:
        """Sort pools by length, then shuffle their batches; a short last batch stays last."""
        batches: list[list[int]] = []
        size = POOL * self.batch
        for start in range(0, len(order), size):
            pool = sorted(order[start : start + size], key=lambda place: self.lengths[place])
            batches += [pool[i : i + self.batch] for i in range(0, len(pool), self.batch)]
        whole = [one for one in batches if len(one) == self.batch]
        rest = [place for one in batches if len(one) < self.batch for place in one]
        random.shuffle(whole)
        return [place for one in whole for place in one] + rest
