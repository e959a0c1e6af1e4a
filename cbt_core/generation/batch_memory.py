"""Which batches a run has handed in: kept on disk, so that a killed run does not pay twice."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from cbt_core.errors import StudyError
from cbt_core.generation.backend import Request
from cbt_core.generation.finishing import write_whole


def batch_key(request: Request) -> str:
    """Return the name of a request inside a batch: the same request, the same name."""
    content = [request.key, [[one.role, one.content] for one in request.messages],
               request.decoding.seed]
    text = json.dumps(content, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]


class BatchMemory:
    """Batches by their mark (a digest of what they ask): their id at the host and their keys.

    A batch is noted before it is handed in, with id '': after a kill between the two the host is
    asked whether it knows the mark.
    """

    def __init__(self, path: Path) -> None:
        """Read what an earlier session noted.

        Raises:
            StudyError: the file is not ours.
        """
        self._path = path
        self._batches: dict[str, tuple[str, list[str]]] = {}
        if path.exists():
            try:
                found = json.loads(path.read_text("utf-8"))
                self._batches = {mark: (one["id"], one["keys"]) for mark, one in found.items()}
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise StudyError("generating.not_a_journal", file=path) from error

    def holding(self, keys: Collection[str]) -> Mapping[str, tuple[str, list[str]]]:
        """Return the batches, by mark, that ask at least one of these."""
        sought = set(keys)
        return {mark: one for mark, one in self._batches.items() if sought & set(one[1])}

    def note(self, keys: Iterable[str], batch_id: str = "") -> str:
        """Note a batch and return its mark."""
        listed = list(keys)
        mark = hashlib.sha256("\n".join(listed).encode()).hexdigest()[:32]
        self._batches[mark] = (batch_id, listed)
        self._write()
        return mark

    def forget(self, keys: Collection[str]) -> None:
        """Let these be asked anew: they got no usable reply."""
        gone = set(keys)
        left = {
            mark: (batch_id, [key for key in listed if key not in gone])
            for mark, (batch_id, listed) in self._batches.items()
        }
        self._batches = {mark: one for mark, one in left.items() if one[1]}
        self._write()

    def forget_batch(self, batch_id: str) -> None:
        """Let everything in a batch be asked anew: the host would not run it."""
        self._batches = {mark: one for mark, one in self._batches.items() if one[0] != batch_id}
        self._write()

    def _write(self) -> None:
        plain = {mark: {"id": one[0], "keys": one[1]} for mark, one in self._batches.items()}
        write_whole(self._path, [json.dumps(plain).encode()])
