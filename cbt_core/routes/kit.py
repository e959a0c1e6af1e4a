"""The scripts of the task screens: static files that hold no text of any study, so anyone may.

Their path carries a digest of all of them. A browser keeps them for good, and after an upgrade it
asks for new ones: old and new modules never meet in one page.
"""

import re
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from cbt_core.settings import Settings

FOLDER: Final = Path(__file__).parents[2] / "pages" / "ui" / "components"
PARTS: Final = ("task", "rating_sheet", "span_marker", "adjudicator")
FOREVER: Final = "public, max-age=31536000, immutable"

_IMPORT: Final = re.compile(r'^import [^;]*?from "(\.[^"]+)";$', re.MULTILINE)


@cache
def modules() -> Mapping[str, bytes]:
    """Return every module by its name, such as `task/net.js`."""
    files = (file for part in PARTS for file in sorted((FOLDER / part).glob("*.js")))
    return {file.relative_to(FOLDER).as_posix(): file.read_bytes() for file in files}


@cache
def digest() -> str:
    """Return what the modules are known by, all together."""
    whole = sha256()
    for name, content in modules().items():
        whole.update(f"{name} {len(content)}\n".encode() + content)
    return whole.hexdigest()[:16]


def path() -> str:
    """Return the folder of the modules below the server's path prefix."""
    return f"/concord/kit/{digest()}"


def needed(name: str) -> list[str]:
    """Return a module and all it imports, so that a browser can ask for them at once."""
    names, waiting = [name], [name]
    while waiting:
        module = waiting.pop()
        for imported in _IMPORT.findall(modules()[module].decode()):
            other = normpath(join(dirname(module), imported))
            if other not in names:
                names.append(other)
                waiting.append(other)
    return sorted(names)


def routes(settings: Settings) -> list[BaseRoute]:
    """Return the route of the modules, the only one here that asks for no session."""

    async def module(request: Request) -> Response:
        version, _, _attempt = request.path_params["version"].partition("-")
        content = modules().get(request.path_params["name"]) if version == digest() else None
        if content is None:
            return Response(status_code=404, headers={"Cache-Control": "no-store"})
        tag = f'"{sha256(content).hexdigest()[:16]}"'
        headers = {"Cache-Control": FOREVER, "ETag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="text/javascript", headers=headers)

    address = f"{settings.base_path}/concord/kit/{{version:str}}/{{name:path}}"
    return [Route(address, module, methods=["GET"])]
