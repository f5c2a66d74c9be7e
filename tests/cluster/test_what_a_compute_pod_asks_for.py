"""A Compute Pod as it is sent to a cluster; no cluster is needed to look at it."""

from lightkube.models.core_v1 import PodSpec
from lightkube.models.meta_v1 import OwnerReference

from insitu.adapters.runtime.kubernetes.compute_pod import compute_pod
from insitu.adapters.runtime.kubernetes.configuration import Placement, PodImage
from insitu.domain.execution import StepKey, StepKind
from insitu.domain.granted_resources import resource_variables
from insitu.ports.runtime import Step
from tests.doubles.clock import START
from tests.doubles.plans import LIMITS, plan_of, stage_of


def spec() -> PodSpec:
    step = Step(StepKey(StepKind.COMPUTE, 0, 1), plan_of(stage_of(0)), {}, "ticket", START)
    pods = PodImage("registry/insitu@sha256:" + "0" * 64)
    placement = Placement(pods=pods, gateway_url="http://gateway", registry="registry", storage_class=None)
    made = compute_pod(step, placement, OwnerReference("v1", "Execution", "wx", "uid")).spec
    assert made is not None
    return made


def test_orphans_of_an_algorithm_are_reaped_by_the_clusters_own_process() -> None:
    assert spec().shareProcessNamespace is True
    assert len(spec().containers) == 1, "nobody else is seen there"


def test_an_algorithm_is_another_user_than_the_process_that_reaps() -> None:
    pod, container = spec().securityContext, spec().containers[0].securityContext
    assert pod is not None
    assert container is not None
    assert pod.runAsNonRoot
    assert 0 not in {pod.runAsUser, container.runAsUser}
    assert pod.runAsUser != container.runAsUser


def test_temporary_files_have_a_place_whatever_the_image_has() -> None:
    made = spec()
    (tmp,) = [volume for volume in made.volumes or [] if volume.name == "tmp"]
    assert tmp.emptyDir is not None
    assert tmp.emptyDir.medium == "Memory"
    assert ("tmp", "/tmp", None) in [(m.name, m.mountPath, m.readOnly) for m in made.containers[0].volumeMounts or []]


def test_an_algorithm_is_told_what_its_pod_may_use() -> None:
    container = spec().containers[0]
    told = {variable.name: variable.value for variable in container.env or []}
    assert resource_variables(LIMITS).items() <= told.items()
