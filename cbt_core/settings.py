"""What the server's owner has set, read from the environment once at start.

A value that cannot be meant is refused with the variable's name and what to write instead.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from cbt_core.errors import StudyError
from cbt_core.words import LANGUAGES

ROOT: Final = Path(__file__).resolve().parent.parent
DATABASE_SCHEMES: Final = ("sqlite:///", "postgresql+psycopg://")
YES: Final = ("1", "true", "yes", "on")
NO: Final = ("0", "false", "no", "off")
SHOWN_CHARACTERS: Final = 40

Read = Callable[[str, str], object]
"""Turns the text of a variable into its value; takes the variable's name for the refusal."""


def _refused(code: str, variable: str, text: str, **values: object) -> StudyError:
    shown = "".join(one if one.isprintable() else "?" for one in text[:SHOWN_CHARACTERS])
    return StudyError(f"settings.{code}", variable=variable, value=shown, **values)


def _whole_number(least: int, most: int) -> Read:
    def read(variable: str, text: str) -> int:
        number = int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else None
        if number is None or not least <= number <= most:
            raise _refused("whole_number", variable, text, least=least, most=most)
        return number
    return read


def _yes_or_no(variable: str, text: str) -> bool:
    if text.lower() not in YES + NO:
        raise _refused("yes_or_no", variable, text)
    return text.lower() in YES


def _language(variable: str, text: str) -> str:
    if text not in LANGUAGES:
        raise _refused("language", variable, text)
    return text


def _database(variable: str, text: str) -> str:
    """Return a database URL; the refusal does not show it, for it may hold a password."""
    if not text.startswith(DATABASE_SCHEMES) or text in DATABASE_SCHEMES:
        raise StudyError("settings.database", variable=variable)
    return text


def _address(variable: str, text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]+", text):
        raise _refused("address", variable, text)
    return text


def _base_path(variable: str, text: str) -> str:
    path = text.rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path):
        raise _refused("base_path", variable, text)
    return path


def _origin(variable: str, text: str) -> str:
    origin = text.rstrip("/")
    if not re.fullmatch(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?", origin):
        raise _refused("origin", variable, text)
    return origin


def _names(_variable: str, text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _variable(name: str, read: Read, **default: Any) -> Any:  # noqa: ANN401 - as `field` itself
    return field(**default, metadata={"variable": name, "read": read})


@dataclass(frozen=True, slots=True)
class Settings:
    """Server settings, each with the variable it is read from and its default.

    `idle_minutes` and `absolute_hours` bound a sign-in; `secure_cookie` marks the cookie for
    HTTPS only; `public_origin` is the origin browsers use behind a proxy (empty: the Host header).
    `allowed_hosts` names the hosts that texts may be sent to: none unless listed, loopback neither.
    `browser_questions` is the most questions a generation started in the browser may have.
    """

    database: str = _variable("CONCORD_DATABASE", _database)
    address: str = _variable("CONCORD_ADDRESS", _address, default="127.0.0.1")
    port: int = _variable("CONCORD_PORT", _whole_number(1, 65_535), default=8501)
    base_path: str = _variable("CONCORD_BASE_PATH", _base_path, default="")
    public_origin: str = _variable("CONCORD_PUBLIC_ORIGIN", _origin, default="")
    secure_cookie: bool = _variable("CONCORD_SECURE_COOKIE", _yes_or_no, default=False)
    idle_minutes: int = _variable("CONCORD_IDLE_MINUTES", _whole_number(1, 10_080), default=30)
    absolute_hours: int = _variable("CONCORD_ABSOLUTE_HOURS", _whole_number(1, 720), default=12)
    language: str = _variable("CONCORD_LANG", _language, default="en")
    allowed_hosts: tuple[str, ...] = _variable("CONCORD_ALLOWED_HOSTS", _names, default=())
    browser_questions: int = _variable(
        "CONCORD_BROWSER_QUESTIONS", _whole_number(0, 1_000_000), default=500
    )

    @property
    def loopback(self) -> bool:
        """Tell whether the server can be reached from this machine only."""
        return self.address in {"127.0.0.1", "localhost", "::1"}

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the CONCORD_… variables of docs/operations.md; one that is empty is as if not set.

        Raises:
            StudyError: a variable says what it cannot; the sentence names it.
        """
        env = os.environ if environment is None else environment
        values: dict[str, Any] = {"database": f"sqlite:///{ROOT / 'data' / 'concord.db'}"}
        for setting in fields(Settings):
            variable = setting.metadata["variable"]
            if text := env.get(variable, "").strip():
                values[setting.name] = setting.metadata["read"](variable, text)
        return Settings(**values)


def language_of(environment: Mapping[str, str]) -> str:
    """Return the language that refusals are said in, whatever else the settings hold."""
    asked = environment.get("CONCORD_LANG", "").strip()
    return asked if asked in LANGUAGES else "en"
