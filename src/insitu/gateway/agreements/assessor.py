"""May this consumer run this workflow here, on which server and for how much, and if not, why not (C1, E1).

Assessed before the purchase (check), at the grant, and at exec. The owners' rules apply in the version that was bought
and in the current one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import JsonValue

from insitu.at_once import both, outcomes
from insitu.domain.agreement_times import AgreementTimes, joint_times
from insitu.domain.algorithm import AlgorithmAsset
from insitu.domain.asset import ALGORITHM, WORKFLOW, Asset
from insitu.domain.compute_service import ComputeService, Server, read_compute_service
from insitu.domain.effective_policy import EffectivePolicy, effective_policy
from insitu.domain.errors import Conflict, Failure, InsituError, NotFound
from insitu.domain.flavour import (
    OfferedService,
    UsedAlgorithm,
    choose_server,
    flavour_refusals,
    image_of,
    usage_refusals,
)
from insitu.domain.ids import Address
from insitu.domain.policy import Algorithm, Refusal, Verdict
from insitu.domain.pricing import Price, PricedInput, price_of
from insitu.domain.service import Service
from insitu.domain.validation import validate_ddo
from insitu.domain.versions import require_allowed_change
from insitu.domain.workflow import Workflow, read_workflow, require_readable
from insitu.domain.workflow_rules import validate_workflow
from insitu.gateway.files.list_reader import Listed, ListReader
from insitu.gateway.files.source_opener import SourceOpener
from insitu.gateway.ports import GatewayPorts
from insitu.ports.peers import OperatorPeer
from insitu.sdk.long_work import LongWork
from insitu.sdk.resolving import ResolvedAsset

A = TypeVar("A")

MAX_PLANNED = 20
"""Assets that a workflow may name if it is assessed before it is published."""
KEPT = 4096
"""Number of versions that are remembered as valid."""


@dataclass(frozen=True, slots=True)
class AssessedInput:
    """An input data set: the asset now and as it was bought, its compute service in both, and its list of files."""

    asset: ResolvedAsset
    sold: ResolvedAsset
    entry: Service
    present: ComputeService
    bought: ComputeService
    listed: Listed


@dataclass(frozen=True, slots=True)
class AssessedAlgorithm:
    """An algorithm: the asset and its list of files."""

    asset: ResolvedAsset
    main: AlgorithmAsset
    listed: Listed

    @property
    def price(self) -> int:
        """Base units."""
        return Asset.read(self.asset.ddo.main).price


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that was found. ``server``, ``price`` and ``times`` are None when the reasons rule them out.

    ``published`` is the workflow's document, or None if it is only planned.
    """

    published: ResolvedAsset | None
    workflow: Workflow
    inputs: tuple[AssessedInput, ...]
    algorithms: tuple[AssessedAlgorithm, ...]
    policy: EffectivePolicy
    verdict: Verdict
    server: Server | None = None
    price: Price | None = None
    times: AgreementTimes | None = None

    @property
    def workflow_asset(self) -> ResolvedAsset:
        """The published document of the workflow."""
        assert self.published is not None, "only what is published can be bought and executed"
        return self.published

    @property
    def names(self) -> dict[str, str]:
        """DID → name of the workflow and of every input and algorithm."""
        assets = [self.workflow_asset, *(entry.asset for entry in self.inputs + self.algorithms)]
        return {asset.did: Asset.read(asset.ddo.main).name or "" for asset in assets}

    @property
    def versions(self) -> dict[str, str]:
        """DID → on-chain checksum of every input and algorithm, in the version that runs."""
        assets = [entry.asset for entry in self.inputs] + [entry.asset for entry in self.algorithms]
        return {asset.did: asset.checksum for asset in assets}

    @property
    def bought_versions(self) -> dict[str, str]:
        """DID → on-chain checksum of every input as it was bought; before the purchase, as it is now."""
        return {entry.asset.did: entry.sold.checksum for entry in self.inputs}

    @property
    def services(self) -> dict[str, dict[str, JsonValue]]:
        """DID → ``main`` of each input's compute service, for the operator's own check (E4)."""
        return {entry.asset.did: entry.bought.to_json() for entry in self.inputs}


@dataclass(slots=True)
class _Findings:
    """Collects the reasons for a refusal. An error of the infrastructure is not a reason; it is raised."""

    reasons: list[Refusal] = field(default_factory=list)

    def note(self, error: InsituError, did: str) -> None:
        if is_passing(error):
            raise error
        self.reasons.append(Refusal(code=error.code, did=did, message=error.detail))

    def sort(self, dids: Sequence[str], assessed: Sequence[A | InsituError]) -> tuple[A, ...]:
        """Note what was refused, in the order of the assets, and return the others."""
        for did, answer in zip(dids, assessed, strict=True):
            if isinstance(answer, InsituError):
                self.note(answer, did)
        return tuple(answer for answer in assessed if not isinstance(answer, InsituError))


def is_passing(error: InsituError) -> bool:
    """Return whether an error only says that something does not answer now."""
    return isinstance(error, Failure)


def nothing_runs(error: InsituError) -> bool:
    """Return whether the operator answered that it cannot run anything."""
    return error.code in ("RuntimeUnavailable", "IsolationNotEnforced")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessor:
    """Reads the documents of a workflow and applies every rule to them."""

    ports: GatewayPorts
    list_reader: ListReader
    source_opener: SourceOpener
    operator: OperatorPeer
    _work: LongWork = field(init=False, default_factory=LongWork)
    _valid: set[tuple[str, str]] = field(init=False, default_factory=set)

    async def assess(
        self,
        consumer: Address,
        workflow_did: str,
        *,
        workflow_checksum: str | None = None,
        service_index: int | None = None,
        bought: Mapping[str, str] | None = None,
        used: Collection[tuple[str, str]] = (),
    ) -> Assessment:
        """Assess a workflow for a consumer.

        Parameters
        ----------
        workflow_checksum
            On-chain checksum of the version that was bought; None for the current one.
        service_index
            serviceDefinitionId of the first input's compute service; None for its first one.
        bought
            DID → on-chain checksum of the inputs when they were bought; the current ones if absent. None before the
            purchase, when an input that its owner has retired is refused.
        used
            DID and on-chain checksum of algorithms that ran under the agreement: a newer version changes nothing.

        Raises what resolving and validating the workflow raises; an error in another asset becomes a reason.
        ``ChainUnavailable``, ``PeerUnavailable`` when nothing can be said now.
        """
        asset = await self.ports.resolver.resolve(workflow_did, workflow_checksum)
        await self._require_valid(asset, sold=bought is not None)
        if asset.ddo.asset_type != WORKFLOW:
            raise InsituError("InvalidDocument", f"{workflow_did} is not a workflow, and only workflows run")
        return await self._judge(consumer, read_workflow(asset.ddo), asset, service_index, bought, used)

    async def assess_planned(
        self,
        consumer: Address,
        described: Mapping[str, JsonValue],
        service_index: int | None = None,
        bought: Mapping[str, str] | None = None,
    ) -> Assessment:
        """Assess a workflow that is not published, as :meth:`assess` does, before a purchase or as a revision.

        ``described`` is its ``main.workflow``. A stage without an algorithm's DID runs an algorithm that the consumer
        has not published: it is free, their own, and in no list of versions.

        Raises what reading it raises, and ``InvalidRequest`` when it names more than ``MAX_PLANNED`` assets.
        """
        require_readable(described)
        workflow = Workflow.read(described, "/workflow")
        validate_workflow(workflow, "/workflow", planned=True)
        if len(workflow.input_dids) + len(workflow.transformation_dids) > MAX_PLANNED:
            # A request costs nothing, but each asset is looked up.
            raise InsituError("InvalidRequest", f"more than {MAX_PLANNED} assets: publish the workflow and ask by DID")
        return await self._judge(consumer, workflow, None, service_index, bought)

    async def _judge(
        self,
        consumer: Address,
        workflow: Workflow,
        asset: ResolvedAsset | None,
        service_index: int | None,
        bought: Mapping[str, str] | None,
        used: Collection[tuple[str, str]] = (),
    ) -> Assessment:
        found = _Findings()
        inputs_asked, algorithms_asked = await both(
            self._inputs(workflow, service_index, bought or {}),
            outcomes(self._algorithm(*pinned, sold=bought is not None) for pinned in workflow.transformations.items()),
        )
        inputs = found.sort(workflow.input_dids, inputs_asked)
        algorithms = found.sort(workflow.transformation_dids, algorithms_asked)
        policy = effective_policy(
            [(entry.asset.did, entry.bought.policy) for entry in inputs],
            [(entry.asset.did, entry.present.policy) for entry in inputs],
        )
        found.reasons += _service_refusals(workflow, inputs)
        if bought is None:
            found.reasons += await self._retirements(workflow)
        found.reasons += _algorithm_refusals(workflow, algorithms, policy, consumer, used)
        server = await self._server(workflow, inputs, found)
        await self._images(workflow, inputs, found)
        price = self._price(inputs, server, consumer, found)
        times = _times(inputs, found)
        verdict = Verdict.of(found.reasons)
        return Assessment(asset, workflow, inputs, algorithms, policy, verdict, server, price, times)

    async def service_price(self, did: str, service_index: int) -> int:
        """Return the price in base units of a compute service, or of the asset's first one if the index is wrong.

        Raises what resolving and reading it raises.
        """
        services = (await self.ports.resolver.resolve(did)).ddo.compute_services
        named = [service for service in services if service.index == service_index]
        for service in (*named, *services):
            return read_compute_service(service).price
        raise InsituError("NoComputeService", f"{did} offers no compute service", did=did)

    async def _retirements(self, workflow: Workflow) -> list[Refusal]:
        """What was bought stays usable, but an asset that its owner has retired cannot be bought."""
        retired = [did for did in workflow.input_dids if await self.ports.metadata.is_retired(did)]
        return [Refusal(code="AssetRetired", did=did, message=f"the owner of {did} has retired it") for did in retired]

    async def _inputs(
        self, workflow: Workflow, service_index: int | None, bought: Mapping[str, str]
    ) -> list[AssessedInput | InsituError]:
        return await outcomes(
            self._input(did, service_index if position == 0 else None, bought.get(did))
            for position, did in enumerate(workflow.input_dids)
        )

    async def _input(self, did: str, service_index: int | None, bought: str | None) -> AssessedInput:
        resolving, asking = self._sold(did, bought), self.ports.chain.is_provider(did, self.ports.provider)
        sold, is_provider = await both(resolving, asking)
        asset = sold if sold.is_current else await self.ports.resolver.resolve(did)
        require_allowed_change(sold.ddo, asset.ddo, (self.ports.chain.agreements.contract,))
        await self._require_valid(asset, sold=bought is not None)
        entry = asset.ddo.compute_service(service_index)
        self._require_here(did, entry)
        if not is_provider:
            raise InsituError("NotDIDProvider", f"{self.ports.provider} is not a provider of {did}")
        if did in await self.ports.agreements.paused():
            raise InsituError("AssetRetired", f"the owner of {did} has paused it at this gateway", did=did)
        present = read_compute_service(entry)
        version = read_compute_service(sold.ddo.compute_service(entry.index))
        if version.policy.data == "pinned" and _digests(sold) != _digests(asset):
            raise InsituError("InputChanged", f"{did} was sold with other files than its current version names")
        return AssessedInput(asset, sold, entry, present, version, await self._open_list(asset))

    async def _sold(self, did: str, bought: str | None) -> ResolvedAsset:
        try:
            return await self.ports.resolver.resolve(did, bought)
        except (NotFound, Conflict) as error:
            if bought is None:
                raise
            detail = f"neither this gateway nor a catalogue has the version {bought} of {did}: {error.detail}"
            raise InsituError("BoughtVersionUnknown", detail, did=did) from error

    def _require_here(self, did: str, entry: Service) -> None:
        if not self.ports.configuration.serves(entry.service_endpoint):
            raise InsituError("InputElsewhere", f"{did} is served at {entry.service_endpoint}")
        template = self.ports.chain.agreements.contract
        if (entry.template_id or "").lower() != template.lower():
            raise InsituError(
                "TemplateNotApproved", f"{did} is sold under {entry.template_id}, but this gateway uses {template}"
            )

    async def _algorithm(self, did: str, checksum: str | None, *, sold: bool) -> AssessedAlgorithm:
        asset = await self.ports.resolver.resolve(did, checksum)
        await self._require_valid(asset, sold=sold)
        if asset.ddo.asset_type != ALGORITHM:
            raise InsituError("InvalidDocument", f"{did} is not an algorithm")
        main = await self._work.run(AlgorithmAsset.read, asset.ddo.main)
        return AssessedAlgorithm(asset, main, await self._open_list(asset))

    async def _require_valid(self, asset: ResolvedAsset, *, sold: bool) -> None:
        """Validate a version. Versions never change, so each is validated once.

        Before the purchase it is compared with the version before. Afterwards nobody ends an agreement by withholding
        that one.
        """
        if not sold:
            await self.ports.resolver.require_allowed(asset)
        version = (asset.did, asset.checksum)
        if version in self._valid:
            return
        await self._work.run(validate_ddo, asset.ddo)
        if len(self._valid) >= KEPT:
            self._valid.clear()
        self._valid.add(version)

    async def _open_list(self, asset: ResolvedAsset) -> Listed:
        listed = await self.list_reader.open(asset)
        for file in listed.files:
            await self.source_opener.check(file, listed.sealer)
        return listed

    async def _server(self, workflow: Workflow, inputs: Sequence[AssessedInput], found: _Findings) -> Server | None:
        if len(inputs) < len(workflow.input_dids):
            return None
        first = inputs[0].asset.did
        try:
            server = choose_server(workflow, [OfferedService(entry.asset.did, entry.bought) for entry in inputs])
            limits, capacity = server.limits(), await self.operator.capacity()
        except InsituError as error:
            found.note(error, first)
            return None
        wanted = (limits.cpu_millis, limits.memory_bytes, limits.disk_bytes, limits.gpu)
        offered = (capacity.cpu_millis, capacity.memory_bytes, capacity.disk_bytes, capacity.gpu)
        if any(want > offer for want, offer in zip(wanted, offered, strict=True)):
            message = f"server {server.server_id} is larger than the capacity of this operator"
            found.reasons.append(Refusal(code="CapacityExceeded", did=first, message=message))
        return server

    async def _images(self, workflow: Workflow, inputs: Sequence[AssessedInput], found: _Findings) -> None:
        """Refuse a workflow if the operator knows that it cannot get one of the images, so that nobody pays for it."""
        if len(inputs) < len(workflow.input_dids):
            return
        first = inputs[0]
        containers = (stage.requirements.container for stage in workflow.ordered_stages)
        images = [image for container in containers if (image := image_of(container, first.bought)) is not None]
        try:
            if images:
                await self.operator.require_images(images)
        except InsituError as error:
            found.note(error, first.asset.did)

    def _price(
        self, inputs: Sequence[AssessedInput], server: Server | None, consumer: Address, found: _Findings
    ) -> Price | None:
        if server is None:
            return None
        priced = [PricedInput(entry.asset.did, entry.asset.owner, entry.bought.price) for entry in inputs]
        try:
            return price_of(priced, server, self.ports.provider, consumer)
        except InsituError as error:
            found.note(error, inputs[0].asset.did)
            return None


def _digests(asset: ResolvedAsset) -> list[tuple[int | None, str | None]]:
    return [(file.index, file.sha256) for file in Asset.read(asset.ddo.main).files]


def _times(inputs: Sequence[AssessedInput], found: _Findings) -> AgreementTimes | None:
    if not inputs:
        return None
    try:
        return joint_times([entry.bought.times() for entry in inputs])
    except InsituError as error:
        found.note(error, inputs[0].asset.did)
        return None


def _service_refusals(workflow: Workflow, inputs: Sequence[AssessedInput]) -> list[Refusal]:
    """Return what the compute services refuse, as they were bought and as they are now."""
    bought = [OfferedService(entry.asset.did, entry.bought) for entry in inputs]
    present = [OfferedService(entry.asset.did, entry.present) for entry in inputs]
    return [*flavour_refusals(workflow, bought), *flavour_refusals(workflow, present)]


def _algorithm_refusals(
    workflow: Workflow,
    algorithms: Sequence[AssessedAlgorithm],
    policy: EffectivePolicy,
    consumer: Address,
    ran: Collection[tuple[str, str]],
) -> list[Refusal]:
    """Return what is against the algorithms. One that is not published is the consumer's own and free."""
    used = [_used_algorithm(algorithm) for algorithm in algorithms]
    policed = [_policed_algorithm(algorithm.asset, ran) for algorithm in algorithms]
    if any(stage.transformation.id is None for stage in workflow.stages):
        used.append(UsedAlgorithm("", consumer, 0, None))
        policed.append(Algorithm("", "", consumer, consumer))
    return [*usage_refusals(workflow, used, consumer), *policy.refusals(policed, consumer)]


def _used_algorithm(algorithm: AssessedAlgorithm) -> UsedAlgorithm:
    return UsedAlgorithm(
        algorithm.asset.did, algorithm.asset.owner, algorithm.price, algorithm.main.algorithm.requirements.container
    )


def _policed_algorithm(asset: ResolvedAsset, ran: Collection[tuple[str, str]]) -> Algorithm:
    current = asset.is_current or (asset.did, asset.checksum) in ran
    return Algorithm(asset.did, asset.checksum, asset.creator, asset.registrant, current)
