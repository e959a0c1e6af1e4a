"""How the next token is drawn in a batch: every row by its own seed, until its own end.

Rows are drawn by inverting their own cumulative distribution with one uniform number a step, so
that what a row says does not depend on which others stood in its batch.
"""

import hashlib
import random
from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import BoolTensor, FloatTensor, LongTensor, Tensor
    from transformers import PreTrainedTokenizerBase

TAIL: Final = 24
"""Tokens at the end of a row that are looked through for a stop text."""


def row_random(seed: int, key: str) -> random.Random:
    """Return the stream of random numbers of one request; the same in any batch and on retry."""
    digest = hashlib.blake2b(f"{seed}/{key}".encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest))


class SeededDraw:
    """Leaves only the drawn token of each row, so that a greedy search picks it."""

    def __init__(self, streams: Sequence[random.Random], temperature: float, top_p: float) -> None:
        self.streams = streams
        self.temperature = temperature
        self.top_p = top_p

    def __call__(self, input_ids: "LongTensor", scores: "FloatTensor") -> "Tensor":
        """Return scores (rows × vocabulary) of minus infinity but for one token a row."""
        shares, order = (scores.double() / self.temperature).softmax(-1).sort(descending=True)
        before = shares.cumsum(-1) - shares
        kept = shares.masked_fill(before >= self.top_p, 0.0).cumsum(-1)
        drawn = kept.new_tensor([stream.random() for stream in self.streams]).unsqueeze(-1)
        place = (kept <= drawn * kept[:, -1:]).sum(-1, keepdim=True)
        chosen = order.gather(-1, place.clamp(max=order.shape[-1] - 1))
        return scores.new_full(scores.shape, float("-inf")).scatter(-1, chosen, 0.0)


class StopTexts:
    """Ends a row once one of the texts stands in its reply."""

    def __init__(
        self, tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], prompt_tokens: int
    ) -> None:
        self.tokenizer = tokenizer
        self.texts = texts
        self.prompt_tokens = prompt_tokens

    def __call__(self, input_ids: "LongTensor", scores: object, **_: object) -> "BoolTensor":
        """Return, for each row, whether it has ended."""
        start = max(self.prompt_tokens, input_ids.shape[-1] - TAIL)
        tails = self.tokenizer.batch_decode(input_ids[:, start:], skip_special_tokens=False)
        ended = [any(text in tail for text in self.texts) for tail in tails]
        return input_ids.new_tensor(ended).bool()  # type: ignore[return-value]


class StopWhenClosed:
    """Ends all rows when the backend is being closed: Ctrl-C need not wait for a batch."""

    def __init__(self, closed: Event) -> None:
        self.closed = closed

    def __call__(self, input_ids: "LongTensor", scores: object, **_: object) -> "BoolTensor":
        """Return, for each row, whether it has ended."""
        return input_ids.new_full(  # type: ignore[return-value]
            (input_ids.shape[0],), int(self.closed.is_set())
        ).bool()


def cut(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    """Return the text before the first stop text, and whether there was one."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return (text[: min(places)], True) if places else (text, False)
