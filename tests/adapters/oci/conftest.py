"""What the tests of images and of the one-machine runtime share."""

from tests.adapters.oci.registries import registry, serve

__all__ = ["registry", "serve"]
