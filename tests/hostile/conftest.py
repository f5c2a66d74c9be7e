"""Hostile algorithms run in the same places as the port's contract suite."""

from tests.ports.runtime.conftest import adapter, cluster, cluster_images, images, place, python_image

__all__ = ["adapter", "cluster", "cluster_images", "images", "place", "python_image"]
