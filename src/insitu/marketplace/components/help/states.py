"""The page is always the same."""

from collections.abc import Mapping

STATES: Mapping[str, Mapping[str, object]] = {"as it is": {}}
