"""How large the failing-host and kill tests are: small for every change, full for `validate`."""

import os
from typing import Final

ROWS: Final = int(os.environ.get("CONCORD_GENERATION_ROWS", "600"))
"""Rows through the failing host (full: 3,000)."""

KILLS: Final = int(os.environ.get("CONCORD_GENERATION_KILLS", "4"))
KILL_ROWS: Final = int(os.environ.get("CONCORD_GENERATION_KILL_ROWS", "400"))
"""kill -9 of a generation, and its rows (full: 10 and 3,000)."""
