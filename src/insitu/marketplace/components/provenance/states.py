"""The states of the graph."""

from collections.abc import Mapping

from insitu.domain.ddo import read_ddo
from insitu.marketplace.provenance import graph_of
from insitu.marketplace.samples import did, result, workflow

_NAMES = {did(1): "Departures from New York, 2013", did(2): "Delay by weather", did(3): "Delay by weather, workflow"}

STATES: Mapping[str, Mapping[str, object]] = {
    "a result": {"graph": graph_of(read_ddo(result()), _NAMES)},
    "a workflow": {"graph": graph_of(read_ddo(workflow()), _NAMES)},
    "nothing is known": {"graph": graph_of(read_ddo(result()), {})},
}
