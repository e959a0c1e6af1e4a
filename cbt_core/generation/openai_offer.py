"""What an OpenAI-compatible host takes: learnt from its refusals, remembered for the run."""

from collections.abc import Mapping
from typing import Final

from cbt_core.generation.backend import Request

FORMS: Final = ("json_schema", "json_object", "plain")
"""Ways to ask for JSON, best first: enforced by the host, promised by it, asked for in words."""

LEFT_OUT: Final = ("temperature", "top_p", "seed")
"""Settings some hosts refuse; without them the host's own stand, and the manifest says so."""

SCHEMA_NAME: Final = "reply"
REFUSED: Final = frozenset({400, 422})
BROKEN: Final = frozenset({500, 501})
BROKE_OFTEN: Final = 3
"""So many server errors before the first JSON reply: it is the form, not the weather."""


class Offer:
    """The arguments a host takes. `form` is how JSON is asked for; `left_out` what it refused."""

    def __init__(self) -> None:
        """Begin with the best form and every setting."""
        self.form = FORMS[0]
        self.left_out: list[str] = []
        self._limit_name = "max_tokens"
        self._proven = False
        self._broke = 0

    def arguments(self, request: Request, model: str) -> dict[str, object]:
        """Return what is sent for a request."""
        decoding = request.decoding
        settings: dict[str, object] = {"temperature": decoding.temperature}
        if decoding.temperature > 0:
            settings |= {"top_p": decoding.top_p, "seed": decoding.seed}
        found: dict[str, object] = {
            "model": model,
            "messages": [{"role": one.role, "content": one.content} for one in request.messages],
            self._limit_name: decoding.max_new_tokens,
            **{name: value for name, value in settings.items() if name not in self.left_out},
        }
        if request.schema is not None and self.form != "plain":
            found["response_format"] = _format(self.form, request.schema)
        return found

    def worked(self, sent: Mapping[str, object]) -> None:
        """Note that the host answered: later refusals are not about the form."""
        if "response_format" in sent:
            self._proven = True

    def learn(self, sent: Mapping[str, object], status: int, said: str) -> bool:
        """Learn from a refusal what to leave out; True when asking in another way may help.

        `said` is the name of the parameter and the message of the host, for looking only.
        """
        if status in REFUSED and self._learn_setting(sent, said):
            return True
        if "response_format" not in sent or self._proven or not self._is_about_form(status):
            return False
        if _form_of(sent) == self.form:  # others may have stepped down for us already
            self.form = FORMS[FORMS.index(self.form) + 1]
            self._broke = 0
        return True

    def _is_about_form(self, status: int) -> bool:
        """Tell whether a status may mean that the form is not offered; llama.cpp says so by 500."""
        if status not in BROKEN:
            return status in REFUSED
        self._broke += 1
        return self._broke >= BROKE_OFTEN

    def _learn_setting(self, sent: Mapping[str, object], said: str) -> bool:
        if "max_tokens" in sent and "max_completion_tokens" in said:
            self._limit_name = "max_completion_tokens"
            return True
        for name in LEFT_OUT:
            if name in sent and name in said:
                if name not in self.left_out:
                    self.left_out.append(name)
                return True
        return False


def _format(form: str, schema: Mapping[str, object]) -> dict[str, object]:
    if form == "json_object":
        return {"type": "json_object"}
    named = {"name": SCHEMA_NAME, "schema": dict(schema), "strict": True}
    return {"type": "json_schema", "json_schema": named}


def _form_of(sent: Mapping[str, object]) -> str:
    found = sent.get("response_format")
    return str(found.get("type")) if isinstance(found, Mapping) else "plain"
