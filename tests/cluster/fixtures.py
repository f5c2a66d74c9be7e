"""The cluster that tests run on: one for the whole session, brought up on free state and taken down without a trace.

``make test-cluster`` asks for it (``INSITU_REQUIRE=cluster,root``). A cluster that ``make cluster-up`` left running is
used and left running. With ``INSITU_KUBECONFIG`` a cluster of your own is used: ``INSITU_TEST_REGISTRY`` then names
a registry that it can pull from, ``INSITU_TEST_STORAGE_CLASS`` and ``INSITU_TEST_RUNTIME_CLASS`` the classes to use,
``INSITU_TEST_HOST`` an address of this machine that pods reach.

Folders of tests import these fixtures into their conftest, and pytest then makes one of each per folder; so the cluster
is taken down with the session and not with the fixture; also with one that is asked to end (SIGTERM).
"""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from tests.cluster.images import Images, build_images
from tests.cluster.testbed.binaries import component
from tests.cluster.testbed.cluster import Cluster
from tests.cluster.testbed.layout import NODE1, REGISTRY
from tests.cluster.testbed.node import LO_ONLY
from tests.cluster.testbed.provisioner import CLASS
from tests.cluster.testbed.push import push


@dataclass(frozen=True)
class ClusterAccess:
    """How tests reach a cluster. ``testbed`` is None where it is somebody else's: nothing of it is broken then.

    ``host`` is an address of this machine that the cluster's pods reach.
    """

    kubeconfig: Path
    registry: str
    storage_class: str
    runtime_class: str | None
    host: str
    testbed: Cluster | None

    def push(self, images: Images, digest: str, repository: str) -> None:
        """Push an image to the cluster's registry."""
        push(images.layout, digest, self.registry, repository)

    def kubectl(self, *words: str, stdin: str | None = None, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Call kubectl on the cluster."""
        command = [component("kubectl"), f"--kubeconfig={self.kubeconfig}", *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done

    def need_testbed(self) -> Cluster:
        """Return the testbed; skip the test on a cluster that is not ours to break."""
        if self.testbed is None:
            pytest.skip("this test breaks the cluster, so it runs on the testbed only")
        return self.testbed


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> ClusterAccess:
    """A cluster that accepts pods."""
    given = os.environ.get("INSITU_KUBECONFIG")
    if given:
        return ClusterAccess(
            kubeconfig=Path(given),
            registry=os.environ["INSITU_TEST_REGISTRY"],
            storage_class=os.environ["INSITU_TEST_STORAGE_CLASS"],
            runtime_class=os.environ.get("INSITU_TEST_RUNTIME_CLASS"),
            host=os.environ["INSITU_TEST_HOST"],
            testbed=None,
        )
    testbed = Cluster()
    if not testbed.processes.running("kube-apiserver"):
        pytestconfig.add_cleanup(testbed.down)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    testbed.up()
    return ClusterAccess(testbed.layout.kubeconfig, REGISTRY, CLASS, LO_ONLY, NODE1.ip, testbed)


@pytest.fixture(scope="session")
def cluster_images(cluster: ClusterAccess) -> Images:
    """The images of the tests, in the cluster's registry."""
    images = anyio.run(build_images)
    for image in (images.python, images.pods):
        cluster.push(images, image.digest, image.name)
    return images
