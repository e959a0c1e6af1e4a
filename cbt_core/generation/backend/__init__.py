"""Where replies come from: echo, OpenAI-compatible hosts, models on this machine."""

from typing import Final

BACKENDS: Final = ("openai", "transformers", "echo")
"""Every backend by name: what the commands offer and `catalogue.make_backend` makes."""

LOCAL: Final = frozenset({"transformers", "echo"})
"""Those that send nothing off this machine; any other is asked for its host beforehand."""
