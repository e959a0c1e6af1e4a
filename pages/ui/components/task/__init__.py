"""The task kit: the one way in which a task is shown, kept, saved and timed in the browser.

It is plain JavaScript in real modules, fetched from this server's own route: no build step, nothing
from elsewhere. A component's own script only fetches them; `rating_sheet`, `span_marker` and
`adjudicator` are its three faces.
"""

import json
from pathlib import Path

from cbt_core.routes import kit


def loader(face: str) -> str:
    """Return the script of a component: it fetches the face's modules and hands over to them."""
    names = {"KIT": kit.path(), "FACE": f"{face}/face.js", "MODULES": kit.needed(f"{face}/face.js")}
    constants = [f"const {name} = {json.dumps(value)};" for name, value in names.items()]
    return "\n".join([*constants, (Path(__file__).parent / "loader.js").read_text("utf-8")])
