"""What is wrong in a file, where, and what to do; and how large a file may be."""

from typing import Final

from cbt_core.domain.study import Problem
from cbt_core.errors import StudyError
from cbt_core.words import say, sentences

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

WHOLE_FILE = "file"
"""The field of a problem that concerns the file as a whole (its row is then 1)."""

SECTION = "files"


def shown(value: object, limit: int = SHOWN_CHARACTERS) -> str:
    """Return a value as a message may show it: one line, escaped, at most `limit` characters."""
    start = value[: limit + 1] if isinstance(value, str) else str(value)[: limit + 1]
    text = "".join(_visible(character) for character in start)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character, f"\\u{ord(character):04x}")


def describe(problem: Problem, language: str = "en") -> str:
    """Return ``FILE:ROW: FIELD: what is wrong; what to do`` in a language (`en` or `zh`)."""
    code = problem.code if "." in problem.code else f"{SECTION}.{problem.code}"
    values = dict(problem.values)
    if "kind" in values and f"{SECTION}.kind_{values['kind']}" in sentences(language):
        values["kind"] = say(f"{SECTION}.kind_{values['kind']}", language)
    sentence = say(code, language, **values)
    return f"{problem.file}:{problem.row}: {problem.field}: {sentence}"


class ImportProblems(StudyError):  # noqa: N818 - named after what it carries
    """Files that cannot be taken, with the reasons: up to 100 of `count`."""

    def __init__(self, problems: tuple[Problem, ...], *, count: int | None = None) -> None:
        """Keep the first problems and how many there are in all."""
        self.problems = problems[:PROBLEMS_KEPT]
        self.count = len(problems) if count is None else count
        super().__init__(f"{SECTION}.refused", count=self.count)

    def lines(self, language: str = "en", *, limit: int = PROBLEMS_TOLD) -> list[str]:
        """Return one line per problem, and a last one that counts those left out."""
        lines = [describe(problem, language) for problem in self.problems[:limit]]
        if self.count > len(lines):
            lines.append(say(f"{SECTION}.more_problems", language, count=self.count - len(lines)))
        return lines

    def say(self, language: str) -> str:
        """Return the lines as one text."""
        return "\n".join(self.lines(language))


class Findings:
    """Problems and warnings of one import, in the order they were met."""

    def __init__(self) -> None:
        """Start with nothing found."""
        self._problems: list[Problem] = []
        self._problem_count = 0
        self._warnings: dict[str, list[Problem]] = {}
        self._warning_counts: dict[str, int] = {}

    def refuse(self, problem: Problem) -> None:
        """Note a reason to refuse the files; reading goes on, to find the others.

        Raises:
            ImportProblems: there are so many that nothing is gained by reading on.
        """
        self._problem_count += 1
        if len(self._problems) < PROBLEMS_KEPT:
            self._problems.append(problem)
        if self._problem_count >= PROBLEMS_COUNTED:
            raise self.problems()

    def warn(self, problem: Problem) -> None:
        """Note a doubt the person should know of; the first 20 of each kind are kept."""
        count = self._warning_counts.get(problem.code, 0) + 1
        self._warning_counts[problem.code] = count
        if count <= PROBLEMS_TOLD:
            self._warnings.setdefault(problem.code, []).append(problem)

    @property
    def count(self) -> int:
        """Return how many reasons to refuse were noted so far."""
        return self._problem_count

    def failed(self) -> bool:
        """Tell whether there is a reason to refuse."""
        return self._problem_count > 0

    def problems(self) -> ImportProblems:
        """Return the refusal of all that was found so far."""
        return ImportProblems(tuple(self._problems), count=self._problem_count)

    def check(self) -> None:
        """Refuse if there is a reason to.

        Raises:
            ImportProblems: something was found.
        """
        if self.failed():
            raise self.problems()

    def warning_counts(self) -> dict[str, int]:
        """Return how many warnings of each kind were met, those left out included."""
        return dict(self._warning_counts)

    def warnings(self) -> tuple[Problem, ...]:
        """Return the warnings by kind, each kind closed by a count of those left out."""
        problems: list[Problem] = []
        for code, kept in self._warnings.items():
            problems.extend(kept)
            left = self._warning_counts[code] - len(kept)
            if left:
                last = kept[-1]
                values: dict[str, object] = {"count": left}
                problems.append(Problem(last.file, last.row, last.field, "more_like_this", values))
        return tuple(problems)


def refuse_warnings(warnings: tuple[Problem, ...]) -> None:
    """Turn warnings into a refusal (``--strict``).

    Raises:
        ImportProblems: there is at least one warning.
    """
    if warnings:
        raise ImportProblems(warnings)


class Place:
    """One file under its name as typed; turns what is wrong in it into findings."""

    def __init__(self, name: str, findings: Findings) -> None:
        """Remember the name and where findings go."""
        self.name = "".join(_visible(character) for character in name)
        self.findings = findings

    def refuse(self, row: int, field: str, code: str, **values: object) -> None:
        """Note a reason to refuse the file; `values` must already be fit to be shown."""
        self.findings.refuse(Problem(self.name, row, field, code, values))

    def warn(self, row: int, field: str, code: str, **values: object) -> None:
        """Note a doubt about the file."""
        self.findings.warn(Problem(self.name, row, field, code, values))

    def stop(self, row: int, field: str, code: str, **values: object) -> ImportProblems:
        """Note a reason after which nothing more can be read; the caller raises the result."""
        self.refuse(row, field, code, **values)
        return self.findings.problems()
