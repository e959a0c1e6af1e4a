"""BERTScore F1 (Zhang et al. 2020) by bert-score's definition, each text encoded once.

Every token of one text is matched with its most similar token of the other (cosine of the
contextual vectors of one layer); precision averages over the candidate's tokens, recall over the
reference's. The two special tokens may be matched with, but are left out of the averages. Several
references: the best F1. bert-score sorts texts by blanks, which leaves Chinese unsorted, and
encodes references again for every system; here texts are sorted by tokens and systems share them.

What bert-score knows of published models stands first: the layer to compare, and baselines to
rescale by.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from cbt_core.metrics import encoder
from cbt_core.metrics.corpus import Task
from cbt_core.metrics.encoder import Unavailable
from cbt_core.stats.ratings import Floats

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Asked(Protocol):
    """The settings a baseline depends on."""

    @property
    def model(self) -> str:
        """Folder or hub id."""

    @property
    def baseline(self) -> Path | None:
        """A file of the user's, if any."""

    @property
    def lang(self) -> str:
        """Language of the texts."""


def layer_of(model: str, asked: int | None, layers: int) -> int:
    """Return the layer whose vectors are compared.

    bert-score's table is looked up by hub id, or by the name of a local folder.

    Raises:
        Unavailable: the model is not in the table and none was asked for, or it has no such layer.
    """
    chosen = asked if asked is not None else _table_layer(model)
    if chosen is None:
        raise Unavailable("metrics.layer_unknown", name=model, layers=layers)
    if not 1 <= chosen <= layers:
        raise Unavailable("metrics.layer_range", layer=chosen, layers=layers)
    return chosen


def baseline(settings: Asked, layer: int) -> float:
    """Return the F1 that unrelated texts reach with this layer (the file's column F).

    Raises:
        Unavailable: bert-score ships no baseline for the model and none was given.
    """
    file = settings.baseline or _shipped(settings.lang, settings.model)
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = {int(row["LAYER"]): float(row["F"]) for row in csv.DictReader(lines)}
        return rows[layer]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise Unavailable(
            "metrics.no_baseline", name=settings.model, layer=layer, file=file.name
        ) from error


def _table_layer(model: str) -> int | None:
    from bert_score.utils import model2layers

    for name in (model, Path(model).name):
        if name in model2layers:
            return int(model2layers[name])
    return None


def _shipped(lang: str, model: str) -> Path:
    package = find_spec("bert_score")
    home = Path(package.origin).parent if package and package.origin else Path()
    exact = home / "rescale_baseline" / lang / f"{model}.tsv"
    return exact if exact.is_file() else exact.with_name(f"{Path(model).name}.tsv")


MOST_UNKNOWN: Final = 0.10
"""Largest share of unknown tokens: beyond it a score measures the tokenizer, not the text."""

BLOCK_TOKENS: Final = 65_536
"""Tokens whose vectors are held at once (about 200 MB at 768 dimensions)."""

OFFSET: Final = {"roberta": 2, "xlm-roberta": 2, "camembert": 2}
"""Positions these models keep for themselves."""

Step = Callable[[int, int], None]
Ids = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Settings:
    """How BERTScore is computed; `layer` None takes bert-score's choice for a model it knows."""

    model: str
    layer: int | None = None
    idf: bool = False
    rescale: bool = False
    baseline: Path | None = None
    lang: str = "zh"


class BertScore:
    """A loaded encoder, cut after the layer that is compared."""

    def __init__(self, settings: Settings) -> None:
        """Load tokenizer and model.

        Raises:
            Unavailable: no such model, layer or baseline.
        """
        from transformers import AutoConfig, AutoTokenizer

        self.settings = settings
        folder = encoder.folder_of(settings.model, "bertscore")
        self.digest = encoder.digest(folder)
        config = AutoConfig.from_pretrained(folder)
        self.layer = layer_of(settings.model, settings.layer, config.num_hidden_layers)
        self.baseline = baseline(settings, self.layer) if settings.rescale else None
        spaced = {"add_prefix_space": True} if config.model_type in {"roberta", "gpt2"} else {}
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, **spaced)
        positions = getattr(config, "max_position_embeddings", None) or 512
        positions -= OFFSET.get(config.model_type, 0)
        self.limit = min(self.tokenizer.model_max_length, positions)
        self.model, self.device = self._load(folder)

    def _load(self, folder: Path) -> tuple["PreTrainedModel", "torch.device"]:
        import torch
        from transformers import AutoModel

        on = encoder.device()
        with encoder.quiet():
            model: PreTrainedModel = AutoModel.from_pretrained(
                folder, num_hidden_layers=self.layer, dtype=encoder.precision(on)
            )
        model.train(mode=False)
        torch.nn.Module.to(model, on)
        return model, on

    def scores(
        self, tasks: Sequence[Task], *, idf_over: Sequence[str] = (), step: Step | None = None
    ) -> list[Floats]:
        """Return, per task, (answers, 2): best F1 of each candidate, and whether a text was cut.

        `idf_over`: the references whose document frequencies weigh tokens (default: the tasks').

        Raises:
            Unavailable: more than MOST_UNKNOWN of the texts' tokens are unknown to the model.
        """
        references = idf_over or [text for task in tasks for text in task.references]
        candidates = {text for task in tasks for text in task.candidates}
        known = self._tokens(candidates.union(references))
        self._refuse_unknown(known)
        weight = self._weights(references, known)
        scores: list[Floats] = [np.empty((0, 2))] * len(tasks)
        done = 0
        for block in _blocks(tasks, known):
            vectors = self._vectors(
                {text for at in block for text in (*tasks[at].references, *tasks[at].candidates)},
                known,
            )
            for at in block:
                scores[at] = self._task(tasks[at], vectors, known, weight)
            done += len(block)
            if step:
                step(done, len(tasks))
        return scores

    def _tokens(self, texts: set[str]) -> dict[str, Ids]:
        """Return the token ids of each text, special tokens included, cut at the model's limit."""
        ordered = sorted(texts)
        token_ids: dict[str, Ids] = {}
        for start in range(0, len(ordered), 1_000):
            part = ordered[start : start + 1_000]
            stripped = [text.strip() for text in part]
            rows = self.tokenizer(stripped, truncation=True, max_length=self.limit)["input_ids"]
            for text, row in zip(part, rows, strict=True):
                token_ids[text] = np.array(row, dtype=np.int64)
        return token_ids

    def _refuse_unknown(self, known: Mapping[str, Ids]) -> None:
        unknown = self.tokenizer.unk_token_id
        if unknown is None:
            return
        total = sum(len(ids) - 2 for ids in known.values())
        share = sum(int((ids == unknown).sum()) for ids in known.values()) / max(total, 1)
        if share > MOST_UNKNOWN:
            raise Unavailable(
                "metrics.unknown_tokens", name=self.settings.model, share=f"{share:.0%}"
            )

    def _weights(
        self, texts: Sequence[str], known: Mapping[str, Ids]
    ) -> Callable[[Ids], Floats]:
        """Return the weight of tokens: all 1, or their idf over the references."""
        if not self.settings.idf:
            ends = (self.tokenizer.cls_token_id, self.tokenizer.sep_token_id)
            return lambda ids: (~np.isin(ids, ends)).astype(np.float64)
        count = len(texts)
        seen = Counter(int(one) for text in texts for one in np.unique(known[text]))
        return lambda ids: np.array([log((count + 1) / (seen[int(one)] + 1)) for one in ids])

    def _vectors(self, texts: set[str], known: Mapping[str, Ids]) -> dict[str, "torch.Tensor"]:
        """Return the unit vectors (tokens, d) of each text."""
        import torch

        ordered = sorted(texts)
        by_text = {}
        padding = self.tokenizer.pad_token_id or 0
        lengths = [len(known[text]) for text in ordered]
        for batch in encoder.by_length(lengths, encoder.budget(self.device)):
            rows = [torch.from_numpy(known[ordered[at]]) for at in batch]
            ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=padding)
            sizes = torch.tensor([len(row) for row in rows])
            mask = torch.arange(ids.shape[1]) < sizes[:, None]
            with torch.inference_mode():
                out = self.model(ids.to(self.device), attention_mask=mask.long().to(self.device))
                unit = torch.nn.functional.normalize(out[0].float(), dim=-1)
            for at, vectors, size in zip(batch, unit, sizes.tolist(), strict=True):
                by_text[ordered[at]] = vectors[:size]
        return by_text

    def _task(
        self,
        task: Task,
        vectors: Mapping[str, "torch.Tensor"],
        known: Mapping[str, Ids],
        weight: Callable[[Ids], Floats],
    ) -> Floats:
        weights = {text: weight(known[text]) for text in (*task.references, *task.candidates)}
        values = [
            max(
                _f1(vectors[candidate], vectors[reference], weights[candidate], weights[reference])
                for reference in task.references
            )
            for candidate in task.candidates
        ]
        scores = np.array(values, dtype=np.float64)
        if self.baseline is not None:
            scores = (scores - self.baseline) / (1 - self.baseline)
        cut = any(len(known[text]) >= self.limit for text in task.references)
        cuts = [cut or len(known[text]) >= self.limit for text in task.candidates]
        return np.column_stack((scores, cuts))


def _f1(
    candidate: "torch.Tensor", reference: "torch.Tensor", weight_c: Floats, weight_r: Floats
) -> float:
    """Return F1 of two texts; 0 when one has no token but the special ones."""
    total_c, total_r = weight_c.sum(), weight_r.sum()
    if min(len(weight_c), len(weight_r)) <= 2 or total_c <= 0 or total_r <= 0:
        return 0.0
    similar = candidate @ reference.T
    best_c, best_r = similar.amax(dim=1).cpu().numpy(), similar.amax(dim=0).cpu().numpy()
    precision = float(weight_c @ best_c / total_c)
    recall = float(weight_r @ best_r / total_r)
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


def _blocks(tasks: Sequence[Task], known: Mapping[str, Ids]) -> Iterator[list[int]]:
    """Yield tasks in blocks of about BLOCK_TOKENS, like lengths together, same texts together."""
    sizes = [
        sum(len(known[text]) for text in {*task.references, *task.candidates}) for task in tasks
    ]
    order = sorted(range(len(tasks)), key=lambda at: (sizes[at], tasks[at].references))
    block: list[int] = []
    held = 0
    for at in order:
        if block and held + sizes[at] > BLOCK_TOKENS:
            yield block
            block, held = [], 0
        block.append(at)
        held += sizes[at]
    if block:
        yield block
