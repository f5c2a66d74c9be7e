"""Makes the agents of a gateway, each once, with those that its fields name."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast, get_type_hints

Agent = TypeVar("Agent")


class Assembly:
    """The agents made so far by their class; ``given`` are those, and other parts, that are made elsewhere."""

    def __init__(self, given: Mapping[type, object]) -> None:
        self._made = dict(given)

    def of(self, kind: type[Agent]) -> Agent:
        """Return the only agent of a class. It and what its fields name are made when they are first asked for."""
        if kind not in self._made:
            hints = get_type_hints(kind)
            parts = {field.name: self.of(hints[field.name]) for field in fields(cast(Any, kind)) if field.init}
            self._made[kind] = kind(**parts)
        return cast(Agent, self._made[kind])

    def joined_by(self, given: Mapping[type, object]) -> "Assembly":
        """Return an assembly that has these agents and other parts too."""
        return Assembly({**self._made, **given})
