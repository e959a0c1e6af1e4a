"""``python -m cbt_core``."""

import sys

from cbt_core.cli import main

sys.exit(main())
