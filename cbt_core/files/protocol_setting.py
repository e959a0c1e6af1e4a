"""Where a protocol is read: which folder its files stand in, which instrument it speaks of."""

from dataclasses import dataclass
from pathlib import Path

from cbt_core.domain.instrument import Instrument
from cbt_core.instruments.reading import Table, parse_toml, read_text


@dataclass(frozen=True, slots=True)
class Setting:
    """What the rater section is read against.

    `folder` is where files named in it start; None means that no file may be read (a protocol
    that came through the browser or out of the database must hold everything itself).
    `source_kind` (archived or live) decides which consent is shipped.
    """

    folder: Path | None
    instrument: Instrument
    language: str
    source_kind: str


def named_file(table: Table, key: str, folder: Path | None) -> Path:
    """Return the path of a file named in a protocol.

    Raises:
        StudyError: no file may be read here (see `Setting`).
    """
    name = table.text(key)
    if folder is None:
        raise table.refusal(key, "protocol.no_files_here")
    return folder / name


def listed(table: Table, key: str, inner: str, setting: Setting) -> Table:
    """Return a table whose `inner` list holds what `key` names: a file, or tables in place."""
    written = table.content.get(key, [])
    if isinstance(written, str):
        path = named_file(table, key, setting.folder)
        return parse_toml(read_text(path), str(path))
    table.children(key)  # refuses what is not a list of tables, under its own name
    return Table(table.file, table.place(key), {inner: written})
