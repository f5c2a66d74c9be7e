"""Executions of purchased workflows (C8, E1–E10)."""

import uuid
from collections.abc import AsyncIterator, Callable

from insitu.api.gateway_v1 import EventView, ExecRequest, ExecutionView
from insitu.domain.amount import AmountLike
from insitu.domain.did import Did
from insitu.domain.ids import ExecutionId, read_agreement_id, read_execution_id
from insitu.domain.revisions import Parameters
from insitu.sdk.agreements import Agreements
from insitu.sdk.execution import Execution
from insitu.sdk.gateway import GatewayClient, gateway_url
from insitu.sdk.resolving import Resolver

PAGE = 100
"""Executions for each request."""


class Compute:
    """Starts and finds executions for one account; ``client.compute``."""

    def __init__(
        self,
        agreements: Agreements,
        resolver: Resolver,
        gateway: GatewayClient,
        gateway_at: Callable[[str], GatewayClient],
    ) -> None:
        self._agreements = agreements
        self._resolver = resolver
        self._gateway = gateway
        self._gateway_at = gateway_at

    async def execute(
        self,
        agreement: str,
        *,
        workflow_checksum: str | None = None,
        parameters: Parameters | None = None,
        idempotency_key: str | None = None,
    ) -> Execution:
        """Start an execution. The agreement's id is all it needs, at any time until the timeout.

        Parameters
        ----------
        workflow_checksum
            On-chain checksum of a later version of the workflow, which this account registered; by default the version
            that was bought.
        parameters
            Index of a stage as text → name → value, where the owners of the data allow that name.
        idempotency_key
            Repeating the call with it finds the first execution, even from another process.

        Raises ``AgreementUnknown``, ``AgreementNotGranted``, ``AgreementExpired``, ``NotConsumer``,
        ``ExecutionInProgress``, ``ExecutionLimitReached``, ``RevisionNotAllowed``, ``RevisionChangesPurchase``,
        ``ParameterNotAllowed``, or the reason why the workflow may no longer run.
        """
        terms = await self._agreements.terms(agreement)
        endpoint = await self._resolver.endpoint(terms)
        gateway = self._gateway_at(gateway_url(endpoint))
        workflow_did = str(Did.from_hex(terms.workflow_id))
        accepted = await gateway.exec(
            ExecRequest(
                service_agreement_id=read_agreement_id(agreement),
                workflow_did=workflow_did,
                workflow_checksum=workflow_checksum,
                parameters={stage: dict(values) for stage, values in (parameters or {}).items()},
            ),
            idempotency_key=idempotency_key or uuid.uuid4().hex,
            endpoint=endpoint,
        )
        return Execution(gateway, accepted.service_agreement_id, accepted.workflow_execution_id)

    async def run_workflow(
        self,
        workflow_did: str,
        *,
        service_index: int | None = None,
        max_price: AmountLike | None = None,
        relay: bool | None = None,
        offer: bool = False,
    ) -> Execution:
        """Buy a workflow and start its first execution; see ``Agreements.buy``."""
        bought = await self._agreements.buy(
            workflow_did, service_index=service_index, max_price=max_price, relay=relay, offer=offer
        )
        return await self.execute(bought.id)

    async def execution(self, agreement: str, execution: str) -> Execution:
        """Return the handle of an execution by its two ids. Raises ``AgreementUnknown``, ``InvalidId``."""
        execution_id = read_execution_id(execution)
        gateway = await self._gateway_of(agreement)
        return Execution(gateway, read_agreement_id(agreement), execution_id)

    async def executions(
        self,
        agreement: str | None = None,
        *,
        live: bool | None = None,
        reading: str | None = None,
        limit: int = 100,
    ) -> tuple[ExecutionView, ...]:
        """List the executions that the account may see, newest first: of one agreement, or all at this gateway.

        Parameters
        ----------
        live
            True for those that go on, False for those that have ended.
        reading
            The DID of a data set that they read.
        limit
            The most to return; the gateway is asked page by page.
        """
        gateway = self._gateway if agreement is None else await self._gateway_of(agreement)
        wanted = None if agreement is None else read_agreement_id(agreement)
        found: list[ExecutionView] = []
        before: ExecutionId | None = None
        while len(found) < limit:
            size = min(limit - len(found), PAGE)
            page = await gateway.executions(wanted, live=live, reading=reading, before=before, limit=size)
            found += page.executions
            if (before := page.before) is None:
                break
        return tuple(found)

    async def events(self, after: int | None = None) -> AsyncIterator[EventView]:
        """Yield what happens to every execution that the account may see at this gateway, until you stop.

        Executions that begin later are included. It begins with the next event, or after a number; 0 is the beginning.
        To miss nothing, keep the ``number`` of the last event, and give it the next time.
        """
        async for event in self._gateway.all_events(after=after):
            yield event

    async def _gateway_of(self, agreement: str) -> GatewayClient:
        endpoint = await self._resolver.endpoint(await self._agreements.terms(agreement))
        return self._gateway_at(gateway_url(endpoint))
