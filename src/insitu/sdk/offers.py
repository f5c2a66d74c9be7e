"""The compute service of a data set, from simple Python values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from insitu.domain.canonical import JsonObject
from insitu.domain.policy import WRITTEN_MAX_FILES
from insitu.domain.service import COMPUTE

__all__ = ["ComputeOffer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeOffer:
    """What a data set's owner offers and under which rules; see ``Assets.publish_dataset``."""

    price: int
    timeout: int
    containers: Sequence[Mapping[str, Any]]
    servers: Sequence[Mapping[str, Any]]
    algorithms: Literal["any"] | Sequence[Mapping[str, str]]
    publishers: Sequence[str] = ()
    output: Mapping[str, Any] | None = None
    logs: Literal["live", "none"] | None = None
    max_executions: int | None = None

    def service(self) -> JsonObject:
        """Return the entry for ``services_description``."""
        environment = {
            "cluster": {"type": "insitu", "url": ""},
            "supportedContainers": [dict(container) for container in self.containers],
            "supportedServers": [dict(server) for server in self.servers],
        }
        main = {
            "price": str(self.price),
            "timeout": self.timeout,
            "provider": {"type": "insitu", "description": "", "environment": environment},
            "policy": self._policy(),
        }
        return {"type": COMPUTE, "attributes": {"main": main}}

    def _policy(self) -> JsonObject:
        policy: JsonObject = {"publishers": list(self.publishers)} if self.publishers else {}
        if not isinstance(self.algorithms, str):
            policy["algorithms"] = [dict(reference) for reference in self.algorithms]
        elif not self.publishers:
            policy["algorithms"] = "any"
        given = {"logs": self.logs, "maxExecutions": self.max_executions}
        policy |= {name: value for name, value in given.items() if value is not None}
        return policy | {"output": {"maxFiles": WRITTEN_MAX_FILES, **(self.output or {})}}
