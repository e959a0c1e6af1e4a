"""The order of rows in an epoch, drawn by seed and epoch alone: a resumed run repeats it."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

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
