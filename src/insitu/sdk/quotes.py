"""A quote is trusted only if the documents say the same (C1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from insitu.api.gateway_v1 import Quote
from insitu.domain.agreement import Terms
from insitu.domain.agreement_times import AgreementTimes, joint_times
from insitu.domain.compute_service import ComputeService, Server, read_compute_service
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.flavour import OfferedService, choose_server
from insitu.domain.ids import Address, new_seed, read_address
from insitu.domain.inputs_hash import inputs_hash
from insitu.domain.pricing import Price, PricedInput, price_of
from insitu.domain.service import Service
from insitu.domain.validation import validate_ddo
from insitu.domain.workflow import Workflow, read_workflow
from insitu.ports.chain import Chain
from insitu.sdk.resolving import ResolvedAsset, Resolver


@dataclass(frozen=True, slots=True)
class WantedInput:
    """An input data set according to its current document."""

    asset: ResolvedAsset
    entry: Service
    service: ComputeService


@dataclass(frozen=True, slots=True)
class WantedWorkflow:
    """A workflow that somebody wants to run, and its inputs in order. ``asset`` is None if it is not published."""

    asset: ResolvedAsset | None
    workflow: Workflow
    inputs: tuple[WantedInput, ...]

    @property
    def endpoint(self) -> str:
        """The serviceEndpoint of the compute service to buy: the first input's."""
        return self.inputs[0].entry.service_endpoint or ""

    @property
    def inputs_hash(self) -> str:
        """The hash of the versions that were read."""
        return inputs_hash([(data.asset.did, data.asset.checksum) for data in self.inputs])


@dataclass(frozen=True, slots=True)
class ExpectedCost:
    """What a purchase costs according to the documents, computed here by the same rules as at the gateway."""

    server: Server
    price: Price
    times: AgreementTimes


async def read_wanted(resolver: Resolver, chain: Chain, workflow_did: str, service_index: int | None) -> WantedWorkflow:
    """Resolve a workflow and its inputs, strictly.

    Raises ``InvalidDocument``, ``VersionNotAllowed``, ``NoComputeService``, ``AssetNotFound``, and
    ``TemplateNotApproved`` if a service is not sold with the template of our deployments file.
    """
    asset = await resolver.resolve(workflow_did)
    await resolver.require_allowed(asset)
    validate_ddo(asset.ddo)
    return await read_planned(resolver, chain, read_workflow(asset.ddo), service_index, asset=asset)


async def read_planned(
    resolver: Resolver,
    chain: Chain,
    workflow: Workflow,
    service_index: int | None,
    *,
    asset: ResolvedAsset | None = None,
) -> WantedWorkflow:
    """Resolve the inputs of a workflow that need not be published, strictly. Raises the same as :func:`read_wanted`."""
    if not workflow.input_dids:
        raise InsituError("InvalidDocument", "the workflow reads no data set")
    inputs = []
    for position, did in enumerate(workflow.input_dids):
        inputs.append(await _input(resolver, chain, did, service_index if position == 0 else None))
    return WantedWorkflow(asset, workflow, tuple(inputs))


async def _input(resolver: Resolver, chain: Chain, did: str, service_index: int | None) -> WantedInput:
    found = await resolver.resolve(did)
    await resolver.require_allowed(found)
    validate_ddo(found.ddo)
    entry = found.ddo.compute_service(service_index)
    template = chain.agreements.contract
    if (entry.template_id or "").lower() != template.lower():
        detail = f"{did} is sold with the template {entry.template_id}, but the deployments file names {template}"
        raise InsituError("TemplateNotApproved", detail)
    return WantedInput(found, entry, read_compute_service(entry))


def _expect(wanted: WantedWorkflow, provider: Address, consumer: Address) -> ExpectedCost:
    offers = [OfferedService(data.asset.did, data.service) for data in wanted.inputs]
    server = choose_server(wanted.workflow, offers)
    times = joint_times([data.service.times() for data in wanted.inputs])
    priced = [PricedInput(data.asset.did, data.asset.owner, data.service.price) for data in wanted.inputs]
    return ExpectedCost(server, price_of(priced, server, provider, consumer), times)


async def require_key(chain: Chain, provider: Address) -> None:
    """Refuse a provider whose account is a contract: nobody could verify its receipts offline (ADR 0131).

    Raises ``ProviderIsContract``.
    """
    if await chain.has_code(provider):
        raise InsituError("ProviderIsContract", f"{provider} is the account of a contract", provider=provider)


async def verify_quote(quote: Quote, wanted: WantedWorkflow, chain: Chain, consumer: Address) -> None:
    """Refuse a quote that differs from what the documents and the chain say.

    Raises ``TermsMismatch`` with both sides, ``NotDIDProvider``, ``ProviderIsContract``, ``NoSuitableServer``.
    """
    quoted = {entry.did: _digits(entry.checksum) for entry in quote.inputs}
    for data in wanted.inputs:
        if not await chain.is_provider(data.asset.did, quote.provider):
            raise InsituError("NotDIDProvider", f"{quote.provider} is not a provider of {data.asset.did}")
    await require_key(chain, read_address(quote.provider))
    first, expected = wanted.inputs[0], _expect(wanted, quote.provider, consumer)
    times, asset = expected.times, wanted.asset
    pairs: Sequence[tuple[str, object, object]] = [
        ("did", quote.did, first.asset.did),
        *((f"version of {data.asset.did}", quoted.get(data.asset.did), data.asset.checksum) for data in wanted.inputs),
        ("hash of the inputs", "0x" + _digits(quote.inputs_hash), wanted.inputs_hash),
        ("workflow", quote.workflow_did, asset.did if asset is not None else ""),
        ("version of the workflow", _digits(quote.workflow_hash), asset.checksum if asset is not None else ""),
        ("service", quote.service_index, first.entry.index),
        ("server", quote.server.get("serverId"), expected.server.server_id),
        ("price", quote.price.base_units, expected.price.total),
        ("receivers", _receivers(quote), _paid(expected.price)),
        ("deadlineSeconds", quote.deadline_seconds, times.lock_timeout),
        ("grantTimeout", quote.grant_timeout, times.grant_timeout),
        ("timeout", quote.timeout, times.timeout),
        ("settleTimeout", quote.settle_timeout, times.settle_timeout),
    ]
    for name, said, own in pairs:
        if said != own:
            raise InsituError("TermsMismatch", f"the quote's {name} is {said}, the documents say {own}")


def terms_of(quote: Quote, consumer: Address, now: int, seed: str | None = None) -> Terms:
    """Return the terms of a quote (C2, C3). ``now`` is the chain's time in seconds, ``seed`` 64 hexadecimal digits."""
    return Terms(
        seed="0x" + (seed or new_seed()),
        did="0x" + Did.parse(quote.did).digits,
        inputs_hash="0x" + _digits(quote.inputs_hash),
        workflow_id="0x" + Did.parse(quote.workflow_did).digits,
        workflow_hash="0x" + _digits(quote.workflow_hash),
        consumer=consumer,
        provider=read_address(quote.provider),
        service_index=quote.service_index,
        deadline=now + quote.deadline_seconds,
        grant_timeout=quote.grant_timeout,
        timeout=quote.timeout,
        settle_timeout=quote.settle_timeout,
        amounts=tuple(receiver.amount.base_units for receiver in quote.receivers),
        receivers=tuple(read_address(receiver.address) for receiver in quote.receivers),
    )


def _receivers(quote: Quote) -> tuple[tuple[str, int], ...]:
    return tuple((receiver.address.lower(), receiver.amount.base_units) for receiver in quote.receivers)


def _paid(price: Price) -> tuple[tuple[str, int], ...]:
    paid = zip(price.receivers, price.amounts, strict=True)
    return tuple((address.lower(), amount) for address, amount in paid)


def _digits(checksum: str) -> str:
    return checksum.lower().removeprefix("0x")
