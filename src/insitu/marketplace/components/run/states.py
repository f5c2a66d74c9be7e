"""The states of the page of a run as the server renders it; the element's own states are in ``states.ts``."""

from collections.abc import Mapping

from insitu.marketplace.running import NamedAsset, RunView

_DATA = NamedAsset("did:nv:" + "1f" * 32, "Departures from New York, 2013")
_MORE = NamedAsset("did:nv:" + "2f" * 32, "Hourly weather <b>at</b> the New York airports")
_FLOW = NamedAsset("did:nv:" + "3f" * 32, "Delay by weather")

STATES: Mapping[str, Mapping[str, object]] = {
    "on one data set": {"run": RunView((_DATA,), "http://gateway.test", ())},
    "on two data sets": {"run": RunView((_DATA, _MORE), "http://gateway.test", ())},
    "a workflow": {"run": RunView((_DATA, _MORE), "http://gateway.test", (), _FLOW)},
}
