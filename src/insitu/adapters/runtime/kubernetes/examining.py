"""Examining a cluster before it is trusted, for the doctor: one finding per part, each with its remedy."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

from lightkube.models.authorization_v1 import ResourceAttributes, SelfSubjectAccessReviewSpec
from lightkube.resources.authorization_v1 import SelfSubjectAccessReview
from lightkube.resources.coordination_v1 import Lease
from lightkube.resources.core_v1 import Namespace
from lightkube.resources.node_v1 import RuntimeClass
from lightkube.resources.storage_v1 import StorageClass

from insitu.adapters.kubernetes import GROUP, Cluster, ConflictError, RefusedError
from insitu.adapters.runtime.kubernetes.configuration import Placement
from insitu.adapters.runtime.kubernetes.proof import OLDEST_PROOF, last_proof
from insitu.domain.errors import InsituError
from insitu.domain.finding import Finding

RIGHTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (GROUP, "workflowexecutions", ("get", "list", "watch", "create", "patch", "delete")),
    (GROUP, "workflowexecutions/status", ("update",)),
    ("", "pods", ("get", "list", "watch", "create", "patch", "delete")),
    ("", "pods/log", ("get",)),
    ("", "configmaps", ("get", "list", "create", "patch", "delete")),
    ("", "persistentvolumeclaims", ("list", "watch", "create", "delete")),
    ("", "secrets", ("get", "create", "delete")),
    ("coordination.k8s.io", "leases", ("get", "create", "update")),
)
"""What the operator does in the namespace of executions: group, resource, verbs. Its Role grants exactly this."""

_LEVEL = "pod-security.kubernetes.io/enforce"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


async def examine(cluster: Cluster, placement: Placement, lease: str) -> AsyncIterator[Finding]:
    """Yield what is found. Nothing is changed; what these credentials may not read is skipped."""
    try:
        yield Finding("cluster", "ok", f"kubernetes {await cluster.version()}, namespace {cluster.namespace}")
    except InsituError as error:
        remedy = "check cluster.kubeconfig, its context, and that the API server is up: kubectl version"
        yield Finding("cluster", "failed", error.detail, remedy)
        return
    checks: tuple[tuple[str, Callable[[], Awaitable[Finding]]], ...] = (
        ("namespace", partial(_namespace, cluster)),
        ("custom resource", partial(_records, cluster)),
        ("rights", partial(_rights, cluster)),
        ("storage class", partial(_storage, cluster, placement.storage_class)),
        ("runtime class", partial(_runtime_class, cluster, placement.runtime_class)),
        ("isolation", partial(_isolation, cluster)),
        ("engine", partial(_engine, cluster, lease)),
    )
    for part, look in checks:
        try:
            yield await look()
        except (RefusedError, ConflictError) as error:
            yield Finding(
                part, "skipped", f"these credentials may not look: {error}"[:300], "ask an administrator to look"
            )
        except InsituError as error:
            yield Finding(part, "failed", error.detail, error.definition.next_step)


async def _namespace(cluster: Cluster) -> Finding:
    found = await cluster.get(Namespace, cluster.namespace)
    if found is None:
        return Finding("namespace", "failed", f"there is no {cluster.namespace}", "kubectl apply -k deploy/kustomize/…")
    labels = (found.metadata.labels if found.metadata is not None else None) or {}
    level = labels.get(_LEVEL, "none")
    if level != "restricted":
        remedy = f"kubectl label namespace {cluster.namespace} {_LEVEL}=restricted --overwrite"
        return Finding("namespace", "failed", f"{cluster.namespace} enforces the Pod Security level {level}", remedy)
    return Finding("namespace", "ok", f"{cluster.namespace} enforces the Pod Security level restricted")


async def _records(cluster: Cluster) -> Finding:
    served = await cluster.served(GROUP, "v1alpha1")
    if "workflowexecutions" not in served or "workflowexecutions/status" not in served:
        remedy = "kubectl apply -f deploy/kustomize/base/workflowexecutions.json"
        return Finding("custom resource", "failed", f"WorkflowExecution v1alpha1 of {GROUP} is not served", remedy)
    return Finding("custom resource", "ok", f"WorkflowExecution v1alpha1 of {GROUP} is served")


async def _rights(cluster: Cluster) -> Finding:
    lacking = []
    for group, resource, verbs in RIGHTS:
        name, _, below = resource.partition("/")
        for verb in verbs:
            asked = ResourceAttributes(
                group=group, namespace=cluster.namespace, resource=name, subresource=below or None, verb=verb
            )
            review = SelfSubjectAccessReview(spec=SelfSubjectAccessReviewSpec(resourceAttributes=asked))
            answer = await cluster.create(review)
            if answer.status is None or not answer.status.allowed:
                lacking.append(f"{verb} {resource}")
    if lacking:
        remedy = "kubectl apply -f deploy/kustomize/base/executions.yaml, and use the account insitu-operator"
        return Finding("rights", "failed", f"lacking: {', '.join(lacking)}", remedy)
    return Finding("rights", "ok", "everything that the operator does is allowed")


async def _storage(cluster: Cluster, name: str | None) -> Finding:
    if name is None:
        classes = await cluster.list(StorageClass, {})
        defaults = [
            found.metadata.name
            for found in classes
            if found.metadata is not None and (found.metadata.annotations or {}).get(_DEFAULT_CLASS) == "true"
        ]
        if not defaults:
            remedy = "set cluster.storage_class to one that enforces sizes: kubectl get storageclass"
            return Finding("storage class", "failed", "none is set, and the cluster has no default", remedy)
        return Finding("storage class", "ok", f"the cluster's default, {defaults[0]}; the proof of isolation fills it")
    if await cluster.get(StorageClass, name) is None:
        remedy = "set cluster.storage_class to one that is there: kubectl get storageclass"
        return Finding("storage class", "failed", f"there is no {name}", remedy)
    return Finding("storage class", "ok", f"{name}; whether it enforces sizes is part of the proof of isolation")


async def _runtime_class(cluster: Cluster, name: str | None) -> Finding:
    if name is None:
        remedy = "a class without network, gVisor or Kata is a second wall: cluster.runtime_class"
        return Finding("runtime class", "skipped", "none is set; the walls are those of the cluster's runtime", remedy)
    if await cluster.get(RuntimeClass, name) is None:
        remedy = "set cluster.runtime_class to one that is there: kubectl get runtimeclass"
        return Finding("runtime class", "failed", f"there is no {name}", remedy)
    return Finding("runtime class", "ok", name)


async def _isolation(cluster: Cluster) -> Finding:
    last = await last_proof(cluster)
    if last is None:
        return Finding("isolation", "warning", "not proved yet", "start an operator: its engine proves the walls first")
    found, moment = last
    proved = f"proved {moment:%Y-%m-%d %H:%M} UTC on {found.runtime}"
    if found.refusals:
        remedy = "fix what it names; the engine proves again within minutes"
        return Finding("isolation", "failed", f"{proved}: {'; '.join(found.refusals)}", remedy)
    limits = ", ".join(f"{name} by {by}" for name, by in sorted(found.limits.items()))
    if datetime.now(UTC) - moment > OLDEST_PROOF:
        return Finding("isolation", "warning", f"{proved}, too long ago", "see whether an engine works")
    return Finding("isolation", "ok", f"{proved}: {limits}")


async def _engine(cluster: Cluster, name: str) -> Finding:
    lease = await cluster.get(Lease, name)
    spec = lease.spec if lease is not None else None
    if spec is None or not spec.holderIdentity or spec.renewTime is None:
        return Finding("engine", "warning", "none works", "start an operator: kubectl -n insitu get pods")
    age = (datetime.now(UTC) - spec.renewTime).total_seconds()
    if age > 2 * (spec.leaseDurationSeconds or 15):
        return Finding(
            "engine", "warning", f"{spec.holderIdentity} is silent for {age:.0f} s", "kubectl -n insitu get pods"
        )
    return Finding("engine", "ok", f"{spec.holderIdentity} leads")
