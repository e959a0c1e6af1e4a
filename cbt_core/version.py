"""The version of Concord: named in every signature, manifest and export."""

from typing import Final

VERSION: Final = "0.1.0"
