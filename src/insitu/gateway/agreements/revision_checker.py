"""Whether another version of a bought workflow may run under its agreement (ADR 0124)."""

from dataclasses import dataclass

from insitu.domain.did import Did
from insitu.domain.effective_policy import EffectivePolicy
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.flavour import OfferedService
from insitu.domain.revisions import require_same_purchase
from insitu.domain.workflow import read_workflow
from insitu.gateway.agreements.assessor import Assessment
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_records import KnownAgreement
from insitu.ports.agreements import EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionChecker:
    """Compares a revision with what was bought, and with what the owners of the data allow."""

    ports: GatewayPorts

    async def require(self, known: KnownAgreement, found: Assessment) -> None:
        """Refuse a revision that the consumer did not register, that buys something else, or that an owner forbids.

        A planned revision, without a document, is judged as if the consumer registered it now.

        Raises ``RevisionNotAllowed``, ``RevisionChangesPurchase``, and what resolving the bought workflow raises.
        """
        terms = known.terms
        bought = await self.ports.resolver.resolve(str(Did.from_hex(terms.workflow_id)), terms.workflow_hash)
        revised = found.published
        if revised is not None and revised.version <= bought.version:
            detail = f"version {revised.version} of the workflow is not newer than the bought version {bought.version}"
            raise InsituError("RevisionNotAllowed", detail)
        registrant = revised.registrant if revised is not None else bought.owner
        if registrant.lower() != terms.consumer.lower():
            detail = f"{registrant} registered this version, but only the consumer {terms.consumer} may revise it"
            raise InsituError("RevisionNotAllowed", detail)
        if len(found.inputs) < len(found.workflow.input_dids):
            return  # the verdict says why a data set cannot be used
        offers = [OfferedService(entry.asset.did, entry.bought) for entry in found.inputs]
        require_same_purchase(read_workflow(bought.ddo), found.workflow, offers)
        await self._require_wanted(known, found.policy)

    async def _require_wanted(self, known: KnownAgreement, policy: EffectivePolicy) -> None:
        """An execution that succeeded, or whose output waits for a decision, ends what ``untilSuccess`` allows."""
        if policy.revisions == "none":
            raise InsituError(
                "RevisionNotAllowed", "an owner of the data does not allow workflows to change after the purchase"
            )
        if policy.revisions == "always":
            return
        executions = await self.ports.agreements.executions(agreement_id=known.agreement_id, limit=EVERY)
        outcomes = (execution.frozen.outcome.phase for execution in executions if execution.frozen is not None)
        if Phase.SUCCEEDED in outcomes:
            detail = "an owner of the data lets workflows change until an execution has succeeded, and one has"
            raise InsituError("RevisionNotAllowed", detail)


def require_bought_workflow(known: KnownAgreement, workflow_did: str | None) -> None:
    """Refuse another workflow than the agreement's; None stands for the agreement's. Raises ``WorkflowMismatch``."""
    bought = Did.from_hex(known.terms.workflow_id)
    if workflow_did is not None and Did.parse(workflow_did) != bought:
        raise InsituError("WorkflowMismatch", f"this agreement is for the workflow {bought}, not for {workflow_did}")
