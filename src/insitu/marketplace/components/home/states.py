"""The states of the home page."""

from collections.abc import Mapping

from insitu.marketplace.service import HomeView

STATES: Mapping[str, Mapping[str, object]] = {
    "nothing listed": {"home": HomeView((), 0)},
}
