"""The gateway itself, sign-in, check, relayed purchases, offers, close and exec (C1–C8)."""

from typing import Annotated

from fastapi import APIRouter, Form, Header, Query, Response

from insitu.api import gateway_v1 as wire
from insitu.api.agreements_v1 import AgreementList, Desk
from insitu.api.app import StrictRoute
from insitu.api.budgets_v1 import Budgets
from insitu.api.chain_v1 import ChainFacts, RpcAnswer, RpcRequest
from insitu.api.parameters import AccessTokenHeader, AgreementPath, DidPath
from insitu.domain.canonical import sha256_hex
from insitu.domain.purchase import SignedPurchase
from insitu.domain.signed_request import SignedRequest
from insitu.gateway.service import GatewayService

FormText = Annotated[str, Form(max_length=16_384)]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key")]


def services_router(service: GatewayService) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(route_class=StrictRoute)

    @routes.get(wire.BASE)
    async def describe_gateway() -> wire.GatewayInfo:
        return await service.info()

    @routes.post(wire.BASE + "/oauth/token")
    async def issue_token(
        response: Response,
        grant_type: FormText,
        assertion: FormText = "",
        message: FormText = "",
        signature: FormText = "",
        refresh_token: FormText = "",
    ) -> wire.AccessToken:
        """Sign in with an assertion, or with a message and its signature (ERC-4361), or renew a session."""
        response.headers["Cache-Control"] = "no-store"
        fields = {"assertion": assertion, "message": message, "signature": signature, "refresh_token": refresh_token}
        return await service.authenticator.grant(grant_type, **fields)

    @routes.post(wire.BASE + "/oauth/revoke", status_code=204)
    async def sign_out(token: FormText) -> None:
        """End the session of a ``refresh_token``, and the access tokens that it gave (RFC 7009)."""
        await service.authenticator.session_keeper.end(token)

    @routes.post(wire.BASE + "/check")
    async def check_workflow(request: wire.CheckRequest) -> wire.Quote:
        return await service.quoter.check(request)

    @routes.post(wire.BASE + "/requests", status_code=202)
    async def relay_request(request: SignedRequest) -> wire.RelayedRequest:
        return await service.registry_relayer.relay(request)

    async def execute(
        request: wire.ExecRequest, authorization: AccessTokenHeader = None, key: IdempotencyKey = None
    ) -> wire.ExecAccepted:
        caller = await service.authenticator.read(authorization, "exec")
        return await service.executor.execute(caller, request, key)

    for alias in wire.EXEC_ALIASES:
        name = alias.strip("/").replace("/", "_")
        routes.add_api_route(wire.BASE + alias, execute, methods=["POST"], status_code=202, name=name)
    _add_reading(routes, service)
    _add_agreements(routes, service)
    _add_desk(routes, service)
    return routes


def _add_reading(routes: APIRouter, service: GatewayService) -> None:
    @routes.get(wire.BASE + "/budgets")
    async def show_budgets() -> Budgets:
        """How budgets for strangers stand, in words: a full amount would tell them when to come."""
        return await service.budget_reader.read()

    @routes.get(wire.BASE + "/chain", response_model=ChainFacts)
    async def describe_chain() -> Response:
        """Chain id, contracts with ABIs, and token. A development chain may begin again, so nothing is immutable."""
        facts = await service.chain_reader.facts()
        headers = {"ETag": f'"{sha256_hex(facts)}"', "Cache-Control": "public, no-cache"}
        return Response(facts, media_type="application/json", headers=headers)

    @routes.post(wire.RPC, response_model_exclude_unset=True)
    async def read_chain(request: RpcRequest) -> RpcAnswer:
        return RpcAnswer.model_validate(
            {"jsonrpc": "2.0", "id": request.id, **await service.chain_reader.read(request)}
        )


def _add_agreements(routes: APIRouter, service: GatewayService) -> None:
    @routes.post(wire.BASE + "/agreements", status_code=202)
    async def relay_purchase(request: wire.PurchaseRequest) -> wire.Purchase:
        purchase = SignedPurchase(terms=request.terms, signature=request.signature, permit=request.permit)
        return await service.relayer.relay(purchase)

    @routes.get(wire.BASE + "/agreements")
    async def list_agreements(
        authorization: AccessTokenHeader = None,
        live: Annotated[bool | None, Query(description="whether something may still start")] = None,
        reading: Annotated[
            str | None, Query(description="DID of a data set; its owner sees all", max_length=100)
        ] = None,
        before: Annotated[str | None, Query(description="``before`` of the page before this", max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> AgreementList:
        """What the caller bought here, newest first; for the provider, everything that was bought here."""
        caller = await service.authenticator.read(authorization, "compute")
        return await service.agreement_lister.list(caller, reading=reading, live=live, before=before, limit=limit)

    @routes.get(wire.BASE + "/agreements/{agreement}/close")
    async def preview_close(agreement: AgreementPath, authorization: AccessTokenHeader = None) -> wire.Closing:
        caller = await service.authenticator.read(authorization, "compute")
        return await service.closer.preview(caller, agreement)

    @routes.post(wire.BASE + "/agreements/{agreement}/close", status_code=202)
    async def close_agreement(
        agreement: AgreementPath, request: wire.CloseRequest, authorization: AccessTokenHeader = None
    ) -> wire.Closing:
        caller = await service.authenticator.read(authorization, "exec")
        return await service.closer.close(caller, agreement, request.charge.base_units)

    @routes.post(wire.BASE + "/offers")
    async def offer_terms(request: wire.OfferRequest) -> wire.Offer:
        return await service.offerer.offer(request.terms)


def _add_desk(routes: APIRouter, service: GatewayService) -> None:
    @routes.get(wire.BASE + "/desk")
    async def show_desk(
        did: Annotated[tuple[str, ...], Query(description="data sets of the caller", max_length=50)] = (),
        authorization: AccessTokenHeader = None,
    ) -> Desk:
        """What the caller was paid and what waits for them, and what is open on these data sets."""
        caller = await service.authenticator.read(authorization, "compute")
        return await service.bookkeeper.desk(caller, did)

    @routes.put(wire.BASE + "/pauses/{did}")
    async def pause_asset(
        did: DidPath, stop: bool = False, authorization: AccessTokenHeader = None
    ) -> wire.PausedAsset:
        caller = await service.authenticator.read(authorization, "exec")
        return await service.pauser.pause(caller, did, stopping=stop)

    @routes.delete(wire.BASE + "/pauses/{did}")
    async def resume_asset(did: DidPath, authorization: AccessTokenHeader = None) -> wire.PausedAsset:
        caller = await service.authenticator.read(authorization, "exec")
        return await service.pauser.pause(caller, did, stopping=None)
