"""Content of an instrument in one fixed form: what is hashed and written inside protocols."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from cbt_core.domain.instrument import EMPTY

UNHASHED = frozenset({"digest"})


def content(thing: object) -> dict[str, object]:
    """Return a dataclass as plain tables, lists and values, keyed by field name.

    What is None, without words or an empty list of aliases is left out, so that a field added in
    a later version does not change the digest of a file that does not use it.
    """
    if not is_dataclass(thing):
        raise TypeError(f"not a dataclass: {type(thing).__name__}")
    found: dict[str, object] = {}
    for field in fields(thing):
        value = getattr(thing, field.name)
        if field.name not in UNHASHED and value not in (None, EMPTY, ()):
            found[field.name] = _plain(value)
    return found


def _plain(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return content(value) if is_dataclass(value) else value
