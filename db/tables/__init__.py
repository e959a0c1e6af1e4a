"""Tables and constraints, one file a noun. Imported only inside db/.

Times are ISO-8601 UTC text (``2026-11-23T08:00:00.000000Z``: sorts as time does). Tables that hold
what a person entered are append-only; `db.triggers` forbids UPDATE and DELETE on them.
"""

from db.columns import metadata as metadata
from db.tables import desk as desk
from db.tables import labels as labels
from db.tables import people as people
from db.tables import runs as runs
from db.tables import studies as studies
from db.tables import trail as trail
