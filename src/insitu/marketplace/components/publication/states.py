"""What the server says before the element takes over."""

from collections.abc import Mapping

STATES: Mapping[str, Mapping[str, object]] = {
    "data without JavaScript": {"kind": "data"},
    "an algorithm without JavaScript": {"kind": "algorithm"},
    "a workflow without JavaScript": {"kind": "workflow"},
}
