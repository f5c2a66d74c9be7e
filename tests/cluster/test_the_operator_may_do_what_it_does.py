"""The operator's Role: every verb is used, without each something is refused, and nothing else is granted."""

import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest

from insitu.adapters.executions.kubernetes import KubernetesExecutions
from insitu.adapters.kubernetes import Cluster
from insitu.adapters.kubernetes_leadership import Leadership
from insitu.adapters.runtime.kubernetes import KubernetesRuntime
from insitu.adapters.runtime.kubernetes.examining import RIGHTS
from insitu.adapters.runtime.kubernetes.names import ROLE
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.objects import install_records, objects_left, way_out
from tests.cluster.provider import ROOMY, Operator, Provider, provider_on, says
from tests.cluster.testbed.layout import ROOT
from tests.doubles.registrations import registration_of
from tests.doubles.running_operator import running_operator

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow]

MANIFEST = ROOT / "deploy" / "kustomize" / "base" / "executions.yaml"
NAMESPACE, SERVICES = "insitu-executions", "insitu"
ACCOUNT = f"system:serviceaccount:{SERVICES}:insitu-operator"
NAP = "import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"
FETCHING = {"matchExpressions": [{"key": ROLE, "operator": "In", "values": ["configure", "publish"]}]}
COUNT = "open('/mnt/output/done.txt', 'w').write('done')\n"

Right = tuple[str, str, str]
"""API group, resource, verb."""

_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/[^/]+/namespaces/[^/]+/(?P<kind>[a-z]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[a-z]+))?)?"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass
class Requests:
    """What was asked of a cluster: one request of each kind."""

    first: dict[Right, httpx2.Request] = field(default_factory=dict)

    async def note(self, request: httpx2.Request) -> None:
        found = _PATH.fullmatch(request.url.path)
        if found is None:
            assert request.url.path == "/version"
            return
        resource = "/".join(part for part in (found["kind"], found["sub"]) if part)
        reading = "get" if found["name"] else "watch" if "watch" in request.url.params else "list"
        self.first.setdefault((found["group"] or "", resource, _VERBS.get(request.method, reading)), request)


@dataclass
class Restricted:
    """The operator's own account on the cluster."""

    access: ClusterAccess
    kubeconfig: Path
    manifest: list[dict[str, Any]]

    @property
    def role(self) -> dict[str, Any]:
        (found,) = (each for each in self.manifest if each["kind"] == "Role")
        return found

    def rights(self) -> set[Right]:
        return {
            (group, resource, verb)
            for rule in self.role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }

    def grant(self, rights: set[Right]) -> None:
        rules = [{"apiGroups": [group], "resources": [kind], "verbs": [verb]} for group, kind, verb in sorted(rights)]
        meta = {name: self.role["metadata"][name] for name in ("name", "namespace")}
        self.access.kubectl("replace", "-f", "-", stdin=json.dumps({**self.role, "metadata": meta, "rules": rules}))

    def granted_in(self, namespace: str) -> set[Right]:
        """What the cluster says that the account may do in a namespace, but for asking what it may do."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        command = ("create", "--validate=false", "--as", ACCOUNT, "-f", "-", "-o", "json")
        answer = json.loads(self.access.kubectl(*command, stdin=json.dumps(review)).stdout)
        return {
            (group, resource, verb)
            for rule in answer["status"]["resourceRules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
            if group not in ("authorization.k8s.io", "authentication.k8s.io")
        }


@pytest.fixture
def restricted(cluster: ClusterAccess, tmp_path: Path) -> Iterator[Restricted]:
    install_records(cluster)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SERVICES}}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(namespace))
    # What an earlier installation left would not be made again.
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=60s")
    applied = cluster.kubectl("apply", "-f", str(MANIFEST), "-o", "json")
    config = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json").stdout)
    token = cluster.kubectl("create", "token", "insitu-operator", f"--namespace={SERVICES}", "--duration=1h").stdout
    config["users"][0]["user"] = {"token": token.strip()}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    yield Restricted(cluster, kubeconfig, json.loads(applied.stdout)["items"])
    cluster.kubectl("delete", "namespace", SERVICES, "--wait=false")


@pytest.fixture
async def provider(
    cluster: ClusterAccess, cluster_images: Images, restricted: Restricted, tmp_path: Path
) -> AsyncIterator[Provider]:
    async with provider_on(cluster, cluster_images, NAMESPACE, tmp_path) as made:
        made.records = True
        # The gateway of this test lies outside, where the policies of the installation let nobody go.
        port = urlsplit(made.gateway_url).port
        assert port is not None
        policy = way_out(NAMESPACE, "configure-and-publish-reach-a-gateway-outside", FETCHING, cluster.host, port)
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(policy))
        yield made
        assert await objects_left(cluster, NAMESPACE) == []
    cluster.kubectl("delete", "pvc,workflowexecutions", "--all", f"--namespace={NAMESPACE}", "--wait=false")


@asynccontextmanager
async def operator_of(provider: Provider, restricted: Restricted, requests: Requests) -> AsyncIterator[Operator]:
    """An operator as ``serve`` puts it together, under its own account; its requests are noted."""
    async with Cluster(restricted.kubeconfig, NAMESPACE) as cluster, anyio.create_task_group() as tasks:
        for client in (cluster._client._client._client, cluster._streams):
            client.event_hooks["request"].append(requests.note)
        executions, runtime = KubernetesExecutions(cluster), KubernetesRuntime(cluster, provider.placement())
        leadership = Leadership(cluster, "insitu-engine", "operator")
        tasks.start_soon(leadership.lead, anyio.sleep_forever)
        folder = provider.root / "operator"
        started = running_operator(
            folder, provider.gateway, lambda _tasks, _clock: runtime, capacity=ROOMY, executions=executions
        )
        async with started as operator:
            tasks.start_soon(executions.follow, operator.engine.wake)
            try:
                yield operator
            finally:
                await runtime.aclose()
        await anyio.sleep(4)  # the lease is renewed
        tasks.cancel_scope.cancel()


async def test_every_verb_is_used_and_nothing_else_is_granted(provider: Provider, restricted: Restricted) -> None:
    requests = Requests()
    async with operator_of(provider, restricted, requests) as operator:
        inputs = provider.fetched(1, "a.txt", "one")
        done = await operator.service.register(registration_of(provider.plan(provider.stage(0, COUNT, inputs))))
        final = await operator.until(done.execution_id)
        assert final.phase is Phase.SUCCEEDED, final.reason
        sleeping = provider.stage(0, NAP, inputs)
        stopped = await operator.service.register(registration_of(provider.plan(sleeping, number=1)))
        await says(operator, stopped, b"asleep")
        with pytest.raises(InsituError, match="ExecutionInProgress"):
            await operator.service.register(registration_of(provider.plan(sleeping, number=2)))
        await operator.service.stop(stopped.agreement_id, stopped.execution_id, "consumer")
        final = await operator.until(stopped.execution_id)
        assert final.phase is Phase.STOPPED
        assert await operator.executions.unsettled() == ()  # the last ticket is gone, too
    assert set(requests.first) == restricted.rights(), "what is used, and what the Role grants"
    assert {(group, kind, verb) for group, kind, verbs in RIGHTS for verb in verbs} == restricted.rights(), "doctor"
    assert restricted.granted_in(NAMESPACE) == restricted.rights()
    for elsewhere in ("default", "kube-system", SERVICES):
        assert restricted.granted_in(elsewhere) == set()
    await _without_each_verb(restricted, requests)


async def _without_each_verb(restricted: Restricted, requests: Requests) -> None:
    """Send the operator's own requests again, each without its verb."""
    rights = restricted.rights()
    async with Cluster(restricted.kubeconfig, NAMESPACE) as cluster:
        for right, request in requests.first.items():
            restricted.grant(rights - {right})
            assert await _refused(cluster, request), f"{right} is not needed"
        restricted.grant(rights)


async def _refused(cluster: Cluster, request: httpx2.Request, seconds: float = 10) -> bool:
    """Whether the cluster refuses the request, once it has heard of the changed Role."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        # A name that is nobody's: where the request is still allowed it must not do anything.
        url = re.sub(r"/(wx[a-z2-7]+|probe-|insitu-engine)[^/?]*", "/nobody", str(request.url))
        again = cluster._streams.build_request(request.method, url, content=b"{}", headers=_typed(request), timeout=5)
        answer = await cluster._streams.send(again, stream=True)
        await answer.aclose()
        if answer.status_code == 403:
            return True
        await anyio.sleep(0.05)
    return False


def _typed(request: httpx2.Request) -> dict[str, str]:
    return {"Content-Type": request.headers.get("Content-Type", "application/json")}
