"""Fixtures for the tests of images and of the one-machine runtime."""

from tests.adapters.oci.registries import registry, serve

__all__ = ["registry", "serve"]
