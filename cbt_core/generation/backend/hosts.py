"""Which hosts text may be sent to: those the server's owner has listed, and no other."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from cbt_core.errors import StudyError

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Host:
    """The host of an address; `shown` is what a list names it by (no path, no user, no key)."""

    scheme: str
    name: str
    port: int

    @property
    def shown(self) -> str:
        """Return ``name``, with the port when it is not the usual one."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Tell whether the address is this machine."""
        return self.name in LOOPBACK


def host_of(address: str) -> Host:
    """Return the host of an http or https address.

    Raises:
        StudyError: it is none, or it carries a user name or password.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise StudyError("egress.no_address") from error
    if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc:
        raise StudyError("egress.no_address")
    return Host(parts.scheme, parts.hostname.lower(), port or PORTS[parts.scheme])


def require_host(address: str, allowed: Collection[str]) -> Host:
    """Return the host of an address that the server's list names.

    An entry is ``name`` (any port), ``name:port``, or ``http://name[:port]``: only the last
    allows plain HTTP beyond this machine. Names are compared as written; nothing is looked up.

    Raises:
        StudyError: the host is not listed, or would be spoken to in the clear.
    """
    host = host_of(address)
    matching = [entry for entry in allowed if _names(entry, host)]
    if not matching:
        raise StudyError("egress.host_not_allowed", host=host.shown)
    plain = any(entry.lower().startswith("http://") for entry in matching)
    if host.scheme == "http" and not host.loopback and not plain:
        raise StudyError("egress.plain_http", host=host.shown)
    return host


def _names(entry: str, host: Host) -> bool:
    address = _entry(entry)
    if address is None or address.hostname is None or address.hostname.lower() != host.name:
        return False
    return address.port is None or address.port == host.port


def _entry(entry: str) -> SplitResult | None:
    """Read an entry of the list; one that cannot be read allows nothing."""
    text = entry.strip()
    if text.count(":") > 1 and "[" not in text and "//" not in text:  # a bare IPv6 address
        text = f"[{text}]"
    try:
        address = urlsplit(text if "//" in text else f"//{text}")
        _ = address.port
    except ValueError:
        return None
    return address
