"""The states of the status page."""

from collections.abc import Mapping

from insitu.api.gateway_v1 import GatewayInfo
from insitu.api.metadata_v1 import MetadataHealth
from insitu.domain.ids import read_address
from insitu.marketplace.status import GatewayStatus, StatusView

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
LONG = GatewayStatus(f"https://{'a-long-name.' * 12}example")


def _state(catalogue: MetadataHealth | None, *gateways: GatewayStatus) -> Mapping[str, object]:
    return {"status": StatusView(catalogue, gateways)}


STATES: Mapping[str, Mapping[str, object]] = {
    "everything answers": _state(HEALTH, GATEWAY),
    "the catalogue is behind": _state(HEALTH.model_copy(update={"block": 3, "pending": 40}), GATEWAY),
    "the catalogue has read nothing": _state(HEALTH.model_copy(update={"block": None}), GATEWAY),
    "the catalogue is away": _state(None, GATEWAY),
    "a gateway is away": _state(HEALTH, GATEWAY, LONG),
    "a gateway keeps its chain to itself": _state(HEALTH, GatewayStatus(GATEWAY.origin, INFO)),
    "no gateway": _state(HEALTH),
}
