"""The custom resource needs a cluster."""

from tests.cluster.fixtures import cluster

__all__ = ["cluster"]
