"""Hostile algorithms run in the same places as the port's contract suite."""

from ports.runtime.conftest import images, place, python_image

__all__ = ["images", "place", "python_image"]
