"""What the server says before the element takes over."""

from collections.abc import Mapping

STATES: Mapping[str, Mapping[str, object]] = {"without JavaScript": {}}
