"""The model card beside an adapter: from what it was made, for what it may be used or not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cbt_core.generation.model_folder import Source
from training.config import Described

NAME: Final = "README.md"

TEMPLATE: Final = Path(__file__).parent / "card.md"


def write(folder: Path, described: Described, source: Source, facts: Mapping[str, object]) -> None:
    """Write the card of a finished run."""
    values = {
        "title": described.title, "base": source.name,
        "revision": f" ({source.revision})" if source.revision else "",
        "licence": source.profile.licence if source.profile else "see its card",
        "max_tokens": described.config.max_tokens, **facts,
    }
    (folder / NAME).write_text(TEMPLATE.read_text("utf-8").format(**values), "utf-8")


def overlap(found: int | None) -> tuple[str, str]:
    """Return what the card says of overlap with studies, in English and Chinese."""
    if found is None:
        return "not checked: no database", "未检查：没有数据库"
    if found == 0:
        return "none found", "未发现"
    return (f"{found} rows also stand in a study: its results must not be used",
            f"有 {found} 条也在研究题目中：不得使用该研究对此模型的结果")
