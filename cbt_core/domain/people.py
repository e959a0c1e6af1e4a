"""Who acts: a signed-in person with their roles, or whoever has the terminal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cbt_core.domain.study import Role


@dataclass(frozen=True, slots=True)
class Person:
    """A person as services see one: a pseudonymous code and roles by study id.

    `id` 0 is the terminal: it may do everything but enter scores or labels.
    """

    id: int
    code: str
    language: str = "zh"
    may_create_studies: bool = False
    demonstration: bool = False
    roles: Mapping[int, frozenset[Role]] = field(default_factory=dict)

    @property
    def is_terminal(self) -> bool:
        """Tell whether the act comes from the terminal."""
        return self.id == 0

    def has(self, role: Role, study_id: int) -> bool:
        """Tell whether the person holds a role in a study (the terminal leads every study)."""
        if self.is_terminal:
            return role is Role.LEAD
        return role in self.roles.get(study_id, frozenset())


TERMINAL: Final = Person(id=0, code="terminal", language="en", may_create_studies=True)
