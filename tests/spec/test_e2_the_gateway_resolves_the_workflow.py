"""E2. The GATEWAY resolves the DID of the Workflow of the Service Agreement, in the version that was bought."""

from insitu import Previous, Stage
from tests.spec.conftest import Market

FIRST = "open('/mnt/output/a.txt', 'w').write('first')\n"
SECOND = "open('/mnt/output/b.txt', 'w').write(open('/mnt/volume1/a.txt').read() + ' second')\n"


async def test_stages_run_in_the_order_of_their_index_and_the_output_reaches_the_next(market: Market) -> None:
    first, second = await market.algorithm(FIRST), await market.algorithm(SECOND)
    stages = [
        Stage(algorithm=first.did, inputs=[(await market.dataset()).did], stage_type="Filtering"),
        Stage(algorithm=second.did, inputs=[Previous(0)], stage_type="Transformation"),
    ]
    workflow = await market.consumer.assets.publish_workflow("two stages", stages)
    agreement = await market.consumer.agreements.buy(workflow.did)
    execution = await market.consumer.compute.execute(agreement.id)
    view = await execution.wait(90)
    assert view.phase == "Succeeded", view.reason
    assert [stage.stage_type for stage in view.stages] == ["Filtering", "Transformation"]
    files = {file.name for file in (await execution.result()).files if not file.name.startswith("logs/")}
    assert files == {"b.txt"}, "only outputs that no stage reads are published"


async def test_an_update_of_the_workflow_changes_nothing_that_was_bought(market: Market) -> None:
    workflow = await market.workflow("print('bought version')\n")
    agreement = await market.consumer.agreements.buy(workflow.did)
    services = [one.to_json() for one in workflow.ddo.service]
    services[0]["attributes"]["additionalInformation"] = {"description": "changed after the purchase"}
    await market.consumer.assets.update_asset(workflow.did, {}, services)
    execution = await market.consumer.compute.execute(agreement.id)
    assert (await execution.wait(60)).phase == "Succeeded"
    assert agreement.terms.workflow_hash == "0x" + workflow.checksum
