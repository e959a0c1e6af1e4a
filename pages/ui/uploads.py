"""Uploaded files on their way to the import: laid out on disk for a moment, and templates."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamlit.runtime.uploaded_file_manager import UploadedFile

from cbt_core.errors import StudyError
from cbt_core.files.protocol import LoadedProtocol, parse_protocol
from cbt_core.services.studies.creation import StudyFiles

KINDS: Final = ("jsonl", "json", "csv", "xlsx")

TEMPLATES: Final = {  # our own words; the columns are those of the manual
    "study.csv": (
        "id,question,description,risk,answer:baseline,answer:cbt-llm\n"
        "Q001,最近总是睡不好,一躺下就想白天没做完的事,none,第一个系统的回答,第二个系统的回答\n"
    ),
    "study.jsonl": (
        '{"id": "Q001", "question": "最近总是睡不好", "description": "一躺下就想白天没做完的事",'
        ' "answers": {"baseline": "第一个系统的回答", "cbt-llm": "第二个系统的回答"}}\n'
    ),
    "questions.csv": (
        "id,question,description,keywords,source,licence,risk\n"
        "Q001,最近总是睡不好,一躺下就想白天没做完的事,睡眠|工作,,,none\n"
    ),
    "answers.csv": (
        "id,system,answer,model\n"
        "Q001,baseline,第一个系统的回答,\n"
        "Q001,cbt-llm,第二个系统的回答,\n"
    ),
}


@dataclass(frozen=True, slots=True)
class Uploads:
    """What was put into the form; `encoding` and `sheet` are empty unless the person chose."""

    study: UploadedFile | None
    questions: UploadedFile | None
    answers: Sequence[UploadedFile]
    protocol: UploadedFile | None
    encoding: str = ""
    sheet: str = ""

    @property
    def ready(self) -> bool:
        """Tell whether there is something to look at."""
        return self.study is not None or self.questions is not None

    @property
    def mark(self) -> tuple[str, ...]:
        """Return what tells these files from others: a preview belongs to one mark."""
        files = [self.study, self.questions, *self.answers, self.protocol]
        return (*(file.file_id if file else "" for file in files), self.encoding, self.sheet)


@contextmanager
def laid_out(uploads: Uploads) -> Iterator[StudyFiles]:
    """Yield the files as the import wants them; they are gone from the disk afterwards.

    Messages call a file by the name it was uploaded with.
    """
    with tempfile.TemporaryDirectory() as folder:
        names: dict[Path, str] = {}

        def put(file: UploadedFile | None) -> Path | None:
            if file is None:
                return None
            path = Path(folder) / f"{len(names)}{Path(file.name).suffix.lower()}"
            path.write_bytes(file.getbuffer())
            names[path] = file.name
            return path

        answers = [path for path in map(put, uploads.answers) if path is not None]
        study_file, questions = put(uploads.study), put(uploads.questions)
        yield StudyFiles(
            study_file=study_file, questions=questions, answers=answers, names=names,
            encoding=uploads.encoding or None, sheet=uploads.sheet or None,
        )


def protocol_of(uploads: Uploads) -> LoadedProtocol | None:
    """Return the uploaded protocol; None when there is none.

    Raises:
        StudyError: it is no UTF-8 text, or something in it is wrong.
    """
    if uploads.protocol is None:
        return None
    try:
        text = uploads.protocol.getvalue().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StudyError("files.encoding_unknown") from None
    return parse_protocol(text, uploads.protocol.name)


def template(name: str) -> bytes:
    """Return a template file; a CSV begins with a BOM, so that Excel shows Chinese."""
    text = TEMPLATES[name]
    return text.encode("utf-8-sig" if name.endswith(".csv") else "utf-8")
