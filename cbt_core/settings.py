"""What the server's owner has set, read from the environment once at start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """Server settings. Every one has an environment variable named in `from_environment`.

    `idle_minutes` and `absolute_hours` bound a sign-in; `secure_cookie` marks the cookie for
    HTTPS only; `public_origin` is the origin browsers use behind a proxy (empty: the Host header).
    `allowed_hosts` names the hosts that texts may be sent to: none unless listed, loopback neither.
    `browser_questions` is the most questions a generation started in the browser may have.
    """

    database: str
    address: str = "127.0.0.1"
    port: int = 8501
    base_path: str = ""
    public_origin: str = ""
    secure_cookie: bool = False
    idle_minutes: int = 30
    absolute_hours: int = 12
    language: str = "en"
    allowed_hosts: tuple[str, ...] = ()
    browser_questions: int = 500

    @property
    def loopback(self) -> bool:
        """Tell whether the server can be reached from this machine only."""
        return self.address in {"127.0.0.1", "localhost", "::1"}

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the CONCORD_… variables of docs/operations.md."""
        env = os.environ if environment is None else environment
        default = f"sqlite:///{ROOT / 'data' / 'concord.db'}"
        return Settings(
            database=env.get("CONCORD_DATABASE") or default,
            address=env.get("CONCORD_ADDRESS", "127.0.0.1"),
            port=int(env.get("CONCORD_PORT", "8501")),
            base_path=env.get("CONCORD_BASE_PATH", "").rstrip("/"),
            public_origin=env.get("CONCORD_PUBLIC_ORIGIN", "").rstrip("/"),
            secure_cookie=env.get("CONCORD_SECURE_COOKIE", "") in {"1", "true", "yes"},
            idle_minutes=int(env.get("CONCORD_IDLE_MINUTES", "30")),
            absolute_hours=int(env.get("CONCORD_ABSOLUTE_HOURS", "12")),
            language=env.get("CONCORD_LANG", "en"),
            allowed_hosts=tuple(env.get("CONCORD_ALLOWED_HOSTS", "").replace(",", " ").split()),
            browser_questions=int(env.get("CONCORD_BROWSER_QUESTIONS", "500")),
        )
