"""The testbed itself: it comes up, runs a pod on either node, enforces sizes, and leaves nothing when it goes."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.cluster.testbed.binaries import nft, tool
from tests.cluster.testbed.cluster import Cluster
from tests.cluster.testbed.policy_rules import TABLE

pytestmark = pytest.mark.needs("cluster", "root")

POD = """
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  nodeName: NODE
  restartPolicy: Never
  runtimeClassName: lo-only
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: insitu.local/pause:1
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: NAME}}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME}
spec: {accessModes: [ReadWriteOnce], storageClassName: loop-ext4, resources: {requests: {storage: 8Mi}}}
"""


SETTINGS = [
    Path("/proc/sys/net/ipv4/ip_forward"),
    Path("/proc/sys/net/ipv4/conf/all/route_localnet"),
    *(path for path in Path("/proc/sys/net/netfilter").glob("nf_conntrack_*") if not path.name.endswith("_count")),
]


def told(*command: str | Path) -> list[str]:
    """The lines that a program prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def trace(cluster: Cluster) -> set[str]:
    """Everything on this machine that a cluster could leave."""
    work = str(cluster.layout.work)
    found = {f"mount {line.split()[4]}" for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    found.discard("mount /run/netns")  # made by the first ip netns of a machine, for good
    found |= {f"device {path.name}" for path in Path("/sys/class/net").iterdir()}
    found |= {f"loop {path.read_text()}" for path in Path("/sys/block").glob("loop*/loop/backing_file")}
    found |= {f"group {path}" for path in Path("/sys/fs/cgroup").glob("*/*") if path.is_dir()}
    found |= {f"namespace {path.name}" for path in Path("/run/netns").glob("*")}
    found |= {f"log {path.name}" for path in Path("/var/log/containers").glob("*")}
    found |= {f"rules {line}" for line in told(nft(), "list", "tables")}
    found |= {f"route {line}" for line in told(tool("ip"), "route", "show", "table", "all")}
    found |= {f"routing rule {line}" for line in told(tool("ip"), "rule", "show")}
    found |= {f"setting {path.name}={path.read_text()}" for path in SETTINGS if path.exists()}
    found |= {f"lease {path.name}" for path in Path("/var/lib/cni/results").glob("*")}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if work in command:
            found.add(f"process {command[:200]}")
    return found


def test_a_cluster_comes_up_runs_pods_and_leaves_nothing() -> None:
    testbed = Cluster()
    if testbed.processes.running("kube-apiserver"):
        pytest.skip("a cluster is running that is not this test's to end")
    testbed.down()
    before = trace(testbed)
    try:
        testbed.up(second_node=True)
        for node in ("node1", "node2"):
            testbed.apply(POD.replace("NAME", f"on-{node}").replace("NODE", node))
        testbed.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "pod/on-node1", "pod/on-node2")
        assert str(testbed.layout.volumes) in Path("/proc/self/mountinfo").read_text()
        rules = " ".join(told(nft(), "list", "tables"))
        assert all(table in rules for table in ("kube-proxy", TABLE)), rules
    finally:
        testbed.down()
    deadline = time.monotonic() + 5
    while (left := trace(testbed) - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == set()
    assert not testbed.layout.work.exists()
