"""What may run on whose data: the verdict before buying, and again at exec (C1, E1)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError
from insitu.domain.integrity import onchain_checksum
from insitu.domain.ledger import Call, transfer_ownership, update_attribute
from insitu.ports.agreement_changes import Judge
from insitu.ports.agreement_records import Standing
from tests.gateway.world import IMAGE, PUBLIC_URL, SMALL, World, stage_of

pytestmark = pytest.mark.needs("chain")

OTHER_IMAGE = IMAGE | {"checksum": "sha256:" + "ee" * 32}
LARGE = SMALL | {"serverId": "large", "price": "9", "cpu": "64", "memory": "512gb"}


def environment(**changes: Any) -> dict[str, Any]:
    usual = {"cluster": {"type": "insitu"}, "supportedContainers": [IMAGE], "supportedServers": [SMALL]}
    return {"provider": {"type": "On-Premise", "environment": usual | changes}}


async def codes(provider: World, workflow: str, consumer: str = "consumer") -> list[str]:
    quote = await provider.quote(workflow, consumer)
    assert quote.allowed == (not quote.reasons)
    return [reason.code for reason in quote.reasons]


async def test_a_workflow_that_fits_everything_is_allowed(provider: World) -> None:
    data = await provider.publish_dataset()
    quote = await provider.quote(await provider.simple_workflow(data))
    assert quote.allowed
    assert quote.server["serverId"] == "small"
    assert (quote.timeout, quote.grant_timeout, quote.settle_timeout, quote.deadline_seconds) == (86400, 600, 4200, 600)


async def test_an_image_that_an_input_does_not_support_is_refused(provider: World) -> None:
    first = await provider.publish_dataset()
    second = await provider.publish_dataset("second-owner", **environment(supportedContainers=[OTHER_IMAGE]))
    assert await codes(provider, await provider.simple_workflow(first, second)) == ["ImageNotAllowed"]


async def test_an_image_that_the_operator_cannot_get_is_refused_before_anyone_pays(provider: World) -> None:
    data = await provider.publish_dataset()
    workflow = await provider.simple_workflow(data)
    provider.operator.runtime.missing_images.add(IMAGE["checksum"])
    quote = await provider.quote(workflow)
    assert [(reason.code, reason.did) for reason in quote.reasons] == [("ImageUnavailable", data)]
    provider.operator.runtime.missing_images.clear()
    assert (await provider.quote(workflow)).allowed


async def test_a_service_without_containers_runs_nothing(provider: World) -> None:
    data = await provider.publish_dataset(**environment(supportedContainers=[]))
    assert await codes(provider, await provider.simple_workflow(data)) == ["ImageNotAllowed"]


async def test_an_input_of_another_gateway_is_named(provider: World) -> None:
    data = await provider.publish_dataset()
    elsewhere = await provider.publish_dataset(endpoint="https://other.example/api/v1/gateway/services/exec")
    workflow = await provider.simple_workflow(data, elsewhere)
    quote = await provider.quote(workflow)
    assert [(reason.code, reason.did) for reason in quote.reasons] == [("InputElsewhere", elsewhere)]
    assert quote.price.base_units == 0


async def test_a_url_that_only_begins_like_this_gateway_is_another_gateway(provider: World) -> None:
    data = await provider.publish_dataset(endpoint=PUBLIC_URL + "/api/v1/gateway/services/exec/../../evil")
    assert await codes(provider, await provider.simple_workflow(data)) == ["InputElsewhere"]


async def test_a_data_set_that_does_not_name_this_provider_is_refused(provider: World) -> None:
    data = await provider.publish_dataset(publishing={"providers": []})
    assert await codes(provider, await provider.simple_workflow(data)) == ["NotDIDProvider"]


async def test_someone_elses_algorithm_that_is_not_free_is_refused(provider: World) -> None:
    data = await provider.publish_dataset()
    algorithm = await provider.publish_algorithm("second-consumer", price="5")
    workflow = await provider.simple_workflow(data, algorithm=algorithm)
    assert await codes(provider, workflow) == ["AlgorithmNotUsable"]
    assert await codes(provider, workflow, "second-consumer") == []
    free = await provider.simple_workflow(data, algorithm=await provider.publish_algorithm("second-consumer"))
    assert await codes(provider, free) == []


async def test_an_owner_allows_algorithms_by_did_and_version_and_publishers_by_address(provider: World) -> None:
    algorithm = await provider.publish_algorithm()
    checksum = onchain_checksum(provider.published[algorithm])
    for allowed, policy in (
        (True, {"algorithms": [{"did": algorithm, "checksum": checksum}]}),
        (False, {"algorithms": [{"did": algorithm, "checksum": "ab" * 32}]}),
        (True, {"publishers": [provider.address("consumer")]}),
        (False, {"publishers": [provider.address("stranger")]}),
    ):
        data = await provider.publish_dataset(policy=policy)
        found = await codes(provider, await provider.simple_workflow(data, algorithm=algorithm))
        assert found == ([] if allowed else ["AlgorithmNotAllowed"]), policy


async def test_a_server_larger_than_the_operator_is_refused(provider: World) -> None:
    data = await provider.publish_dataset(**environment(supportedServers=[LARGE]))
    assert await codes(provider, await provider.simple_workflow(data)) == ["CapacityExceeded"]


async def test_the_cheapest_sufficient_server_is_chosen_unless_one_is_named(provider: World) -> None:
    dear = SMALL | {"serverId": "dear", "price": "9"}
    data = await provider.publish_dataset(**environment(supportedServers=[dear, SMALL]))
    quote = await provider.quote(await provider.simple_workflow(data))
    assert (quote.server["serverId"], quote.price.base_units) == ("small", 13)
    named = {"serverInstances": 1, "container": IMAGE, "serverId": "dear"}
    quote = await provider.quote(await provider.simple_workflow(data, requirements=named))
    assert (quote.server["serverId"], quote.price.base_units) == ("dear", 19)
    needy = {"serverInstances": 1, "container": IMAGE, "cpu": "2"}
    assert await codes(provider, await provider.simple_workflow(data, requirements=needy)) == ["NoSuitableServer"]


async def test_a_file_outside_the_data_roots_opens_for_nobody(provider: World) -> None:
    for url in (
        "file:///etc/passwd",
        f"file://{provider.folder}/data/../gateway.db",
        f"file://{provider.folder}/database",
    ):
        file = {"index": 0, "url": url, "name": "a", "contentType": "text/csv"}
        data = await provider.publish_dataset(files=[file])
        assert await codes(provider, await provider.simple_workflow(data)) in (
            ["CreatorNotAllowed"],
            ["InvalidRequest"],
        )


async def test_a_creator_that_the_settings_do_not_name_has_no_files_here(provider: World) -> None:
    object.__setattr__(provider.configuration, "creators", ())
    data = await provider.publish_dataset()
    assert await codes(provider, await provider.simple_workflow(data)) == ["CreatorNotAllowed"]


async def test_a_url_into_the_providers_network_is_refused(provider: World) -> None:
    file = {"index": 0, "url": "http://169.254.169.254/latest", "name": "a", "contentType": "text/csv"}
    data = await provider.publish_dataset(files=[file])
    assert await codes(provider, await provider.simple_workflow(data)) == ["TargetNotAllowed"]


async def test_all_reasons_are_given_at_once(provider: World) -> None:
    data = await provider.publish_dataset(policy={"algorithms": []}, **environment(supportedContainers=[OTHER_IMAGE]))
    algorithm = await provider.publish_algorithm("second-consumer", price="5")
    found = await codes(provider, await provider.simple_workflow(data, algorithm=algorithm))
    assert sorted(found) == ["AlgorithmNotAllowed", "AlgorithmNotUsable", "ImageNotAllowed"]


async def test_anything_but_a_workflow_is_an_error_and_not_a_verdict(provider: World) -> None:
    data = await provider.publish_dataset()
    for did, code in ((data, "InvalidDocument"), ("did:nv:" + "ab" * 32, "AssetNotFound"), ("did:nv:12", "InvalidDid")):
        with pytest.raises(InsituError, match=code):
            await provider.quote(did)


async def test_an_agreement_has_as_many_executions_as_the_strictest_owner_allows(provider: World) -> None:
    first = await provider.publish_dataset(policy={"algorithms": "any", "maxExecutions": 5})
    second = await provider.publish_dataset("second-owner", policy={"algorithms": "any", "maxExecutions": 1})
    agreement = await provider.buy(await provider.simple_workflow(first, second))
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "end")
    with pytest.raises(InsituError, match="ExecutionLimitReached"):
        await provider.exec(agreement)


async def test_the_workflow_that_was_bought_runs_even_if_it_changes(provider: World) -> None:
    """E2: the version that the terms pin, no matter what its owner registers later."""
    data = await provider.publish_dataset()
    workflow = await provider.simple_workflow(data)
    agreement = await provider.buy(workflow)
    await update(provider, workflow)
    started = await provider.exec(agreement)
    plan = (await provider.execution(started.workflow_execution_id)).plan
    assert plan.workflow_checksum == onchain_checksum(provider.published[workflow])


async def update(provider: World, did: str) -> None:
    """Register another version of a document of the consumer."""
    ddo = provider.published[did]
    document = ddo.to_json()
    document["service"][0]["attributes"]["additionalInformation"] = {"changed": True}
    changed = type(ddo).read(document)
    address = PUBLIC_URL + "/api/v1/metadata/assets/ddo/{did}"
    call = update_attribute(bytes(ddo.did), bytes.fromhex(onchain_checksum(changed)), address)
    await provider.chain.transact(call, provider.people["consumer"])


async def test_a_workflow_version_that_is_no_longer_available_is_named(provider: World) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset())
    agreement = await provider.buy(workflow)
    await provider.agreements.remove_copies(datetime(2100, 1, 1, tzinfo=UTC))
    provider.desk.ports.resolver._proved.clear()
    real = provider.metadata.read

    async def forgetful(url: str, checksum: str | None = None) -> Any:
        if workflow in url:
            raise InsituError("AssetNotFound", "gone", did=workflow)
        return await real(url, checksum)

    provider.desk.ports.resolver._metadata = type("Catalogue", (), {"read": staticmethod(forgetful)})()
    with pytest.raises(InsituError, match="WorkflowChanged"):
        await provider.exec(agreement)


async def test_a_workflow_other_than_the_agreements_is_refused(provider: World) -> None:
    from insitu.api.gateway_v1 import ExecRequest

    data = await provider.publish_dataset()
    bought, other = await provider.simple_workflow(data), await provider.simple_workflow(data)
    agreement = await provider.buy(bought)
    request = ExecRequest(service_agreement_id=agreement, workflow_did=other)
    with pytest.raises(InsituError, match="WorkflowMismatch"):
        await provider.gateway.executor.execute(provider.caller("consumer"), request)


async def test_only_the_consumer_executes(provider: World) -> None:
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    for who in ("stranger", "owner", "provider", "second-consumer"):
        with pytest.raises(InsituError, match="NotConsumer"):
            await provider.exec(agreement, who)


async def test_an_agreement_that_is_not_granted_yet_does_not_start(provider: World) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset())
    agreement = await provider.buy(workflow)
    known = await provider.agreements.agreement(agreement)
    assert known is not None
    terms = provider.terms(await provider.quote(workflow), amounts=(3, 1), receivers=known.terms.receivers)
    waiting = await provider.lock(terms)
    await provider.until_standing(waiting, Standing.DECLINED)
    with pytest.raises(InsituError, match="AgreementNotGranted"):
        await provider.exec(waiting)


async def test_an_owner_who_withdraws_the_provider_is_obeyed(provider: World) -> None:
    data = await provider.publish_dataset()
    agreement = await provider.buy(await provider.simple_workflow(data))
    did = provider.published[data].did
    removed = Call("DIDRegistry", "removeDIDProvider", (bytes(did), provider.address("provider")))
    await provider.chain.transact(removed, provider.people["owner"])
    with pytest.raises(InsituError, match=r"NotDIDProvider|AgreementClosing"):  # its price goes back
        await provider.exec(agreement)


async def test_a_data_set_that_was_sold_pays_its_new_owner(provider: World) -> None:
    data = await provider.publish_dataset()
    workflow = await provider.simple_workflow(data)
    did = provider.published[data].did
    await provider.chain.transact(
        transfer_ownership(bytes(did), provider.address("second-owner")), provider.people["owner"]
    )
    quote = await provider.quote(workflow)
    assert {receiver.address: receiver.amount.base_units for receiver in quote.receivers} == {
        provider.address("second-owner"): 10,
        provider.address("provider"): 3,
    }


async def test_two_stages_and_two_inputs_become_a_plan_without_secrets(provider: World) -> None:
    first, second = await provider.publish_dataset(), await provider.publish_dataset("second-owner")
    one, two = await provider.publish_algorithm(), await provider.publish_algorithm()
    filtering = stage_of(0, [{"index": 5, "id": second}, {"index": 1, "id": first}], one, configuration={"least": 3})
    transformation = stage_of(1, [{"index": 0, "previousStage": 0}], two, stageType="Transformation")
    agreement = await provider.buy(await provider.publish_workflow([transformation, filtering]))
    started = await provider.exec(agreement)
    plan = (await provider.execution(started.workflow_execution_id)).plan
    assert [(stage.index, stage.stage_type) for stage in plan.stages] == [(0, "Filtering"), (1, "Transformation")]
    assert [(source.position, source.did) for source in plan.stages[0].inputs] == [(1, first), (2, second)]
    assert plan.stages[0].argv == (
        "python3",
        "count.py",
        "--input1=/mnt/volume1",
        "--input2=/mnt/volume2",
        "--output=/mnt/output",
        "--logs=/mnt/logs",
        "--least=3",
    )
    assert plan.stages[0].environment["NEVERMINED_INPUTS_PATH"] == "/mnt/inputs"
    assert plan.stages[1].inputs[0].previous_stage == 0
    assert plan.published_stages == (1,)
    assert plan.limits.max_execution_seconds == 600
    assert plan.finish_by > plan.start_before
    for secret in ("upload:", "encryptedFiles", "insitu2."):
        assert secret not in plan.model_dump_json()
    await provider.until_events(started.workflow_execution_id, "end")


async def test_the_stored_standing_is_only_a_copy_and_the_chain_decides(provider: World) -> None:
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    known = await provider.agreements.agreement(agreement)
    assert known is not None
    await provider.agreements.apply([Judge(agreement, Standing.DECLINED, datetime.now(UTC))])
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "end")


async def test_a_consumer_who_is_not_listed_is_refused_before_and_after_paying(provider: World) -> None:
    listed = {"algorithms": "any", "consumers": [provider.address("second-consumer")]}
    workflow = await provider.simple_workflow(await provider.publish_dataset(policy=listed))
    assert await codes(provider, workflow) == ["ConsumerNotAllowed"]
    quote = await provider.quote(workflow, "second-consumer")
    assert quote.allowed
    refused = await provider.lock(provider.terms(quote))
    await provider.until_standing(refused, Standing.REFUSED)
    known = await provider.agreements.agreement(refused)
    assert known is not None
    assert known.reason is not None
    assert known.reason.code == "ConsumerNotAllowed"


async def test_a_rule_that_this_gateway_does_not_know_is_never_ignored(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A later catalogue knows the rule.
    monkeypatch.setattr("insitu.domain.validation.check_new_compute_service", lambda *_: None)
    first = await provider.publish_dataset()
    second = await provider.publish_dataset("second-owner", policy={"algorithms": "any", "maxRows": 5})
    quote = await provider.quote(await provider.simple_workflow(first, second))
    assert [(reason.code, reason.did) for reason in quote.reasons] == [("PolicyNotUnderstood", second)]
    assert "/maxRows" in quote.reasons[0].message
    refused = await provider.lock(provider.terms(quote))
    await provider.until_standing(refused, Standing.REFUSED)
    known = await provider.agreements.agreement(refused)
    assert known is not None
    assert known.reason is not None
    assert known.reason.code == "PolicyNotUnderstood"


def another_version(
    provider: World,
    monkeypatch: pytest.MonkeyPatch,
    did: str,
    sold: str | None,
    policy: dict[str, Any],
    **file: str,
) -> None:
    """Let the resolver find another policy, and another description of the file, in one version of a data set."""
    resolver = provider.desk.ports.resolver
    real, edited = resolver.resolve, sold or "78" * 32

    async def resolve(wanted: str, version: str | None = None) -> Any:
        found = await real(wanted, None if version == edited else version)
        if wanted != did:
            return found
        if sold is None:
            found = replace(found, record=replace(found.record, checksum=edited))
        if version != sold:
            return found
        document = found.ddo.to_json()
        document["service"][1]["attributes"]["main"]["policy"] = policy
        document["service"][0]["attributes"]["main"]["files"][0] |= file
        return replace(found, ddo=Ddo.read(document), checksum=edited)

    monkeypatch.setattr(type(resolver), "resolve", lambda _, *asked: resolve(*asked))


SOLD = "77" * 32


@pytest.mark.parametrize(
    ("rule", "file", "expected"),
    [
        ("pinned", {"checksum": "ab" * 32}, ["InputChanged"]),
        ("pinned", {}, []),
        ("newest", {"checksum": "ab" * 32}, []),
    ],
)
async def test_pinned_files_are_those_of_the_version_that_was_bought(
    provider: World, monkeypatch: pytest.MonkeyPatch, rule: str, file: dict[str, str], expected: list[str]
) -> None:
    data = await provider.publish_dataset()
    workflow = await provider.simple_workflow(data)
    another_version(provider, monkeypatch, data, SOLD, {"data": rule}, **file)
    found = await provider.gateway.executor.assessor.assess(provider.address("consumer"), workflow, bought={data: SOLD})
    assert [reason.code for reason in found.verdict.reasons] == expected


async def test_executions_that_were_sold_are_not_taken_back_and_a_looser_rule_widens_nothing(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = {"algorithms": "any", "maxExecutions": 1, "revisions": "always", "consumers": "any"}
    data = await provider.publish_dataset(policy=current)
    workflow = await provider.simple_workflow(data)
    another_version(provider, monkeypatch, data, SOLD, {"maxExecutions": 9, "revisions": "none", "consumers": []})
    found = await provider.gateway.executor.assessor.assess(provider.address("consumer"), workflow, bought={data: SOLD})
    assert (found.policy.max_executions, found.policy.revisions) == (9, "none")
    assert [reason.code for reason in found.verdict.reasons] == ["ConsumerNotAllowed"]


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"consumers": []}, "ConsumerNotAllowed"),
        ({"maxRows": 5}, "PolicyNotUnderstood"),
        ({"version": 2}, "PolicyNotUnderstood"),
        ({"consumers": "approved"}, "PolicyNotUnderstood"),
    ],
)
async def test_a_rule_that_was_added_after_the_purchase_is_obeyed_at_exec(
    provider: World, monkeypatch: pytest.MonkeyPatch, policy: dict[str, Any], code: str
) -> None:
    data = await provider.publish_dataset()
    agreement = await provider.buy(await provider.simple_workflow(data))
    another_version(provider, monkeypatch, data, None, policy)
    with pytest.raises(InsituError, match=code):
        await provider.exec(agreement)
