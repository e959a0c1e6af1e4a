"""How large a file, record, cell or id may be, and how many problems are told."""

from typing import Final

FILE_BYTES: Final = 200 * 1024 * 1024
"""Largest file that is opened (200 MB)."""

LINE_CHARACTERS: Final = 16 * 1024 * 1024
"""Longest JSON record: 24 cells of the longest kind, written in six-character escapes."""

RECORDS: Final = 1_000_000
COLUMNS: Final = 1_000
SYSTEMS: Final = 100

CELL_CHARACTERS: Final = 100_000
LONG_CHARACTERS: Final = 20_000
"""Above this a text is taken with a warning, above `CELL_CHARACTERS` refused."""

KEY_CHARACTERS: Final = 200
SYSTEM_CHARACTERS: Final = 200
NAME_CHARACTERS: Final = 2_000
"""Longest id, name of a system, and other short text (model, run, source, licence, label)."""

NESTING: Final = 40
"""Deepest JSON record; ours need four levels."""

SHOWN_CHARACTERS: Final = 40
"""How much of an offending value a message may show."""

PROBLEMS_TOLD: Final = 20
PROBLEMS_KEPT: Final = 100
PROBLEMS_COUNTED: Final = 10_000
"""Problems told in text, and kept for a screen; the rest is counted, and then reading stops."""

BLANK_ROWS: Final = 1_000_000
"""A text file with more blank lines is no table."""

ZIP_ENTRIES: Final = 2_000
ZIP_DIRECTORY_BYTES: Final = 1024 * 1024
ZIP_UNPACKED_BYTES: Final = 400 * 1024 * 1024
ZIP_SMALL_BYTES: Final = 10 * 1024 * 1024
ZIP_RATIO: Final = 100
"""A workbook above `ZIP_SMALL_BYTES` that unpacks to more times its size is no study."""

SHEET_ELEMENTS: Final = 1_000_000
"""XML elements a workbook may have, and one more for each byte of the file."""

SHEET_ROWS: Final = 1_048_576
SHEET_PLACES: Final = 20_000_000
"""Rows of a sheet (as many as Excel has), and rows times columns up to its last values."""

XML_TOKEN_BYTES: Final = 4 * 1024 * 1024
"""Longest tag or comment: older expat rescans an unfinished one at every chunk."""
