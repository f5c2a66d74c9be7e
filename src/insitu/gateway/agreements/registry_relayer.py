"""``POST requests``: sends a request to the registry that an owner has signed, so the owner needs no coin (ADR 0128).

It uses the same pools and the same outbox as purchases: a request is stored before it is sent, in the transaction that
reserves its gas, and takes effect once.
"""

import logging
from dataclasses import dataclass

import anyio

from insitu.api.gateway_v1 import RelayedRequest
from insitu.domain.errors import ERRORS, InsituError
from insitu.domain.ids import AgreementId
from insitu.domain.registry_requests import UpdateBatch
from insitu.domain.signed_request import SignedRequest
from insitu.gateway.agreements.permission_checker import PermissionChecker
from insitu.gateway.agreements.relayer import ANSWER_WITHIN, LEAST, cost_of
from insitu.gateway.agreements.request_checker import RequestChecker
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.wakeups import OUTBOX, RELAYS
from insitu.ports.agreement_records import ItemKind, OutboxItem, RegistryRelay, RelayLimits

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryRelayer:
    """Accepts requests of owners, within pools that others cannot enter."""

    ports: GatewayPorts
    permission_checker: PermissionChecker
    request_checker: RequestChecker

    async def relay(self, signed: SignedRequest) -> RelayedRequest:
        """Send a request once and return its status. If the chain has its effect already, only return that.

        Raises ``RelayOff``, what the methods of :class:`RequestChecker` raise,
        ``DeadlinePassed``, the contract's refusal, ``RelayLimitReached``, ``RelayExhausted``, ``ChainUnavailable``.
        """
        if not self.ports.configuration.relay:
            raise InsituError("RelayOff", f"gateway.relay is off at {self.ports.configuration.public_url}")
        self.request_checker.require_ours(signed)
        key = f"request:{signed.digest.hex()}"
        item = await self.ports.agreements.item(key)
        if not await self.request_checker.is_done(signed) and (item is None or item.state == "given up"):
            await self._accept(signed, key)
        return await self._wait(signed, key)

    async def _accept(self, signed: SignedRequest, key: str) -> None:
        account = await self.request_checker.signer(signed)
        now = await self.permission_checker.now()
        if now + LEAST > signed.request.deadline:
            detail = f"the request can be sent until {signed.request.deadline}, it is {now}, and a block takes time"
            raise InsituError("DeadlinePassed", detail)
        await self.request_checker.require(signed, now)
        cost = await cost_of(signed.call, self.ports)
        chosen, payload = self.ports.configuration, signed.model_dump(mode="json", by_alias=True, exclude_none=True)
        started = self.ports.clock.now()
        digest = AgreementId(signed.digest.hex())
        item = OutboxItem(key, ItemKind.REQUEST, digest, started, payload=payload)
        updated = signed.dids if isinstance(signed.request, UpdateBatch) else ()
        limits = RelayLimits(chosen.relays_per_day, chosen.relay_budget, chosen.coin_price)
        promised = RegistryRelay(item, account, updated, cost)
        if await self.ports.agreements.promise_request(promised, limits, started):
            logger.info("request %s of %s will be sent, for at most %d wei", digest, account, cost)
        self.ports.wakeups.ring(OUTBOX)

    async def _wait(self, signed: SignedRequest, key: str) -> RelayedRequest:
        """Wait for the transaction of an accepted request. Raises the reason if it is given up."""
        with anyio.move_on_after(ANSWER_WITHIN):
            while True:
                seen = self.ports.wakeups.count(RELAYS)
                item = await self.ports.agreements.item(key)
                if item is None or item.state != "waiting" or item.transaction is not None:
                    break
                await self.ports.wakeups.wait(RELAYS, seen, seconds=1)
        item = await self.ports.agreements.item(key)
        done = await self.request_checker.is_done(signed)
        if not done:
            await self.request_checker.require_unsold(signed)
            done = item is not None and item.state == "done"
        if not done and item is not None and item.state == "given up" and item.reason is not None:
            code = item.reason.code if item.reason.code in ERRORS else "TransactionFailed"
            raise InsituError(code, item.reason.message)
        transaction = item.transaction if item is not None else None
        return RelayedRequest(dids=signed.dids, status="done" if done else "sent", transaction=transaction)
