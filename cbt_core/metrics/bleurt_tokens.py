"""Pairs of texts as BLEURT expects them: WordPiece (``vocab.txt``) or SentencePiece."""

from collections.abc import Callable
from pathlib import Path

from cbt_core.metrics.unavailable import Unavailable

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
        found = tokenizer(
            [reference], [candidate], truncation="longest_first", max_length=limit
        )
        return list(found["input_ids"][0]), list(found["token_type_ids"][0])

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
