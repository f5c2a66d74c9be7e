"""A script with a typo needs no new agreement: another version of the bought workflow may run (ADR 0124)."""

from typing import Any

import pytest

from insitu.api.gateway_v1 import CheckRequest, ExecAccepted, ExecRequest
from insitu.domain.agreement import agreement_id
from insitu.domain.canonical import JsonObject
from insitu.domain.errors import InsituError
from insitu.domain.ids import AgreementId
from insitu.domain.integrity import onchain_checksum
from insitu.domain.ledger import Call
from tests.doubles.scripted_runtime import Ending
from tests.gateway.test_receipts_say_what_happened import stated
from tests.gateway.versions import document, propose, revise_main, sell
from tests.gateway.world import World

pytestmark = pytest.mark.needs("chain")


async def execute(
    provider: World, agreement: AgreementId, version: str | None = None, key: str | None = None, **parameters: Any
) -> ExecAccepted:
    request = ExecRequest(service_agreement_id=agreement, workflow_checksum=version, parameters=parameters)
    return await provider.gateway.executor.execute(provider.caller("consumer"), request, key)


async def ended(provider: World, started: ExecAccepted) -> None:
    await provider.until_events(started.workflow_execution_id, "end")


def fail_with(provider: World, code: str | None) -> None:
    for attempt in (1, 2):
        provider.operator.runtime.script[f"0-compute-{attempt}"] = Ending(code=code)


async def changed(provider: World, workflow: str, who: str = "consumer", **members: Any) -> str:
    """Register a version of a workflow whose first stage has other members. Return its checksum."""
    described: JsonObject = (await document(provider, workflow)).main["workflow"]
    stage, *others = described["stages"]
    return await revise_main(provider, who, workflow, workflow={"stages": [stage | members, *others]})


async def sold(provider: World, **policy: Any) -> tuple[str, AgreementId]:
    """A workflow on a data set with a policy, and a granted agreement."""
    rules = {"policy": {"algorithms": "any", **policy}} if policy else {}
    workflow = await provider.simple_workflow(await provider.publish_dataset(**rules))
    return workflow, await provider.buy(workflow)


async def test_a_revision_runs_after_a_failure_and_pays_nothing_more(provider: World) -> None:
    workflow, agreement = await sold(provider, revisions="untilSuccess")
    fail_with(provider, "AlgorithmFailed")
    await ended(provider, await execute(provider, agreement))
    fail_with(provider, None)
    version = await changed(provider, workflow, configuration={"threshold": 3})
    started = await execute(provider, agreement, version)
    plan = (await provider.execution(started.workflow_execution_id)).plan
    known = await provider.agreements.agreement(agreement)
    assert known is not None
    assert (plan.workflow_checksum, plan.revision_of) == (version, known.terms.workflow_hash.removeprefix("0x"))
    assert "--threshold=3" in plan.stages[0].argv
    await ended(provider, started)


async def test_a_revision_is_never_implied(provider: World) -> None:
    workflow, agreement = await sold(provider, revisions="always")
    bought = onchain_checksum(provider.published[workflow])
    await changed(provider, workflow, configuration={"threshold": 3})
    plan = (await provider.execution((await execute(provider, agreement)).workflow_execution_id)).plan
    assert (plan.workflow_checksum, plan.revision_of) == (bought, None)


async def test_a_document_without_the_rule_allows_no_revision(provider: World) -> None:
    workflow, agreement = await sold(provider)
    version = await changed(provider, workflow, configuration={"threshold": 3})
    with pytest.raises(InsituError, match="RevisionNotAllowed"):
        await execute(provider, agreement, version)


async def test_after_a_success_only_always_allows_a_revision(provider: World) -> None:
    until, agreement = await sold(provider, revisions="untilSuccess")
    always, other = await sold(provider, revisions="always")
    for workflow, bought in ((until, agreement), (always, other)):
        await ended(provider, await execute(provider, bought))
        version = await changed(provider, workflow, configuration={"threshold": 3})
        if workflow == always:
            await ended(provider, await execute(provider, bought, version))
            continue
        with pytest.raises(InsituError, match="has succeeded"):
            await execute(provider, bought, version)


async def test_an_owner_who_tightens_the_rule_is_obeyed(provider: World) -> None:
    data = await provider.publish_dataset(policy={"algorithms": "any", "revisions": "always"})
    workflow = await provider.simple_workflow(data)
    agreement = await provider.buy(workflow)
    version = await changed(provider, workflow, configuration={"threshold": 3})
    await revise_main(provider, "owner", data, 1, policy={"algorithms": "any", "revisions": "none"})
    with pytest.raises(InsituError, match="RevisionNotAllowed"):
        await execute(provider, agreement, version)


async def test_a_revision_that_reads_something_else_is_refused_with_a_pointer(provider: World) -> None:
    workflow, agreement = await sold(provider, revisions="always")
    other = await provider.publish_dataset("second-owner", policy={"algorithms": "any", "revisions": "always"})
    version = await changed(provider, workflow, input=[{"index": 0, "id": other}])
    with pytest.raises(InsituError) as caught:
        await execute(provider, agreement, version)
    assert (caught.value.code, caught.value.pointer) == ("RevisionChangesPurchase", "/workflow/stages/0/input")


async def test_an_older_version_than_the_bought_one_is_refused(provider: World) -> None:
    workflow = await provider.simple_workflow(
        await provider.publish_dataset(policy={"algorithms": "any", "revisions": "always"})
    )
    older = onchain_checksum(provider.published[workflow])
    await changed(provider, workflow, configuration={"threshold": 3})
    agreement = await provider.buy(workflow)
    with pytest.raises(InsituError, match="is not newer than the bought version"):
        await execute(provider, agreement, older)


async def test_a_version_that_is_not_registered_does_not_run(provider: World) -> None:
    workflow, agreement = await sold(provider, revisions="always")

    def edit(services: list[JsonObject]) -> None:
        services[0]["attributes"]["main"]["workflow"]["stages"][0]["configuration"] = {"threshold": 3}

    proposed = await propose(provider, "consumer", workflow, edit)
    with pytest.raises(InsituError, match="WorkflowChanged"):
        await execute(provider, agreement, proposed)


async def test_a_workflow_of_somebody_else_stays_at_the_version_that_was_bought(provider: World) -> None:
    workflow = await provider.simple_workflow(
        await provider.publish_dataset(policy={"algorithms": "any", "revisions": "always"})
    )
    agreement = await provider.buy(workflow, "second-consumer")
    version = await changed(provider, workflow, configuration={"threshold": 3})
    request = ExecRequest(service_agreement_id=agreement, workflow_checksum=version)
    with pytest.raises(InsituError, match=r"only the consumer \w+ may revise it"):
        await provider.gateway.executor.execute(provider.caller("second-consumer"), request)


async def test_a_version_by_whoever_bought_the_workflows_did_is_refused(provider: World) -> None:
    workflow, agreement = await sold(provider, revisions="always")
    await sell(provider, "consumer", workflow, "stranger")
    version = await changed(provider, workflow, "stranger", configuration={"threshold": 3})
    with pytest.raises(InsituError, match="RevisionNotAllowed"):
        await execute(provider, agreement, version)


async def test_a_revision_is_part_of_what_a_repeated_request_must_say_again(provider: World) -> None:
    workflow, agreement = await sold(provider, revisions="always")
    version = await changed(provider, workflow, configuration={"threshold": 3})
    first = await execute(provider, agreement, version, key="one")
    assert await execute(provider, agreement, version, key="one") == first
    with pytest.raises(InsituError, match="IdempotencyConflict"):
        await execute(provider, agreement, key="one")


async def test_parameters_that_the_owner_allows_reach_the_algorithm_and_the_receipt(provider: World) -> None:
    _, agreement = await sold(provider, parameters=["threshold"])
    started = await execute(provider, agreement, **{"0": {"threshold": 4}})
    plan = (await provider.execution(started.workflow_execution_id)).plan
    assert plan.parameters == {"0": {"threshold": 4}}
    assert "--threshold=4" in plan.stages[0].argv
    await ended(provider, started)
    predicate = stated(await provider.execution(started.workflow_execution_id))
    assert (predicate.parameters, predicate.stages[0].parameters) == ({"0": {"threshold": 4}}, {"threshold": 4})


async def test_parameters_that_no_owner_allows_are_refused_before_anything_starts(provider: World) -> None:
    _, agreement = await sold(provider, parameters=["threshold"])
    with pytest.raises(InsituError, match="ParameterNotAllowed"):
        await execute(provider, agreement, **{"0": {"path": "/etc"}})
    assert not await provider.agreements.executions(agreement_id=agreement)


async def test_a_revision_can_be_checked_before_it_is_registered_and_costs_nothing(provider: World) -> None:
    workflow, agreement = await sold(provider, revisions="untilSuccess")
    described = (await document(provider, workflow)).to_json()["service"][0]["attributes"]["main"]["workflow"]
    described["stages"][0]["configuration"] = {"threshold": 3}
    asked = CheckRequest(consumer=provider.address("consumer"), workflow=described, service_agreement_id=agreement)
    quote = await provider.gateway.quoter.check(asked)
    assert (quote.allowed, quote.price.base_units) == (True, 0)
    described["stages"][0]["index"] = 5
    quote = await provider.gateway.quoter.check(asked.model_copy(update={"workflow": described}))
    assert [reason.code for reason in quote.reasons] == ["RevisionChangesPurchase"]
    with pytest.raises(InsituError, match="NotConsumer"):
        await provider.gateway.quoter.check(asked.model_copy(update={"consumer": provider.address("stranger")}))


async def test_strangers_cannot_make_the_gateway_look_for_versions_of_what_nobody_paid(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset())
    invented = provider.terms(await provider.quote(workflow), inputs_hash="0x" + "ab" * 32)
    create = Call("ServiceExecutionTemplate", "createAgreement", (invented.as_tuple(), b""))
    await provider.chain.transact(create, provider.people["consumer"])
    consumer, unpaid = provider.address("consumer"), agreement_id(invented, provider.chain.agreements)
    walked = list[str]()
    real = type(provider.chain).registrations

    def registrations(self: Any, did: str, *more: Any) -> Any:
        walked.append(did)
        return real(self, did, *more)

    monkeypatch.setattr(type(provider.chain), "registrations", registrations)
    asked = CheckRequest(consumer=consumer, workflow_did=workflow, service_agreement_id=unpaid)
    with pytest.raises(InsituError, match="AgreementUnknown"):
        await provider.gateway.quoter.check(asked)
    assert not walked


async def test_a_check_of_another_workflow_than_the_bought_one_is_refused(provider: World) -> None:
    _, agreement = await sold(provider, revisions="always")
    other = await provider.simple_workflow(await provider.publish_dataset())
    asked = CheckRequest(consumer=provider.address("consumer"), workflow_did=other, service_agreement_id=agreement)
    with pytest.raises(InsituError, match="WorkflowMismatch"):
        await provider.gateway.quoter.check(asked)


async def test_documents_that_read_differently_each_time_get_no_revision_past_the_check(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is judged as a revision is what runs, even if the workflow is assessed twice."""
    trusting = {"policy": {"publishers": [provider.address("consumer")], "revisions": "always"}}
    theirs = await provider.publish_dataset(policy={"algorithms": "any", "revisions": "always"})
    own, fickle = [await provider.publish_dataset("consumer", **trusting) for _ in range(2)]
    unpaid = await provider.publish_dataset("second-owner")
    algorithm = await provider.publish_algorithm("consumer")
    pinned = {
        "transformation": {
            "id": algorithm,
            "checksum": (await provider.desk.ports.resolver.resolve(algorithm)).checksum,
        }
    }
    workflow = await provider.simple_workflow(theirs, own, algorithm=algorithm, **pinned)
    agreement = await provider.buy(workflow)
    await ended(provider, await execute(provider, agreement))
    await revise_main(provider, "consumer", algorithm, name="A newer version")
    inputs = [{"index": index, "id": did} for index, did in enumerate((theirs, own, unpaid, fickle))]
    version = await changed(provider, workflow, input=inputs)
    resolver, looks = provider.desk.ports.resolver, list[str]()
    real = type(resolver).resolve

    async def resolve(self: Any, did: str, *asked: Any, **named: Any) -> Any:
        looks.extend([did] if did == fickle else [])
        if did == fickle and len(looks) == 1:
            raise InsituError("AssetNotFound", "not now", did=did)
        return await real(self, did, *asked, **named)

    monkeypatch.setattr(type(resolver), "resolve", resolve)
    with pytest.raises(InsituError, match="RevisionChangesPurchase"):
        await execute(provider, agreement, version)
    assert len(looks) > 1
