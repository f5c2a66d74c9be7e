"""The states of the table of costs."""

from collections.abc import Mapping

from insitu.domain.compute_service import ComputeService
from insitu.marketplace.samples import ONE, TOKEN
from insitu.marketplace.words.costs import costs_of


def _costs(price: int, *servers: int, **policy: object) -> Mapping[str, object]:
    offered = [{"serverId": f"s{at}", "price": str(cost), "maxExecutionTime": 60} for at, cost in enumerate(servers)]
    main = {"price": str(price), "timeout": 86400, "policy": policy}
    service = ComputeService.read({**main, "provider": {"environment": {"supportedServers": offered}}})
    return {"costs": costs_of(service, TOKEN)}


STATES: Mapping[str, Mapping[str, object]] = {
    "data and server": _costs(5 * ONE, 2 * ONE),
    "several servers": _costs(5 * ONE, 2 * ONE, 8 * ONE),
    "failures are free": _costs(5 * ONE, 2 * ONE, failures="free", logs="none"),
    "only the server": _costs(0, 2 * ONE),
    "free": _costs(0, 0),
    "no server": _costs(5 * ONE),
}
