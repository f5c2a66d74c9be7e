"""Trust and prices follow the version that the chain registered, whoever owns a DID by now (ADR 0120)."""

from collections.abc import Callable
from typing import Any

import pytest

from insitu.domain.canonical import JsonObject
from insitu.domain.errors import InsituError
from tests.gateway.versions import document, propose, register, revise_main, sell
from tests.gateway.world import World, client, stage_of, taken

pytestmark = pytest.mark.needs("chain")

PUBLISHER = "second-owner"


async def trusting(provider: World) -> str:
    """Publish a data set whose owner trusts one publisher."""
    return await provider.publish_dataset(policy={"publishers": [provider.address(PUBLISHER)]})


async def version_of(provider: World, did: str) -> str:
    return (await provider.desk.ports.resolver.resolve(did)).checksum


async def pinning(provider: World, data: str, algorithm: str, checksum: str) -> str:
    """Publish a workflow that runs this version of an algorithm."""
    return await provider.simple_workflow(
        data, algorithm=algorithm, transformation={"id": algorithm, "checksum": checksum}
    )


async def codes(provider: World, workflow: str) -> list[str]:
    return [reason.code for reason in (await provider.quote(workflow)).reasons]


async def run(provider: World, agreement: Any) -> dict[str, str]:
    """Execute to the end; return which versions ran."""
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "end")
    return (await provider.execution(started.workflow_execution_id)).dossier.versions


async def test_who_buys_a_trusted_algorithm_is_not_trusted(provider: World) -> None:
    data, algorithm = await trusting(provider), await provider.publish_algorithm(PUBLISHER)
    before = await version_of(provider, algorithm)
    assert await codes(provider, await provider.simple_workflow(data, algorithm=algorithm)) == []

    await sell(provider, PUBLISHER, algorithm, "stranger")
    # What the publisher registered is still what it was.
    assert await codes(provider, await pinning(provider, data, algorithm, before)) == []
    other = await revise_main(provider, "stranger", algorithm, name="Count otherwise")

    assert await codes(provider, await provider.simple_workflow(data, algorithm=algorithm)) == ["AlgorithmNotAllowed"]
    assert await codes(provider, await pinning(provider, data, algorithm, other)) == ["AlgorithmNotAllowed"]
    assert await codes(provider, await pinning(provider, data, algorithm, before)) == ["AlgorithmOutdated"]
    # Nor does it help to register the publisher's document again.
    await register(provider, "stranger", algorithm, before)
    assert await codes(provider, await pinning(provider, data, algorithm, before)) == ["AlgorithmNotAllowed"]


async def test_a_trusted_publisher_is_trusted_for_the_current_version_alone(provider: World) -> None:
    data, algorithm = await trusting(provider), await provider.publish_algorithm(PUBLISHER)
    leaky = await version_of(provider, algorithm)
    used, unused = [await provider.buy(await pinning(provider, data, algorithm, leaky)) for _ in range(2)]
    assert (await run(provider, used))[algorithm] == leaky

    repaired = await revise_main(provider, PUBLISHER, algorithm, name="Count, repaired")

    assert await codes(provider, await pinning(provider, data, algorithm, leaky)) == ["AlgorithmOutdated"]
    assert await codes(provider, await pinning(provider, data, algorithm, repaired)) == []
    with pytest.raises(InsituError, match="AlgorithmOutdated"):
        await provider.exec(unused)
    assert (await run(provider, used))[algorithm] == leaky


async def test_an_owner_who_lists_a_version_means_that_version(provider: World) -> None:
    algorithm = await provider.publish_algorithm(PUBLISHER)
    listed = await version_of(provider, algorithm)
    data = await provider.publish_dataset(policy={"algorithms": [{"did": algorithm, "checksum": listed}]})
    newer = await revise_main(provider, PUBLISHER, algorithm, name="Count otherwise")
    assert await codes(provider, await pinning(provider, data, algorithm, newer)) == ["AlgorithmNotAllowed"]
    agreement = await provider.buy(await pinning(provider, data, algorithm, listed))
    assert (await run(provider, agreement))[algorithm] == listed


async def test_the_owner_of_an_algorithm_changes_nothing_under_agreements_of_others(provider: World) -> None:
    data, algorithm = await provider.publish_dataset(), await provider.publish_algorithm(PUBLISHER)
    bought = await version_of(provider, algorithm)
    agreement = await provider.buy(await pinning(provider, data, algorithm, bought))

    await revise_main(provider, PUBLISHER, algorithm, price="1000")
    await sell(provider, PUBLISHER, algorithm, "stranger")
    await revise_main(provider, "stranger", algorithm, name="Something else")

    assert (await run(provider, agreement))[algorithm] == bought


async def test_a_version_that_is_not_registered_does_not_count(provider: World) -> None:
    data, algorithm = await provider.publish_dataset(), await provider.publish_algorithm(PUBLISHER)

    def rename(services: list[JsonObject]) -> None:
        services[0]["attributes"]["main"]["name"] = "Proposed"

    proposed = await propose(provider, PUBLISHER, algorithm, rename)
    assert (await provider.metadata.document(algorithm, proposed)).document["id"] == algorithm
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await provider.desk.ports.resolver.resolve(algorithm, proposed)
    workflow = await pinning(provider, data, algorithm, proposed)
    assert (await codes(provider, workflow))[0] == "ChecksumMismatch"
    # Neither does a block that somebody states: the chain has no such event there.
    block = (await provider.desk.ports.resolver.record(algorithm)).block
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await provider.desk.ports.resolver.resolve(algorithm, proposed, block)

    await register(provider, PUBLISHER, algorithm, proposed)
    assert await codes(provider, workflow) == []
    found = await provider.desk.ports.resolver.resolve(algorithm, proposed)
    assert (found.version, found.registrant) == (2, provider.address(PUBLISHER))


async def test_an_earlier_version_is_found_at_its_block_and_without_it(provider: World) -> None:
    algorithm = await provider.publish_algorithm(PUBLISHER)
    first = await provider.desk.ports.resolver.resolve(algorithm)
    await sell(provider, PUBLISHER, algorithm, "stranger")
    for name in ("one", "two"):
        await revise_main(provider, "stranger", algorithm, name=name)
    for block in (first.block, None, 1):
        found = await provider.desk.ports.resolver.resolve(algorithm, first.checksum, block)
        assert (found.version, found.block, found.ddo) == (1, first.block, first.ddo)
        assert found.registrant == found.creator == provider.address(PUBLISHER)
        assert not found.is_current
    present = await provider.desk.ports.resolver.resolve(algorithm)
    assert (present.version, present.registrant, present.creator) == (3, provider.address("stranger"), first.creator)


async def test_a_result_answers_for_its_gateway_until_its_owner_changes_it(provider: World) -> None:
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "end")
    did = (await client(provider, "consumer").result(agreement, started.workflow_execution_id)).did
    made = await provider.desk.ports.resolver.resolve(did)
    assert (made.creator, made.registrant) == (provider.address("provider"), provider.address("provider"))
    await revise_main(provider, "consumer", did, name="Flights, counted", license="CC0")
    described = await provider.desk.ports.resolver.resolve(did)
    assert (described.creator, described.registrant) == (provider.address("provider"), provider.address("consumer"))
    assert await taken(provider, "consumer", did)


async def test_an_owner_changes_price_and_rules(provider: World) -> None:
    data = await provider.publish_dataset(price="10")
    workflow = await provider.simple_workflow(data)
    assert (await provider.quote(workflow)).price.base_units == 13
    await revise_main(provider, "owner", data, 1, price="20")
    assert (await provider.quote(workflow)).price.base_units == 23
    await revise_main(provider, "owner", data, 1, policy={"algorithms": []})
    assert await codes(provider, workflow) == ["AlgorithmNotAllowed"]
    await sell(provider, "owner", data, "stranger")
    await revise_main(provider, "stranger", data, 1, policy={"algorithms": "any"}, price="5")
    quote = await provider.quote(workflow)
    assert (quote.allowed, quote.price.base_units) == (True, 8)
    assert provider.address("stranger") in [receiver.address for receiver in quote.receivers]


def add_index(services: list[JsonObject]) -> None:
    services.append({**services[1], "index": 9})


def change_type(services: list[JsonObject]) -> None:
    services[0]["attributes"]["main"]["type"] = "algorithm"


def change_service(services: list[JsonObject]) -> None:
    services[1]["type"] = "access"


def move_to_another_template(services: list[JsonObject]) -> None:
    services[1]["templateId"] = services[1]["attributes"]["main"]["creator"]


@pytest.mark.parametrize("edit", [add_index, change_type, change_service, move_to_another_template])
async def test_a_gateway_refuses_more_than_a_version_may_change_whatever_a_catalogue_accepts(
    provider: World, monkeypatch: pytest.MonkeyPatch, edit: Callable[[list[JsonObject]], None]
) -> None:
    data = await provider.publish_dataset()
    workflow = await provider.simple_workflow(data)
    agreement = await provider.buy(workflow)
    with pytest.raises(InsituError, match=r"VersionNotAllowed|InvalidDocument"):
        await propose(provider, "owner", data, edit)
    with monkeypatch.context() as lying:
        for rule in ("require_allowed_change", "validate_ddo", "creator_of"):
            lying.setattr(f"insitu.metadata.service.{rule}", lambda *_, **__: provider.address("owner"))
        await register(provider, "owner", data, await propose(provider, "owner", data, edit))

    assert await codes(provider, workflow) == ["VersionNotAllowed"]
    with pytest.raises(InsituError, match="VersionNotAllowed"):
        await provider.exec(agreement)


async def test_an_origin_of_another_creator_makes_no_version(provider: World, monkeypatch: pytest.MonkeyPatch) -> None:
    data, other = await provider.publish_dataset(), await provider.publish_dataset("stranger")
    theirs = await document(provider, other)
    assert theirs.proof is not None
    origin = {"checksum": theirs.proof.checksum}
    monkeypatch.setattr("insitu.domain.assembly.origin_of", lambda _: origin["checksum"])

    def rename(services: list[JsonObject]) -> None:
        services[0]["attributes"]["main"]["name"] = "Theirs"

    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await propose(provider, "owner", data, rename)
    monkeypatch.setattr("insitu.metadata.service.creator_of", lambda ddo: provider.address("owner"))
    await register(provider, "owner", data, await propose(provider, "owner", data, rename))
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await provider.desk.ports.resolver.resolve(data)


async def test_all_stages_of_a_workflow_run_one_version_of_an_algorithm(provider: World) -> None:
    data, algorithm = await provider.publish_dataset(), await provider.publish_algorithm()
    first = await version_of(provider, algorithm)
    second = await revise_main(provider, "consumer", algorithm, name="Count otherwise")
    stages = [
        stage_of(at, [{"index": 0, "id": data}], algorithm, transformation={"id": algorithm, "checksum": checksum})
        for at, checksum in enumerate((first, second))
    ]
    with pytest.raises(InsituError) as caught:
        await provider.publish_workflow(stages)
    assert [problem.code for problem in caught.value.problems] == ["Contradiction"]
    stages[1]["transformation"]["checksum"] = "latest"
    with pytest.raises(InsituError, match="InvalidDocument"):
        await provider.publish_workflow(stages)
