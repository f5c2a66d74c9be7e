"""The only state of the choice."""

from collections.abc import Mapping

STATES: Mapping[str, Mapping[str, object]] = {"as it is": {}}
