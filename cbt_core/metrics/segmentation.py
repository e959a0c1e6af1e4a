"""Words of a text: by jieba, by character, or by sacrebleu's 13a rules."""

import re
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import Final

SEGMENTERS: Final = {"zh": "jieba", "char": "char", "13a": "13a"}
"""How METEOR cuts words for each value of ``--tokenize``."""

Segmenter = Callable[[str], list[str]]

PIECE: Final = re.compile(r"[A-Za-z0-9]+|\S")
"""A run of Latin letters or digits is one token; every other character is one of its own."""


def segmenter(name: str) -> Segmenter:
    """Return the function that cuts a text into lower-case words without blanks.

    Raises:
        ValueError: the name is none of jieba, char, 13a.
    """
    if name == "char":
        return lambda text: PIECE.findall(text.lower())
    if name == "jieba":
        cut = _jieba()
        return lambda text: [word for word in cut(text.lower()) if not word.isspace()]
    if name == "13a":
        from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

        words = Tokenizer13a()  # type: ignore[no-untyped-call]
        return lambda text: str(words(text.lower())).split()
    raise ValueError(name)


def told(name: str) -> str:
    """Return the segmenter as a signature names it."""
    return f"jieba-{version('jieba')}-hmm" if name == "jieba" else name


@cache
def _jieba() -> Segmenter:
    """Return jieba's cut, its dictionary read once.

    jieba keeps its dictionary as a pickle-like file in the shared temporary folder and trusts what
    it finds there: a private folder keeps other people's files out.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports pkg_resources
        import jieba
    jieba.setLogLevel("ERROR")
    words = jieba.Tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        words.tmp_dir = folder
        words.initialize()
    return lambda text: list(words.lcut(text))
