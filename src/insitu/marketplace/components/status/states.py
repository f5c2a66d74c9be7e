"""The states of the status page."""

from collections.abc import Mapping
from dataclasses import replace

from insitu.api.budgets_v1 import Budget
from insitu.api.gateway_v1 import GatewayInfo
from insitu.api.metadata_v1 import MetadataHealth
from insitu.domain.ids import read_address
from insitu.marketplace.samples import MOMENT
from insitu.marketplace.status import BUDGETS, GatewayStatus, Standing, StatusView

ACCOUNT = read_address("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")
HEALTH = MetadataHealth(version="0.1.0", chain_id=31337, registry=ACCOUNT, url="https://a/{did}", block=214, pending=1)
INFO = GatewayInfo(
    version="0.1.0",
    provider_address=ACCOUNT,
    public_url="https://gateway.example",
    chain_id=31337,
    contracts={},
    relay=True,
    metadata_url="https://a/{did}",
)
GATEWAY = GatewayStatus("https://gateway.example", INFO, 214)
AWAY = Standing("Unreachable", MOMENT)
LONG = GatewayStatus(f"https://{'a-long-name.' * 12}example", standing=AWAY)
STEP = "raise gateway.relay_budget, or wait: it counts the last 24 hours"
ENOUGH = tuple(Budget(of=of, stands="enough") for of in BUDGETS)
LOW = (Budget(of="relayedGas", stands="low", next_step=STEP), *ENOUGH[1:])
USED_UP = (
    Budget(of="relayedGas", stands="usedUp", until=MOMENT, next_step=STEP),
    Budget(of="freeGas", stands="usedUp", next_step=STEP),
    Budget(of="freeCompute", stands="usedUp", until=MOMENT, next_step=STEP),
)
LATE, LATER = Standing("Behind", MOMENT), Standing("Behind", MOMENT, problem=True)
WAITS = {"pending": 40, "oldest_pending": MOMENT, "pending_lifetime": 3600}


def _state(catalogue: MetadataHealth | None, *gateways: GatewayStatus, **parts: Standing) -> Mapping[str, object]:
    return {"status": StatusView(catalogue, gateways, **parts)}


STATES: Mapping[str, Mapping[str, object]] = {
    "everything answers": _state(HEALTH, replace(GATEWAY, budgets=ENOUGH)),
    "a budget is low": _state(HEALTH, replace(GATEWAY, budgets=LOW)),
    "every budget is used up": _state(HEALTH, replace(GATEWAY, budgets=USED_UP)),
    "the catalogue is behind": _state(HEALTH.model_copy(update={"block": 3} | WAITS), GATEWAY, reading=LATE),
    "the catalogue is behind for long": _state(HEALTH.model_copy(update={"block": 3}), GATEWAY, reading=LATER),
    "a publication waits for long": _state(HEALTH.model_copy(update=WAITS), GATEWAY, waiting=LATER),
    "the catalogue has read nothing": _state(HEALTH.model_copy(update={"block": None}), GATEWAY),
    "the catalogue is away": _state(None, GATEWAY, reading=AWAY),
    "a gateway is away": _state(HEALTH, GATEWAY, LONG),
    "a gateway keeps its chain to itself": _state(HEALTH, GatewayStatus(GATEWAY.origin, INFO)),
    "no gateway": _state(HEALTH),
}
