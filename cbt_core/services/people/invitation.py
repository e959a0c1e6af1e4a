"""The invitation sheet of one person: as data, as text to copy, as a page to print.

Made from the secret while it is at hand, right after `add_person` or `reset`; nothing is stored.
"""

from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlsplit

from cbt_core.domain.study import Role
from cbt_core.errors import Invalid
from cbt_core.words import say

STEPS: Final = 4
WORK: Final = {Role.RATER: "rate", Role.ANNOTATOR: "label"}

_STYLE: Final = """
@page { margin: 20mm }
body { font: 16px/1.7 "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif;
  color: #1c2321; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1rem; margin: 1.4rem 0 .3rem }
dl { border: 1px solid #b8c2bf; border-radius: 6px; padding: .8rem 1.2rem; break-inside: avoid }
dt { font-size: .85rem; color: #55605d } dd { margin: 0 0 .5rem; overflow-wrap: anywhere }
.key { font: 1.25rem/1.5 ui-monospace, Menlo, Consolas, monospace; letter-spacing: .04em }
footer { margin-top: 1.6rem; border-top: 1px solid #b8c2bf; font-size: .85rem; color: #55605d }
"""


@dataclass(frozen=True, slots=True)
class Invitation:
    """All the sentences of a sheet in one language; `address`, `code`, `secret` stand out."""

    language: str
    title: str
    heading: str
    intro: str
    address_label: str
    address: str
    code_label: str
    code: str
    secret_label: str
    secret: str
    secret_note: str
    steps_title: str
    steps: tuple[str, ...]
    browsers_title: str
    browsers: tuple[str, ...]
    help_title: str
    help: str
    notice: str


def invitation(
    *, code: str, secret: str, address: str, language: str, study: str = "", contact: str = "",
    role: Role | None = None,
) -> Invitation:
    """Return the sheet in `zh` or `en`; `study` is a title, `contact` whom to ask.

    `role` says whether the person rates or labels; without it the sheet says "work".

    Raises:
        Invalid: the address is not one a browser can open.
    """
    if urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).netloc:
        raise Invalid("people.bad_address")

    def words(key: str, **values: object) -> str:
        return say(f"people.invitation_{key}", language, **values)

    work = words(WORK.get(role, "work") if role else "work")
    return Invitation(
        language=language,
        title=words("title"),
        heading=words("for", person=code),
        intro=words("intro", study=study, work=work) if study
        else words("intro_plain", work=work),
        address_label=words("address"),
        address=address,
        code_label=words("code"),
        code=code,
        secret_label=words("secret"),
        secret=secret,
        secret_note=words("secret_note"),
        steps_title=words("steps"),
        steps=tuple(words(f"step_{number}") for number in range(1, STEPS + 1)),
        browsers_title=words("browsers"),
        browsers=(words("browsers_list"), words("wechat")),
        help_title=words("help"),
        help=words("help_list", contact=contact) if contact else words("help_plain"),
        notice=words("notice"),
    )


def as_text(sheet: Invitation) -> str:
    """Return the sheet as plain text, to paste into a message."""
    colon = "：" if sheet.language == "zh" else ": "
    steps = [f"{number}. {step}" for number, step in enumerate(sheet.steps, start=1)]
    return "\n".join([
        sheet.title,
        sheet.heading,
        "",
        sheet.intro,
        "",
        f"{sheet.address_label}{colon}{sheet.address}",
        f"{sheet.code_label}{colon}{sheet.code}",
        f"{sheet.secret_label}{colon}{sheet.secret}",
        sheet.secret_note,
        "",
        sheet.steps_title,
        *steps,
        "",
        f"{sheet.browsers_title}{colon}{' '.join(sheet.browsers)}",
        sheet.help,
        sheet.notice,
        "",
    ])


def as_html(sheet: Invitation) -> str:
    """Return the sheet as one page that loads nothing, to print; every text is escaped."""
    steps = "".join(f"<li>{escape(step)}</li>" for step in sheet.steps)
    browsers = "".join(f"<p>{escape(line)}</p>" for line in sheet.browsers)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(sheet.language)}"><head><meta charset="utf-8">'
        '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(sheet.title)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{escape(sheet.title)}</h1><p>{escape(sheet.heading)}</p>"
        f"<p>{escape(sheet.intro)}</p>\n<dl>"
        f"{_entry(sheet.address_label, sheet.address)}"
        f"{_entry(sheet.code_label, sheet.code)}"
        f"{_entry(sheet.secret_label, sheet.secret)}</dl>\n"
        f"<p>{escape(sheet.secret_note)}</p>\n"
        f"<h2>{escape(sheet.steps_title)}</h2><ol>{steps}</ol>\n"
        f"<h2>{escape(sheet.browsers_title)}</h2>{browsers}\n"
        f"<h2>{escape(sheet.help_title)}</h2><p>{escape(sheet.help)}</p>\n"
        f"<footer><p>{escape(sheet.notice)}</p></footer></body></html>\n"
    )


def _entry(label: str, value: str) -> str:
    return f'<dt>{escape(label)}</dt><dd class="key">{escape(value)}</dd>'
