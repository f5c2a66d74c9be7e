"""The states of the links between pages."""

from collections.abc import Mapping

STATES: Mapping[str, Mapping[str, object]] = {
    "one page": {"page": 1, "pages": 1},
    "the first": {"page": 1, "pages": 3},
    "in the middle": {"page": 2, "pages": 3},
    "the last": {"page": 3, "pages": 3},
    "of a search": {"page": 2, "pages": 1200, "before": "/search?text=a", "after": "/search?text=a&page=3"},
}
