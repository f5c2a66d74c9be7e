"""The network policies of deploy/kustomize on a network that enforces them, tried from pods on both sides.

No RuntimeClass here: the policies are all that stands between an algorithm and the world.
"""

import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from anyio import to_thread

from insitu.adapters.kubernetes import Cluster
from insitu.adapters.runtime.kubernetes.binding import Binding
from insitu.adapters.runtime.kubernetes.probe import probe_cluster
from insitu.domain.execution import Charge, Phase, charge_of
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.neighbours import PORT, TRYING, Someone, someone
from tests.cluster.objects import install_records, make_namespace, objects_left
from tests.cluster.provider import Provider, provider_on
from tests.cluster.testbed.layout import API_PORT, API_SERVICE, DNS_SERVICE, NODE1, NODE2, ROOT
from tests.doubles.registrations import registration_of

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow]

BASE = ROOT / "deploy" / "kustomize" / "base"
SERVICES, EXECUTIONS, NEIGHBOURS = "insitu", "insitu-executions", "insitu-neighbours"
NAME, ROLE = "app.kubernetes.io/name", "insitu.internal/role"
GATEWAY = "insitu-gateway"
FOR_ALL_TO_DNS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: everybody-asks-for-names, namespace: insitu-executions}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]
    ports: [{port: 53, protocol: UDP}]
"""


@dataclass
class Place:
    """Namespaces, policies and pods as an installation has them, and neighbours of whom it knows nothing."""

    access: ClusterAccess
    pods: dict[str, Someone]
    targets: dict[str, str]

    def policies(self) -> None:
        """Apply the policies of the base."""
        self.access.kubectl("apply", "-f", "-", stdin=json.dumps(of_base(self.access, "NetworkPolicy")))

    def without(self, *names: str) -> None:
        """Delete policies of the namespace of executions."""
        self.access.kubectl("delete", "networkpolicy", f"--namespace={EXECUTIONS}", *names)


def of_base(access: ClusterAccess, *kinds: str) -> dict[str, object]:
    """The objects of some kinds in the base that every installation has."""
    rendered = access.kubectl("kustomize", str(BASE)).stdout
    listed = json.loads(access.kubectl("apply", "--dry-run=client", "-o", "json", "-f", "-", stdin=rendered).stdout)
    return {**listed, "items": [each for each in listed["items"] if each["kind"] in kinds]}


@pytest.fixture(scope="module")
def place(cluster: ClusterAccess, cluster_images: Images) -> Iterator[Place]:
    cluster.need_testbed().up(second_node=True)
    names = (SERVICES, EXECUTIONS, NEIGHBOURS)
    cluster.kubectl("delete", "namespace", *names, "--ignore-not-found", "--timeout=90s")
    for name in names:
        make_namespace(cluster, name)
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(of_base(cluster, "Namespace", "NetworkPolicy")))
    with contextlib.ExitStack() as stack:
        stack.callback(cluster.kubectl, "delete", "namespace", *names, "--timeout=90s")
        outside = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=1000))
        pods = {
            name: someone(cluster, cluster_images, f"insitu-{name}", SERVICES, {NAME: f"insitu-{name}"})
            for name in ("metadata", "operator")
        }
        for role in ("configure", "compute", "publish"):
            pods[role] = someone(cluster, cluster_images, role, EXECUTIONS, {ROLE: role})
        pods["of no role"] = someone(cluster, cluster_images, "somebody", EXECUTIONS, {})
        for node in (NODE1, NODE2):
            labels = {NAME: GATEWAY}  # to be called like the gateway is not to be the gateway
            name = f"neighbour on {node.name}"
            pods[name] = someone(cluster, cluster_images, node.name, NEIGHBOURS, labels, node=node.name)
        pods["gateway"] = someone(cluster, cluster_images, GATEWAY, SERVICES, {NAME: GATEWAY})
        service = ("expose", "pod", GATEWAY, f"--namespace={SERVICES}", f"--port={PORT}")
        cluster.kubectl(*service, "--selector", f"{NAME}={GATEWAY}")
        for namespace in names:
            cluster.kubectl(
                "wait", "pods", "--all", f"--namespace={namespace}", "--for=condition=Ready", "--timeout=60s"
            )
        targets = {name: f"tcp:{pod.address}:{PORT}" for name, pod in pods.items()}
        targets |= {
            "the gateway by name": f"tcp:{GATEWAY}.{SERVICES}.svc:{PORT}",
            "DNS": f"udp:{DNS_SERVICE}:53",
            "DNS over TCP": f"tcp:{DNS_SERVICE}:53",
            "the API by its Service": f"tcp:{API_SERVICE}:443",
            "the API by its node": f"tcp:{NODE1.ip}:{API_PORT}",
            "a kubelet": f"tcp:{NODE1.ip}:10250",
            "the other kubelet": f"tcp:{NODE2.ip}:10250",
            "outside": f"tcp:{outside_address()}:{outside.getsockname()[1]}",
        }
        yield Place(cluster, pods, targets)


def outside_address() -> str:
    """An address of this machine that is none of the cluster's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect(("192.0.2.1", 9))  # nothing is sent: the kernel says which address it would use
        return str(asked.getsockname()[0])


EXECUTING = {"configure", "compute", "publish", "of no role"}
TO_THE_GATEWAY = {"gateway", "the gateway by name", "DNS", "DNS over TCP"}


@pytest.mark.parametrize(
    ("who", "reached"),
    [("compute", set()), ("of no role", set()), ("configure", TO_THE_GATEWAY), ("publish", TO_THE_GATEWAY)],
)
def test_whoever_executes_reaches_what_it_needs_and_no_more(place: Place, who: str, reached: set[str]) -> None:
    found = place.pods[who].reaches(place.targets)
    assert found - {who} == reached  # a pod always reaches itself


@pytest.mark.parametrize("who", ["metadata", "neighbour on node1", "neighbour on node2"])
def test_nobody_but_the_gateway_reaches_the_operator_and_nobody_an_execution(place: Place, who: str) -> None:
    assert set(place.targets) - place.pods[who].reaches(place.targets) == EXECUTING | {"operator"}


def test_the_gateway_reaches_everybody_but_executions(place: Place) -> None:
    assert set(place.targets) - place.pods["gateway"].reaches(place.targets) == EXECUTING


@pytest.fixture
async def provider(
    cluster: ClusterAccess, cluster_images: Images, place: Place, tmp_path: Path
) -> AsyncIterator[Provider]:
    """A provider without a RuntimeClass, whose pods reach its gateway by name, through a Service and a pod."""
    install_records(cluster)
    async with provider_on(cluster, cluster_images, EXECUTIONS, tmp_path) as made:
        at = made.gateway_url.removeprefix("http://")
        await to_thread.run_sync(lambda: relay(cluster, cluster_images, at))
        made.gateway_url = f"http://{GATEWAY}.{SERVICES}.svc:{PORT}"
        made.runtime_class, made.records = None, True
        yield made
        assert await objects_left(cluster, EXECUTIONS) == []


def relay(access: ClusterAccess, images: Images, target: str) -> None:
    """Put a gateway in place of the last one: a pod that passes on to where a test's gateway is."""
    access.kubectl("delete", "pod", GATEWAY, f"--namespace={SERVICES}", "--ignore-not-found")
    someone(access, images, GATEWAY, SERVICES, {NAME: GATEWAY}, passes_on_to=target)
    access.kubectl("wait", f"pod/{GATEWAY}", f"--namespace={SERVICES}", "--for=condition=Ready", "--timeout=60s")


async def test_an_algorithm_runs_behind_the_policies_and_reaches_nobody(place: Place, provider: Provider) -> None:
    targets = {name: target for name, target in place.targets.items() if name != "gateway"}
    targets["the gateway's Service"] = f"tcp:{await to_thread.run_sync(service_address, place.access)}:{PORT}"
    told = f"open('/mnt/output/reached.json', 'w').write(json.dumps(reached({targets!r})))\n"
    stage = provider.stage(0, TRYING + told, provider.fetched(1, "a.txt", "one"))
    final = await provider.run(provider.plan(stage))
    assert final.phase is Phase.SUCCEEDED, final.reason
    assert json.loads(provider.result(final)["reached.json"]) == []
    proof = json.loads(place.access.kubectl("get", "cm", "insitu-isolation", "-n", EXECUTIONS, "-o", "json").stdout)
    assert json.loads(proof["data"]["proof.json"])["limits"]["network"] == "policy"


async def test_a_policy_that_is_taken_away_stops_the_next_algorithm(place: Place, provider: Provider) -> None:
    provider.proof_seconds = 0
    stage = provider.stage(0, "print('here')", provider.fetched(1, "a.txt", "one"))
    try:
        async with provider.operator() as operator:
            for number, closed in enumerate((True, False, True)):
                (place.policies if closed else lambda: place.without("default-deny"))()
                execution = await operator.service.register(registration_of(provider.plan(stage, number=number)))
                final = await operator.until(execution.execution_id)
                if closed:
                    assert final.phase is Phase.SUCCEEDED, final.reason
                    continue
                assert final.reason is not None
                assert final.reason.code == "IsolationNotEnforced"
                for door in (f"{DNS_SERVICE}:53/udp", f"{API_SERVICE}:443", ":10250"):
                    assert door in final.reason.message
                assert charge_of(final.phase, final.reason) is Charge.NEVER
    finally:
        place.policies()  # the tests that follow run behind them


async def test_a_policy_that_lets_everybody_ask_for_names_is_a_door(place: Place, provider: Provider) -> None:
    place.access.kubectl("apply", "-f", "-", stdin=FOR_ALL_TO_DNS)
    try:
        async with Cluster(provider.access.kubeconfig, EXECUTIONS) as cluster:
            found = await probe_cluster(cluster, provider.placement(), Binding(cluster))
    finally:
        place.without("everybody-asks-for-names")
    assert [refusal.partition(";")[0] for refusal in found.refusals] == [f"a Compute Pod reaches {DNS_SERVICE}:53/udp"]


def service_address(access: ClusterAccess) -> str:
    """The address of the gateway's Service."""
    return access.kubectl("get", "service", GATEWAY, "-n", SERVICES, "-o", "jsonpath={.spec.clusterIP}").stdout
