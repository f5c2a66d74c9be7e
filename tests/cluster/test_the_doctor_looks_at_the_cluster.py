"""`insitu doctor` where executions run on a cluster: what it finds in each part, and what it says that mends it."""

import json
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.adapters.kubernetes import Cluster
from insitu.adapters.runtime.kubernetes.proof import keep_proof
from insitu.ports.runtime import Enforcement
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.cluster.objects import install_records, make_namespace
from tests.cluster.sites import cluster_settings
from tests.journeys.provider import Person

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow]

LIMITS = {"memory": "cgroup", "network": "no device"}
PARTS = ["cluster", "namespace", "custom resource", "rights", "storage class", "runtime class", "isolation", "engine"]

Doctor = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def namespace(cluster: ClusterAccess) -> Iterator[str]:
    """A namespace as the manifests make it."""
    name = f"insitu-doctor-{secrets.token_hex(3)}"
    install_records(cluster)
    make_namespace(cluster, name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def doctor(cluster: ClusterAccess, cluster_images: Images, namespace: str, tmp_path: Path) -> Doctor:
    """Ask the doctor, with settings beside the usual ones; answers by part."""
    usual = cluster_settings(cluster, cluster_images, namespace, f"http://{cluster.host}:1")

    def asked(*settings: str) -> dict[str, dict[str, Any]]:
        chosen = dict(setting.partition("=")[::2] for setting in (*usual, *settings))
        flags = tuple(f"{name}={value}" for name, value in chosen.items())
        person = Person(tmp_path, "http://127.0.0.1:1", flags=flags)
        return {finding["part"]: finding for finding in person.insitu("doctor", "--json").json["findings"]}

    return asked


def prove(cluster: ClusterAccess, namespace: str, *refusals: str) -> None:
    async def proved() -> None:
        async with Cluster(cluster.kubeconfig, namespace) as reached:
            found = Enforcement("kubernetes v1", LIMITS, refusals, code="IsolationNotEnforced")
            await keep_proof(reached, found, datetime.now(UTC))

    anyio.run(proved)


def test_what_is_right_is_said(cluster: ClusterAccess, doctor: Doctor, namespace: str) -> None:
    prove(cluster, namespace, "something", "else")
    prove(cluster, namespace)
    found = doctor()
    assert set(PARTS) <= set(found)
    assert "kernel" not in found, "algorithms do not run on this machine"
    for part in PARTS[:-1]:
        assert found[part]["verdict"] == ("ok" if part != "runtime class" or cluster.runtime_class else "skipped"), part
    assert "memory by cgroup, network by no device" in found["isolation"]["detail"]
    assert found["engine"]["verdict"] == "warning"
    assert found["engine"]["detail"] == "none works"


@pytest.mark.parametrize(
    ("setting", "part", "told", "remedy"),
    [
        ("cluster.namespace=nowhere", "namespace", "there is no nowhere", "kubectl apply -k"),
        ("cluster.storage_class=none-such", "storage class", "there is no none-such", "cluster.storage_class"),
        ("cluster.runtime_class=none-such", "runtime class", "there is no none-such", "cluster.runtime_class"),
        ("cluster.kubeconfig=/nowhere", "cluster", "no cluster is configured", "Correct the setting"),
        ("cluster.gateway_url=http://127.0.0.1:8030", "cluster", "pods cannot reach", "Correct the setting"),
    ],
)
def test_what_is_wrong_is_told_with_what_mends_it(
    doctor: Doctor, setting: str, part: str, told: str, remedy: str
) -> None:
    finding = doctor(setting)[part]
    assert finding["verdict"] == "failed"
    assert told in finding["detail"]
    assert remedy in finding["remedy"]


def test_a_proof_that_refuses_executions_is_told(cluster: ClusterAccess, doctor: Doctor, namespace: str) -> None:
    assert doctor()["isolation"]["verdict"] == "warning", "nothing was proved yet"
    prove(cluster, namespace, "a Compute Pod reaches 1.1.1.1:443")
    finding = doctor()["isolation"]
    assert finding["verdict"] == "failed"
    assert "a Compute Pod reaches 1.1.1.1:443" in finding["detail"]


def test_a_namespace_of_another_level_is_told(cluster: ClusterAccess, doctor: Doctor, namespace: str) -> None:
    label = "pod-security.kubernetes.io/enforce"
    cluster.kubectl("label", "namespace", namespace, f"{label}=baseline", "--overwrite")
    finding = doctor()["namespace"]
    assert finding["verdict"] == "failed"
    assert "baseline" in finding["detail"]
    assert finding["remedy"] == f"kubectl label namespace {namespace} {label}=restricted --overwrite"


def test_rights_that_are_lacking_are_named(
    cluster: ClusterAccess, doctor: Doctor, namespace: str, tmp_path: Path
) -> None:
    place = f"--namespace={namespace}"
    role = ("create", "role", "few", place, "--verb=get,list,watch,create,patch,delete", "--resource=pods")
    cluster.kubectl(*role)
    cluster.kubectl("create", "rolebinding", "few", place, "--role=few", f"--serviceaccount={namespace}:default")
    config = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json").stdout)
    token = cluster.kubectl("create", "token", "default", place).stdout.strip()
    config["users"][0]["user"] = {"token": token}
    kubeconfig = tmp_path / "few.json"
    kubeconfig.write_text(json.dumps(config))
    found = doctor(f"cluster.kubeconfig={kubeconfig}")
    assert found["rights"]["verdict"] == "failed"
    assert "get pods/log" in found["rights"]["detail"]
    assert " pods," not in found["rights"]["detail"], "those it has are not named"
    for part in ("namespace", "storage class", "isolation", "engine"):
        assert found[part]["verdict"] == "skipped", part
