"""Every state of every component: the lists beside the templates."""

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from insitu.marketplace.rendering import COMPONENTS


@dataclass(frozen=True)
class State:
    """A template with what it is given in one state."""

    component: str
    name: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        return f"{self.component}: {self.name}"


def components() -> list[str]:
    """The components that the server renders."""
    return sorted(path.parent.name for path in COMPONENTS.glob("*/template.html"))


def is_page(component: str) -> bool:
    """Whether a template is a page; another is a part of pages."""
    return "{% extends" in (COMPONENTS / component / "template.html").read_text()


def states() -> Iterator[State]:
    """The states that the ``states.py`` of each component lists."""
    for path in sorted(COMPONENTS.glob("*/states.py")):
        listed = importlib.import_module(f"insitu.marketplace.components.{path.parent.name}.states").STATES
        yield from (State(path.parent.name, name, values) for name, values in listed.items())
