"""Reads the chain for pages whose users have no wallet, and so no node."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio
from pydantic import JsonValue

from insitu.api.chain_v1 import ChainFacts, ContractFacts, RpcRequest
from insitu.domain.chain_reads import parameters_for_node
from insitu.domain.errors import InsituError
from insitu.gateway.ports import GatewayPorts

CONTRACTS = ("DIDRegistry", "NeverminedToken", "ServiceExecutionTemplate", "TemplateStoreManager")

AT_ONCE = 16
"""Calls at a time. The gateway itself may have more connections to the node, so these never keep it waiting."""

MOST_WAITING = 200
"""Calls that wait for their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReader:
    """Passes on what :mod:`insitu.domain.chain_reads` allows."""

    ports: GatewayPorts
    _turns: anyio.Semaphore = field(init=False, default_factory=lambda: anyio.Semaphore(AT_ONCE))

    async def facts(self) -> bytes:
        """Return :class:`ChainFacts` as JSON. Raises ``ChainUnavailable``."""
        chain = self.ports.chain
        contracts = {name: ContractFacts(address=chain.contract(name), abi=chain.abi(name)) for name in CONTRACTS}
        chain_id, token = chain.agreements.chain_id, await chain.token()
        return ChainFacts(chain_id=chain_id, contracts=contracts, token=token).model_dump_json().encode()

    async def read(self, request: RpcRequest) -> Mapping[str, JsonValue]:
        """Return the node's answer: ``result``, or ``error`` with the data of a contract that refused.

        Raises ``ReadNotAllowed``, ``InvalidRequest``, ``RequestFrequencyExceeded``, ``ChainUnavailable``.
        """
        if not self.ports.configuration.chain_reads:
            detail = f"gateway.chain_reads is off at {self.ports.configuration.public_url}"
            raise InsituError("ReadNotAllowed", detail)
        if self._turns.statistics().tasks_waiting >= MOST_WAITING:
            raise InsituError("RequestFrequencyExceeded", f"{MOST_WAITING} calls are waiting already", retryAfter=1)
        chain, ours = self.ports.chain, [self.ports.chain.contract(name) for name in CONTRACTS]
        async with self._turns:
            searching = request.method == "eth_getLogs"
            newest = int(str((await chain.read("eth_blockNumber", ()))["result"]), 16) if searching else 0
            return await chain.read(request.method, parameters_for_node(request.method, request.params, ours, newest))
