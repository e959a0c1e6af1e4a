"""Table 5 of the CBT-LLM paper (human evaluation of 100 samples): the cells that are known.

Source: H. Na, CBT-LLM (LREC-COLING 2024, arXiv 2403.16008). A cell that is not here is not
published here; none is filled in. The paper gives neither intervals nor agreement.
"""

from typing import Final

SCALES: Final = ("relevance", "structure", "helpfulness")
"""The columns of Table 5 by the ids of instrument `cbt-3`."""

TABLE_5: Final[tuple[tuple[str, dict[str, float]], ...]] = (
    ("LLaMA-Chinese-7B", {}),
    ("Alpaca-Chinese-7B", {"relevance": 1.732, "structure": 1.508, "helpfulness": 1.408}),
    ("Qwen-7B", {}),
    ("Baichuan-7B (= CBT-LLM)", {"relevance": 1.734, "structure": 1.644, "helpfulness": 1.432}),
)
