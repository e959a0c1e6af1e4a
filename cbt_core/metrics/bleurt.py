"""BLEURT (Sellam et al. 2020) from the published PyTorch checkpoints, on transformers' encoders.

The checkpoints are those of https://github.com/lucadiliello/bleurt-pytorch (``BLEURT-20`` and its
smaller ones, ``bleurt-base-128`` …), whose own package does not import on transformers 5. Two
layouts: embeddings as wide as the layers (that is BERT), or narrower ones behind a projection (that
is RemBERT). Reference first, candidate second; the score is a linear layer on the pooled first
token. Scores are not bounded: BLEURT-20 lies roughly between 0 and 1, the older checkpoints below
and above. Several references: the best.

Pairs of texts are tokenised as BLEURT expects them: WordPiece (``vocab.txt``) or SentencePiece.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from cbt_core.metrics import encoder
from cbt_core.metrics.corpus import Task
from cbt_core.metrics.encoder import Unavailable
from cbt_core.stats.ratings import Floats

if TYPE_CHECKING:
    import torch

Encoded = tuple[list[int], list[int]]
"""Token ids and segments (0 reference, 1 candidate), special tokens included."""

PairTokenizer = Callable[[str, str], Encoded]
PIECES = ("spm.model", "sent_piece.model")


def pair_tokenizer(folder: Path, limit: int) -> PairTokenizer:
    """Return the function that turns (reference, candidate) into at most `limit` tokens.

    Raises:
        Unavailable: the folder holds no vocabulary we can read.
    """
    for name in PIECES:
        if (folder / name).is_file():
            return _sentencepiece(folder / name, limit)
    if any((folder / name).is_file() for name in ("vocab.txt", "tokenizer.json")):
        return _wordpiece(folder, limit)
    raise Unavailable("metrics.no_vocabulary", name=folder.name)


def _wordpiece(folder: Path, limit: int) -> PairTokenizer:
    from transformers import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(folder)

    def encode(reference: str, candidate: str) -> Encoded:
        # lists: a bare empty second text would count as none, and lose its closing [SEP]
        encoding = tokenizer(
            [reference], [candidate], truncation="longest_first", max_length=limit
        )
        return list(encoding["input_ids"][0]), list(encoding["token_type_ids"][0])

    return encode


def _sentencepiece(file: Path, limit: int) -> PairTokenizer:
    """Return [CLS] reference [SEP] candidate [SEP]; the longer text loses its end first."""
    from tokenizers import Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import Unigram

    pieces, unknown, charsmap = _model(file)
    tokenizer = Tokenizer(Unigram(pieces, unk_id=unknown))
    steps = [normalizers.Precompiled(charsmap)] if charsmap else []
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" +", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    names = {piece: at for at, (piece, _) in enumerate(pieces)}
    start, end = names["[CLS]"], names["[SEP]"]

    def encode(reference: str, candidate: str) -> Encoded:
        first, second = (tokenizer.encode(text.strip()).ids for text in (reference, candidate))
        first, second = shortened(first, second, limit - 3)
        ids = [start, *first, end, *second, end]
        return ids, [0] * (len(first) + 2) + [1] * (len(second) + 1)

    return encode


def shortened(first: list[int], second: list[int], room: int) -> tuple[list[int], list[int]]:
    """Return both cut to `room` tokens together, one by one from the longer."""
    over = len(first) + len(second) - room
    if over <= 0:
        return first, second
    half = room // 2
    if len(second) <= half:
        return first[: room - len(second)], second
    if len(first) <= room - half:
        return first, second[: room - len(first)]
    return first[: room - half], second[:half]


def _model(file: Path) -> tuple[list[tuple[str, float]], int, bytes]:
    """Return pieces with their scores, the number of the unknown one, the normalisation table."""
    try:
        from transformers.utils import sentencepiece_model_pb2_new as forms
    except ImportError as error:
        raise Unavailable("metrics.no_protobuf") from error
    proto = getattr(forms, "ModelProto")()  # noqa: B009 - made when the module is imported
    proto.ParseFromString(file.read_bytes())
    return (
        [(piece.piece, piece.score) for piece in proto.pieces],
        proto.trainer_spec.unk_id,
        proto.normalizer_spec.precompiled_charsmap,
    )


SHARED: Final = (
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
    "hidden_act", "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "pad_token_id",
)
"""Settings that BLEURT's configuration shares with BERT and RemBERT."""

PROJECTION: Final = ("encoder.embedding_projection.", "encoder.embedding_hidden_mapping_in.")
"""How BLEURT's files and RemBERT call the projection of the embeddings."""

BUFFERS: Final = ("position_ids", "token_type_ids")
Step = Callable[[int, int], None]
Weights = Mapping[str, "torch.Tensor"]


class Bleurt:
    """A loaded checkpoint."""

    def __init__(self, name: str) -> None:
        """Load a checkpoint by folder or hub id.

        Raises:
            Unavailable: there is none, or it is of another kind.
        """
        folder = encoder.folder_of(name, "bleurt")
        self.digest = encoder.digest(folder)
        config = _config(folder, name)
        self.limit = int(str(config["max_position_embeddings"]))
        self.tokens: PairTokenizer = pair_tokenizer(folder, self.limit)
        self.device = encoder.device()
        self.precision = encoder.precision(self.device)
        self.model, self.head = _built(config, _weights(folder), name)
        self.model.eval().to(self.device, self.precision)
        self.head.to(self.device, self.precision)

    def scores(self, tasks: Sequence[Task], step: Step | None = None) -> list[Floats]:
        """Return, per task, (answers, 2): best score of each candidate, and whether it was cut."""
        ordered = list(dict.fromkeys(
            (reference, candidate)
            for task in tasks
            for candidate in task.candidates
            for reference in task.references
        ))  # fmt: skip
        rows = [self.tokens(reference, candidate) for reference, candidate in ordered]
        values = dict(zip(ordered, self._scored(rows, step), strict=True))
        cut = dict(zip(ordered, (len(ids) >= self.limit for ids, _ in rows), strict=True))
        return [
            np.array([
                (max(values[reference, candidate] for reference in task.references),
                 any(cut[reference, candidate] for reference in task.references))
                for candidate in task.candidates
            ], dtype=np.float64)
            for task in tasks
        ]  # fmt: skip

    def _scored(self, rows: Sequence[Encoded], step: Step | None) -> list[float]:
        import torch

        lengths = [len(ids) for ids, _ in rows]
        scores = [0.0] * len(rows)
        done = 0
        for batch in encoder.by_length(lengths, encoder.budget(self.device)):
            ids, kinds, mask = (
                torch.nn.utils.rnn.pad_sequence([torch.tensor(one) for one in part],
                                                batch_first=True).to(self.device)
                for part in zip(*((*rows[at], [1] * lengths[at]) for at in batch), strict=True)
            )  # fmt: skip
            with torch.inference_mode():
                out = self.model(input_ids=ids, token_type_ids=kinds, attention_mask=mask)
                values = self.head(out.pooler_output).flatten().float().tolist()
            for at, value in zip(batch, values, strict=True):
                scores[at] = value
            done += len(batch)
            if step:
                step(done, len(rows))
        return scores


def _config(folder: Path, name: str) -> dict[str, object]:
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Unavailable("metrics.not_bleurt", name=name) from error
    if not isinstance(config, dict) or not {"hidden_size", "num_hidden_layers"} <= config.keys():
        raise Unavailable("metrics.not_bleurt", name=name)
    defaults: dict[str, object] = {  # those of BleurtConfig, which leaves none of them out
        "hidden_act": "gelu", "max_position_embeddings": 512, "type_vocab_size": 2,
        "layer_norm_eps": 1e-12, "pad_token_id": 0,
    }  # fmt: skip
    return defaults | config


def _weights(folder: Path) -> Weights:
    if (folder / "model.safetensors").is_file():
        from safetensors.torch import load_file

        return dict(load_file(folder / "model.safetensors"))
    import torch

    weights: Weights = torch.load(
        folder / "pytorch_model.bin", map_location="cpu", weights_only=True
    )
    return weights


def _built(
    config: Mapping[str, object], weights: Weights, name: str
) -> tuple["torch.nn.Module", "torch.nn.Linear"]:
    """Return the encoder with pooler, and the linear head, filled from BLEURT's weights."""
    import torch
    from transformers import BertConfig, BertModel, RemBertConfig, RemBertModel

    shared = {key: config[key] for key in SHARED if key in config}
    width = config.get("embedding_size")
    if width is None:
        model: torch.nn.Module = BertModel(BertConfig.from_dict(shared))
    else:
        ends = {"bos_token_id": None, "eos_token_id": None}
        narrow = {**shared, **ends, "input_embedding_size": width}
        model = RemBertModel(RemBertConfig.from_dict(narrow))
    head = torch.nn.Linear(int(str(config["hidden_size"])), 1)
    body = {
        key.removeprefix("bleurt.").replace(*PROJECTION): value
        for key, value in weights.items()
        if key.startswith("bleurt.") and not key.endswith(BUFFERS)
    }
    try:
        model.load_state_dict(_with_buffers(model, body), strict=True)
        head.load_state_dict(
            {part: weights[f"classifier.{part}"] for part in ("weight", "bias")}
        )
    except (RuntimeError, KeyError) as error:  # other names or shapes
        raise Unavailable("metrics.not_bleurt", name=name) from error
    return model, head


def _with_buffers(model: "torch.nn.Module", body: Weights) -> dict[str, "torch.Tensor"]:
    """Add the counting buffers, which are not learned, from the fresh model."""
    own = {key: value for key, value in model.state_dict().items() if key.endswith(BUFFERS)}
    return {**own, **body}
