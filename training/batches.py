"""Batches of examples, their order, and the loss over answer tokens alone.

Scores over the vocabulary are made only at the places whose next token is learned (`logits_to_keep`
of transformers' models): the question costs no memory there. Models without that argument make all
of them, and the same places are picked afterwards. The order of rows in an epoch is drawn by seed
and epoch alone: a resumed run repeats it.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Final

from training.data import IGNORED, Example

if TYPE_CHECKING:
    from torch import Tensor


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
