"""A listener between browser and server: every byte the browser is sent, and what it means.

It stands as a proxy on a port of its own and asks the server for no compression, so that what
passes can be read. Responses are put together again from their chunks, frames from their parts.
"""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from tests.browser.conftest import free_port

REQUEST: Final = re.compile(
    rb"(GET|POST|PUT|HEAD|OPTIONS|DELETE) (/\S*) HTTP/1\.1\r\n"
)
COMPRESSION: Final = (
    (re.compile(rb"\r\nAccept-Encoding:", re.IGNORECASE), b"\r\nX-Encoding-Off-:"),
    (re.compile(rb"\r\nSec-WebSocket-Extensions:", re.IGNORECASE),
     b"\r\nX-WebSocket-Extension-Off:"),
)
TEXT, BINARY = 1, 2


@dataclass(frozen=True)
class Message:
    """One thing sent to the browser: the answer to a request, or one frame of a websocket."""

    kind: str
    path: str
    status: int
    head: bytes
    body: bytes


@dataclass
class Line:
    """One connection: all that went each way."""

    asked: bytearray = field(default_factory=bytearray)
    sent: bytearray = field(default_factory=bytearray)


class Wiretap:
    """The proxy; `url` is what the browser is told."""

    def __init__(self, port: int) -> None:
        """Listen in front of a server's port."""
        self._server = port
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[Line] = []
        self._door = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._let_in, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._door.close()

    @property
    def sent(self) -> bytes:
        """Return every byte sent so far, connection after connection."""
        return b"\n".join(bytes(line.sent) for line in self.lines)

    def messages(self) -> list[Message]:
        """Return everything sent so far, whole messages only."""
        return [message for line in self.lines for message in read(line)]

    def _let_in(self) -> None:
        with suppress(OSError):  # the door was closed
            while True:
                browser, _ = self._door.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                line = Line()
                self.lines.append(line)
                for source, target, kept, asking in (
                    (browser, server, line.asked, True), (server, browser, line.sent, False),
                ):
                    threading.Thread(
                        target=_pump, args=(source, target, kept, asking), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket, kept: bytearray, asking: bool) -> None:
    with suppress(OSError):
        while chunk := source.recv(1 << 16):
            if asking:
                for pattern, instead in COMPRESSION:
                    chunk = pattern.sub(instead, chunk)
            kept += chunk
            target.sendall(chunk)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def listening(port: int) -> Iterator[Wiretap]:
    """Listen for the time of a test."""
    made = Wiretap(port)
    try:
        yield made
    finally:
        made.close()


def read(line: Line) -> Iterator[Message]:
    """Yield the messages of one connection."""
    asked = [(method, path.decode()) for method, path in REQUEST.findall(bytes(line.asked))]
    raw, at = bytes(line.sent), 0
    for method, path in asked:
        end = raw.find(b"\r\n\r\n", at)
        if end < 0:
            return
        head, at = raw[at:end], end + 4
        status = int(head.split(b" ", 2)[1])
        if status == 101:
            yield Message("http", path, status, head, b"")
            yield from _frames(raw[at:], path)
            return
        body, at = _body(raw, at, head, empty=method == b"HEAD" or status in {204, 304})
        yield Message("http", path, status, head, body)


def _body(raw: bytes, at: int, head: bytes, *, empty: bool) -> tuple[bytes, int]:
    if empty:
        return b"", at
    if b"transfer-encoding: chunked" in head.lower():
        return _chunks(raw, at)
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    end = at + int(length[1]) if length else len(raw)
    return raw[at:end], end


def _chunks(raw: bytes, at: int) -> tuple[bytes, int]:
    body = bytearray()
    while (end := raw.find(b"\r\n", at)) >= 0:
        size = int(raw[at:end].split(b";")[0], 16)
        body += raw[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
        if size == 0:
            break
    return bytes(body), at


def _frames(raw: bytes, path: str) -> Iterator[Message]:
    """Yield the messages of a websocket; a server's frames are not masked."""
    at, parts = 0, bytearray()
    while at + 2 <= len(raw):
        final, code, size = raw[at] & 0x80, raw[at] & 0x0F, raw[at + 1] & 0x7F
        if raw[at] & 0x70:
            raise ValueError("a compressed frame: the tap would be blind")
        at += 2
        for marker, width in ((126, 2), (127, 8)):
            if size == marker:
                size, at = int.from_bytes(raw[at : at + width]), at + width
                break
        content, at = raw[at : at + size], at + size
        if len(content) < size:
            return
        if code in {0, TEXT, BINARY}:
            parts += content
            if final:
                yield Message("frame", path, 101, b"", bytes(parts))
                parts.clear()
