"""Every test of this folder runs on the session's cluster."""

from tests.cluster.fixtures import cluster, cluster_images

__all__ = ["cluster", "cluster_images"]
