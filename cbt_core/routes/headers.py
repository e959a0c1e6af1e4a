"""Headers that tell a browser what pages of this server may do, on every answer."""

import re
from base64 import b64encode
from hashlib import sha256
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHELL_SCRIPT: Final = "\n      window.prerenderReady = false\n    "
"""The one inline script of Streamlit's page; another text is not run (it only serves crawlers)."""

REFERRER: Final = "same-origin"
"""Under `no-referrer` a browser sends a form with `Origin: null`: our own sign-in were refused."""

_HOST: Final = re.compile(rb"[A-Za-z0-9.\-\[\]:]{1,255}")


def policy(host: str) -> str:
    """Return the Content-Security-Policy for pages reached under a host name.

    Nothing is loaded from or sent to another host. Streamlit needs inline styles, and runs a
    component's script from a blob; charts are interpreted, so no `unsafe-eval`.
    """
    digest = b64encode(sha256(SHELL_SCRIPT.encode()).digest()).decode()
    sockets = f" ws://{host} wss://{host}" if host else ""  # 'self' does not cover them everywhere
    return "; ".join([
        "default-src 'self'",
        f"script-src 'self' blob: 'sha256-{digest}'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        f"connect-src 'self' data: blob:{sockets}",
        "worker-src 'self' blob:",
        "frame-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ])


class SecurityHeaders:
    """Middleware for `st.App(middleware=[Middleware(SecurityHeaders)])`."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application that answers."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        named = host.decode() if _HOST.fullmatch(host) else ""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                _mark(MutableHeaders(scope=message), named)
            await send(message)

        await self._app(scope, receive, marked)


def _mark(headers: MutableHeaders, host: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = REFERRER
    headers["X-Frame-Options"] = "DENY"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if headers.get("content-type", "").startswith("text/html"):
        headers["Content-Security-Policy"] = policy(host)
