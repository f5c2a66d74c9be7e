"""The main job on a cluster: real pods for every step, from registration to nothing left."""

import hashlib
import json
import logging

import pytest

from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.plan import ExecutionPlan, StageInput
from tests.cluster.objects import objects_left
from tests.cluster.provider import Provider, log_of
from tests.cluster.testbed.cluster import RUNTIME_CLASS
from tests.cluster.testbed.node import LO_ONLY
from tests.cluster.testbed.provisioner import WAITING
from tests.doubles.registrations import registration_of

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow]

COUNT = """
import os, pathlib, sys, time
given = dict(argument.removeprefix("--").split("=", 1) for argument in sys.argv[1:])
lines = []
for name, volume in sorted(given.items()):
    if name.startswith("input"):
        for file in sorted(path for path in pathlib.Path(volume).rglob("*") if path.is_file()):
            words = len(file.read_text().split())
            lines.append(f"{name} {file.relative_to(volume)} {words}")
            print("counted", name, flush=True)
nested = pathlib.Path(given["output"]) / "deep" / "er"
nested.mkdir(parents=True)
(nested / "counts.txt").write_text("\\n".join(lines) + "\\n")
(pathlib.Path(given["logs"]) / "steps.log").write_text("counted\\n")
"""


async def test_a_storage_class_may_wait_for_the_pod(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    provider.access.need_testbed()
    provider.storage_class = WAITING
    stage = provider.stage(0, COUNT, provider.fetched(1, "a.txt", "one two"))
    told = []
    with caplog.at_level(logging.INFO, "insitu.adapters.runtime.kubernetes.binding"):
        async with provider.operator() as operator:
            for number in range(2):
                plan = provider.plan(stage, number=number)
                execution = await operator.service.register(registration_of(plan))
                final = await operator.until(execution.execution_id)
                assert final.phase is Phase.SUCCEEDED, final.reason
                assert provider.result(final)["deep/er/counts.txt"] == "input1 a.txt 2\n"
                told.append(caplog.text.count("binds no claim before its pod is made"))
    assert told == [1, 1], "the probe learns it, and it is not tried again"


async def test_two_stages_two_inputs_a_nested_output_and_logs(provider: Provider) -> None:
    first = provider.stage(
        0, COUNT, provider.in_place(1, {"a.txt": "one two three"}), provider.fetched(2, "b.txt", "four five")
    )
    second = provider.stage(1, COUNT, StageInput(index=0, position=1, previous_stage=0))
    async with provider.operator() as operator:
        execution = await operator.service.register(registration_of(provider.plan(first, second)))
        final = await operator.until(execution.execution_id)
        log = await log_of(operator, final)
    assert final.phase is Phase.SUCCEEDED, final.reason
    assert log == "counted input1\ncounted input2\n"
    assert provider.result(final) == {
        "deep/er/counts.txt": "input1 deep/er/counts.txt 6\n",
        "logs/stage-0/console.log": "counted input1\ncounted input2\n",
        "logs/stage-0/steps.log": "counted\n",
        "logs/stage-1/console.log": "counted input1\n",
        "logs/stage-1/steps.log": "counted\n",
    }
    report = provider.gateway.report(final.execution_id)
    assert report.runtime.startswith("kubernetes v")
    assert report.enforcement["network"] == "no device"
    for record in report.records:
        assert record.exit_code == 0
        assert record.configured["algorithm"] == {"0": hashlib.sha256(COUNT.encode()).hexdigest()}


async def test_every_object_of_an_execution_carries_both_ids(provider: Provider) -> None:
    reached = provider.gateway.hold("put_output")
    async with provider.operator() as operator:
        plan = provider.plan(provider.stage(0, COUNT, provider.fetched(1, "a.txt", "one")))
        execution = await operator.service.register(registration_of(plan))
        await reached.wait()
        listed = provider.access.kubectl(
            "get",
            "all,pods,persistentvolumeclaims,secrets,configmaps",
            f"--namespace={provider.namespace}",
            "-o",
            "json",
        )
        provider.gateway.release()
        final = await operator.until(execution.execution_id)
    assert final.phase is Phase.SUCCEEDED, final.reason
    of_the_cluster = {"kube-root-ca.crt", "insitu-isolation"}  # the latter is what the last proof of the walls said
    found = [each for each in json.loads(listed.stdout)["items"] if each["metadata"]["name"] not in of_the_cluster]
    ours = [each for each in found if not each["metadata"]["name"].startswith("data-")]
    assert {each["kind"] for each in ours} == {"Pod", "PersistentVolumeClaim", "Secret", "ConfigMap"}
    for each in ours:
        meta = each["metadata"]
        assert meta["labels"]["workflowExecutionId"] == execution.execution_id, meta["name"]
        assert meta["labels"]["serviceAgreementId"] == execution.agreement_id[:63], meta["name"]
        assert meta["annotations"]["serviceAgreementId"] == execution.agreement_id, meta["name"]


def plans_with_wrong_digests(provider: Provider) -> list[ExecutionPlan]:
    stage = provider.stage(0, COUNT, provider.fetched(1, "a.txt", "one"))
    digests = ("sha256:" + "00" * 32, provider.images.pods.digest)  # nobody's, and another repository's
    images = [stage.image.model_copy(update={"digest": digest}) for digest in digests]
    stages = [stage.model_copy(update={"image": image}) for image in images]
    return [provider.plan(each, number=number) for number, each in enumerate(stages)]


async def test_a_wrong_digest_is_refused_before_anything_is_made(provider: Provider) -> None:
    plans = plans_with_wrong_digests(provider)
    async with provider.operator() as operator:
        for plan in plans:
            with pytest.raises(InsituError, match=r"ImageUnavailable: the registry .* has no .*: push it"):
                await operator.service.register(registration_of(plan))
        assert await operator.service.list() == ()
    left = await objects_left(provider.access, provider.namespace)
    assert [name for name in left for plan in plans if plan.workflow_execution_id in name] == []


async def test_a_wrong_digest_is_refused_at_the_pull(provider: Provider) -> None:
    provider.registries = ()  # of a registry that is not asked only the pull tells
    for plan in plans_with_wrong_digests(provider):
        final = await provider.run(plan)
        assert final.phase is Phase.FAILED
        assert final.reason is not None
        assert final.reason.code == "ImageUnavailable"


async def test_a_data_set_that_is_not_on_its_volume_says_so(provider: Provider) -> None:
    data = provider.in_place(1, {"a.txt": "one"})
    (file,) = data.files
    missing = file.model_copy(update={"source": file.source.model_copy(update={"path": "1/other.txt"})})
    stage = provider.stage(0, COUNT, data.model_copy(update={"files": (missing,)}))
    final = await provider.run(provider.plan(stage))
    assert final.reason is not None
    assert (final.phase, final.reason.code) == (Phase.FAILED, "InputUnreadable")


async def test_where_a_pod_can_get_out_no_algorithm_runs(provider: Provider) -> None:
    provider.runtime_class = None  # the cluster's default network, on which nothing enforces policies here
    stage = provider.stage(0, COUNT, provider.fetched(1, "a.txt", "one"))
    async with provider.operator() as operator:
        try:
            execution = await operator.service.register(registration_of(provider.plan(stage)))
        except InsituError as refused:
            told = str(refused)
        else:  # the proof of an earlier operator is believed until this one's is there; nothing runs all the same
            told = str((await operator.until(execution.execution_id)).reason)
        assert "IsolationNotEnforced" in told
        assert "a Compute Pod reaches" in told
    # An operator with the right class would show this refusal until its own proof is there.
    provider.access.need_testbed().kubectl(
        f"--namespace={provider.namespace}", "delete", "configmap", "insitu-isolation"
    )


async def test_walls_that_fell_since_the_last_proof_stop_the_next_algorithm(provider: Provider) -> None:
    testbed = provider.access.need_testbed()
    provider.proof_seconds = 0
    stage = provider.stage(0, COUNT, provider.fetched(1, "a.txt", "one"))
    async with provider.operator() as operator:

        async def ran(number: int) -> str:
            execution = await operator.service.register(registration_of(provider.plan(stage, number=number)))
            final = await operator.until(execution.execution_id)
            return final.reason.code if final.reason is not None else str(final.phase)

        assert await ran(0) == "Succeeded"
        testbed.kubectl("delete", "runtimeclass", LO_ONLY)
        testbed.apply(RUNTIME_CLASS.replace(f"handler: {LO_ONLY}", "handler: runc"))
        try:
            assert await ran(1) == "IsolationNotEnforced"
        finally:
            testbed.kubectl("delete", "runtimeclass", LO_ONLY)
            testbed.apply(RUNTIME_CLASS)
        assert await ran(2) == "Succeeded"


async def test_an_output_with_a_link_leaves_nothing(provider: Provider) -> None:
    link = "import os\nopen('/mnt/output/a.txt', 'w').write('a')\nos.symlink('/mnt/volume1/a.txt', '/mnt/output/b')\n"
    final = await provider.run(provider.plan(provider.stage(0, link, provider.fetched(1, "a.txt", "x"))))
    assert final.reason is not None
    assert (final.phase, final.reason.code) == (Phase.FAILED, "OutputRejected")
    assert "put_output" not in provider.gateway.calls


async def test_an_input_that_the_sandbox_cannot_open_says_what_helps(provider: Provider) -> None:
    data = provider.in_place(1, {"secret.txt": "x"})
    (provider.root / "data" / "1" / "secret.txt").chmod(0o600)
    final = await provider.run(provider.plan(provider.stage(0, COUNT, data)))
    assert final.reason is not None
    assert final.reason.code == "InputUnreadable"
    assert "chmod" in final.reason.message
    assert not [each for each in final.history if each.phase is Phase.EXECUTING]


async def test_an_input_that_was_changed_since_it_was_published_is_not_computed_on(provider: Provider) -> None:
    data = provider.in_place(1, {"a.txt": "changed"})
    (file,) = data.files
    data = data.model_copy(update={"files": (file.model_copy(update={"sha256": "00" * 32}),)})
    final = await provider.run(provider.plan(provider.stage(0, COUNT, data)))
    assert final.reason is not None
    assert (final.phase, final.reason.code) == (Phase.FAILED, "InputChanged")
