"""``POST exec``: starts an execution of a granted agreement (C8, E1–E3)."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace

from insitu.api.gateway_v1 import ExecAccepted, ExecRequest
from insitu.domain.agreement import AgreementState
from insitu.domain.canonical import canonical_json
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import AgreementId, read_agreement_id
from insitu.domain.revisions import require_parameters
from insitu.domain.service import sha256_of
from insitu.gateway.agreements.assessor import Assessment, Assessor
from insitu.gateway.agreements.free_compute import caps_on
from insitu.gateway.agreements.free_gas_limiter import FreeGasLimiter
from insitu.gateway.agreements.permission_checker import PermissionChecker
from insitu.gateway.agreements.revision_checker import RevisionChecker, require_bought_workflow
from insitu.gateway.agreements.terms_checker import copies_of
from insitu.gateway.agreements.version_keeper import VersionKeeper
from insitu.gateway.executions.planner import Planner
from insitu.gateway.executions.registrar import Registrar
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.caller import Caller
from insitu.ports.agreement_changes import Judge
from insitu.ports.agreement_records import Idempotency, KnownAgreement, Standing, StoredExecution
from insitu.ports.agreements import EVERY

MAX_KEY = 200
UNCOUNTED = 10
"""Executions of an agreement that deliver nothing and do not count towards ``maxExecutions``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Authorises an execution, plans it, numbers it and hands it over. A repeated request gets the same answer."""

    ports: GatewayPorts
    permission_checker: PermissionChecker
    revision_checker: RevisionChecker
    version_keeper: VersionKeeper
    assessor: Assessor
    planner: Planner
    registrar: Registrar
    free_gas_limiter: FreeGasLimiter

    async def execute(self, caller: Caller, request: ExecRequest, key: str | None = None) -> ExecAccepted:
        """Start the next execution, or return the one that the same key started.

        Raises what :meth:`PermissionChecker.require` and :meth:`RevisionChecker.require` raise; ``WorkflowMismatch``,
        ``WorkflowChanged``, ``ParameterNotAllowed``; the verdict's first reason;
        ``ExecutionInProgress``, ``ExecutionLimitReached``, ``IdempotencyConflict``, ``FreeGasExhausted``,
        ``FreeComputeExhausted``; the operator's refusal.
        """
        agreement_id = read_agreement_id(request.service_agreement_id)
        caller.require(agreement_id)
        idempotency = _idempotency(caller, request, key)
        if idempotency is not None:
            earlier = await self.ports.agreements.repeated(idempotency)
            if earlier is not None:
                return accepted(earlier)
        known = await self.permission_checker.find(agreement_id)
        wanted = _wanted_version(known, request)
        earlier = await self._require_idle(known)
        # Assessing is work, which only a consumer who has paid may cause.
        state = await self.permission_checker.require(known, caller.address)
        found = await self._assess(known, wanted)
        if any(reason.code == "AlgorithmOutdated" for reason in found.verdict.reasons):
            found = await self._assess(known, wanted, await self._used(agreement_id))
        if wanted != _bought_version(known):
            # What is judged here is what runs: documents of the consumer may read differently each time.
            await self.revision_checker.require(known, found)
        found.verdict.require()
        require_parameters(found.workflow, request.parameters, found.policy.parameters)
        draft = await self.planner.draft(agreement_id, known.terms, state, found, earlier, request.parameters)
        limit = min(found.policy.max_executions, known.max_executions or found.policy.max_executions)
        limit += await self._uncounted(earlier, limit)
        free = await self.free_gas_limiter.of(known.terms, first=earlier is None)
        await self._note_versions(known, state, found)
        await self._require_unchanged(found)
        now, caps = self.ports.clock.now(), caps_on(known.terms, self.ports)
        execution, _ = await self.ports.agreements.start(agreement_id, now, limit, draft, idempotency, free, caps)
        await self.registrar.register(execution)
        return accepted(execution)

    async def _require_unchanged(self, found: Assessment) -> None:
        """Refuse if an owner changed something meanwhile: a consumer can make the preparation as slow as they like."""
        for entry in found.inputs:
            then, now = entry.asset.record, await self.ports.chain.did_record(entry.asset.did)
            if now is None or (now.checksum, now.changes) != (then.checksum, then.changes):
                detail = f"{entry.asset.did} changed on chain while the execution was prepared"
                raise InsituError("InputsChangedMeanwhile", detail, did=entry.asset.did)

    async def _used(self, agreement_id: AgreementId) -> frozenset[tuple[str, str]]:
        """Return DID and version of everything that earlier executions of the agreement used."""
        earlier = await self.ports.agreements.executions(agreement_id=agreement_id, limit=EVERY)
        return frozenset(used for execution in earlier for used in execution.dossier.versions.items())

    async def _note_versions(self, known: KnownAgreement, state: AgreementState, found: Assessment) -> None:
        """Note what was bought if the notes were lost; the receipt states it."""
        if tuple(known.versions.items()) == tuple(found.bought_versions.items()):
            return
        now, executions = self.ports.clock.now(), found.policy.max_executions
        judged = Judge(
            known.agreement_id, Standing.GRANTED, now, versions=found.bought_versions, max_executions=executions
        )
        await self.ports.agreements.apply([replace(judged, start=state.start), *copies_of(found, state.start)])

    async def _assess(self, known: KnownAgreement, version: str, used: Collection[tuple[str, str]] = ()) -> Assessment:
        terms = known.terms
        did = str(Did.from_hex(terms.did))
        try:
            return await self.assessor.assess(
                terms.consumer,
                str(Did.from_hex(terms.workflow_id)),
                workflow_checksum=version,
                service_index=terms.service_index,
                bought=await self.version_keeper.prove(terms, known.versions),
                used=used,
            )
        except InsituError as error:
            if error.code in ("ChecksumMismatch", "AssetNotFound") and error.context.get("did") != did:
                detail = f"the version {version} of the workflow is not available: {error.detail}"
                raise InsituError("WorkflowChanged", detail) from error
            raise

    async def _require_idle(self, known: KnownAgreement) -> StoredExecution | None:
        """Return the execution before this one. Refuse early; the store checks again in its transaction."""
        for execution in await self.ports.agreements.executions(agreement_id=known.agreement_id, limit=1):
            if execution.live:
                detail = f"execution {execution.execution_id} of this agreement is running"
                raise InsituError("ExecutionInProgress", detail, workflowExecutionId=execution.execution_id)
            return execution
        return None

    async def _uncounted(self, earlier: StoredExecution | None, limit: int) -> int:
        """Return how many executions do not count towards the limit, once that matters.

        One counts as soon as anything of its algorithm reached the consumer, and one that delivered nothing from the
        eleventh on.
        """
        if earlier is None or earlier.plan.number + 1 < limit:
            return 0
        ended = await self.ports.agreements.executions(agreement_id=earlier.agreement_id, limit=earlier.plan.number + 1)
        silent = sum(1 for execution in ended if execution.frozen is not None and not execution.frozen.delivered)
        return min(silent, UNCOUNTED)


def accepted(execution: StoredExecution) -> ExecAccepted:
    """Return the response to exec."""
    return ExecAccepted(
        service_agreement_id=execution.agreement_id,
        workflow_execution_id=execution.execution_id,
        number=execution.plan.number,
        workflow_id=execution.execution_id,
    )


def _bought_version(known: KnownAgreement) -> str:
    return known.terms.workflow_hash.lower().removeprefix("0x")


def _wanted_version(known: KnownAgreement, request: ExecRequest) -> str:
    """Return the checksum of the version to run. A revision is never implied: it is what the request names."""
    require_bought_workflow(known, request.workflow_did)
    if request.workflow_checksum is None:
        return _bought_version(known)
    wanted = sha256_of(request.workflow_checksum)
    if wanted is None:
        raise InsituError("InvalidRequest", "a checksum has 64 hexadecimal digits", pointer="/workflowChecksum")
    return wanted


def _idempotency(caller: Caller, request: ExecRequest, key: str | None) -> Idempotency | None:
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise InsituError("InvalidRequest", f"an Idempotency-Key has 1 to {MAX_KEY} printable characters")
    body = request.model_dump(mode="json", by_alias=True)
    body["serviceAgreementId"] = read_agreement_id(request.service_agreement_id)
    return Idempotency(caller.address, key, hashlib.sha256(canonical_json(body)).hexdigest())
