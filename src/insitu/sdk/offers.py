"""The compute service of a data set, from simple Python values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from insitu.domain.canonical import JsonObject
from insitu.domain.policy import (
    DEFAULT_MAX_EXECUTIONS,
    FREE_FAILURE_LOG_BYTES,
    POLICY_VERSION,
    WRITTEN_MAX_FILES,
    WRITTEN_MAX_LOG_BYTES,
    OutputPolicy,
)
from insitu.domain.service import COMPUTE

DAY = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeOffer:
    """What a data set's owner offers and under which rules; see ``Assets.publish_dataset``.

    Every rule is written, so that no later default changes what the owner meant. More executions are allowed where the
    service can be used for longer: 100, and one for each day of ``timeout``.
    """

    price: int
    timeout: int
    containers: Sequence[Mapping[str, Any]]
    servers: Sequence[Mapping[str, Any]]
    algorithms: Literal["any"] | Sequence[Mapping[str, str]]
    publishers: Sequence[str] = ()
    output: Mapping[str, Any] | None = None
    max_executions: int | None = None
    rules: Mapping[str, Any]
    """Members of the policy that are written as they are."""

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
        executions = self.max_executions or DEFAULT_MAX_EXECUTIONS + ceil(self.timeout / DAY)
        return {
            "version": POLICY_VERSION,
            **policy,
            **self.rules,
            "maxExecutions": executions,
            "output": self._output(),
        }

    def _output(self) -> JsonObject:
        given = dict(self.output or {})
        log = OutputPolicy.read(given, "/output").effective_log_bytes
        most = FREE_FAILURE_LOG_BYTES if self.rules.get("failures") == "free" else WRITTEN_MAX_LOG_BYTES
        written = most if log is None else min(log, most)
        return {"maxFiles": WRITTEN_MAX_FILES, "maxLogBytes": written, **given}
