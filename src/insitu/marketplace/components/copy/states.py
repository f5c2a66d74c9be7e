"""The states of the button that copies."""

from collections.abc import Mapping

STATES: Mapping[str, Mapping[str, object]] = {"lines": {"text": "insitu search\n", "what": "the lines"}}
