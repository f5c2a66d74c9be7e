"""The states of the page of one's own account."""

from collections.abc import Mapping

STATES: Mapping[str, Mapping[str, object]] = {"as served": {}}
