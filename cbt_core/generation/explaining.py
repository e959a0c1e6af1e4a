"""Turning a library's failure to load or to find room into a sentence."""

from cbt_core.errors import StudyError
from cbt_core.generation.model_folder import Source


class explained:  # noqa: N801 - reads as a sentence: with explained(source)
    """Turns a library's failure to load into a sentence."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def __enter__(self) -> None:
        """Keep the library's own bars off the terminal: what is long is told by the command."""
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise a StudyError for what can be explained; all else goes on its way."""
        if error is None or isinstance(error, StudyError):
            return
        if out_of_memory(error):
            raise StudyError("local.too_large", model=self.source.name) from error
        if isinstance(error, ImportError):
            raise StudyError("local.no_library", library=error.name or "") from error
        if isinstance(error, OSError) and self.source.kind == "hub":
            raise StudyError("local.not_here", model=self.source.name) from error
        if isinstance(error, OSError | ValueError | KeyError | AttributeError | TypeError):
            raise StudyError("local.cannot_load", model=self.source.name) from error


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that memory has run out, on a GPU or here."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    said = str(error)
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in said or "not enough memory" in said or "out of memory" in said
    )
