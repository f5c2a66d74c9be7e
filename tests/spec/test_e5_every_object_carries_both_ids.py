"""E5. All the objects created in the infrastructure carry serviceAgreementId and workflowExecutionId."""

import json

import pytest

from insitu.adapters.runtime.oci.linux import mounts_below
from insitu.adapters.runtime.oci.probe import cgroups_of
from insitu.domain.ids import AgreementId, ExecutionId, annotations, labels
from tests.spec.conftest import Market

SLEEP = "import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"
AGREEMENT = AgreementId("0123456789abcdef" * 4)
EXECUTION = ExecutionId("wx" + "a" * 26)


def test_the_labels_fit_kubernetes_and_the_annotations_are_whole() -> None:
    assert labels(AGREEMENT, EXECUTION) == {
        "serviceAgreementId": AGREEMENT[:63],
        "workflowExecutionId": EXECUTION,
    }
    assert annotations(AGREEMENT, EXECUTION) == {"serviceAgreementId": AGREEMENT, "workflowExecutionId": EXECUTION}
    assert all(len(value) <= 63 for value in labels(AGREEMENT, EXECUTION).values())


@pytest.mark.needs("cgroups")
async def test_container_control_group_volumes_and_mounts_name_their_execution(market: Market) -> None:
    agreement = await market.buy(SLEEP)
    execution = await market.consumer.compute.execute(agreement.id)
    async for piece in execution.logs():
        if "asleep" in piece.text:
            break
    runs = market.provider.settings.folder.runs
    try:
        (config,) = [json.loads(path.read_text()) for path in runs.rglob("config.json")]
        assert config["annotations"] == annotations(agreement.id, execution.execution_id)
        assert [entry.name for entry in runs.iterdir() if not entry.name.startswith(".")] == [execution.execution_id]
        mounts = mounts_below(runs)
        assert mounts
        assert all(execution.execution_id in str(mount) for mount in mounts)
        groups = cgroups_of(runs)
        assert groups is not None
        assert groups.names()
        assert all(execution.execution_id in name for name in groups.names())
    finally:
        await execution.stop()
        await execution.wait(60)
