"""Batches of examples, and the loss over answer tokens alone.

Scores over the vocabulary are made only at the places whose next token is learned
(`logits_to_keep` of transformers' models): the question costs no memory there. Models without
that argument make all of them, and the same places are picked afterwards.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

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
