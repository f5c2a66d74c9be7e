"""Every test of this folder runs on the session's cluster, in one namespace, and leaves nothing of its executions."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cluster.fixtures import ClusterAccess, cluster, cluster_images
from tests.cluster.images import Images
from tests.cluster.objects import install_records, make_namespace, objects_left
from tests.cluster.provider import Provider, provider_on

__all__ = ["cluster", "cluster_images"]

NAMESPACE = "insitu-engine-tests"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let operators be abandoned, as a kill does it: a handshake that is cut off leaves its socket to the collector."""
    item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))


@pytest.fixture
async def provider(cluster: ClusterAccess, cluster_images: Images, tmp_path: Path) -> AsyncIterator[Provider]:
    """A provider whose executions are custom resources, as on a cluster in earnest."""
    install_records(cluster)
    make_namespace(cluster, NAMESPACE)
    async with provider_on(cluster, cluster_images, NAMESPACE, tmp_path) as made:
        made.records = True
        yield made
        assert await objects_left(cluster, NAMESPACE) == []
    cluster.kubectl("delete", "pvc,workflowexecutions", "--all", f"--namespace={NAMESPACE}", "--wait=false")
