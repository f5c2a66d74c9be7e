"""Every test of a runtime runs over every adapter, and leaves nothing behind."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from insitu.adapters.runtime.oci.images.store import ImageStore, StoredImage
from tests.cluster.fixtures import cluster, cluster_images
from tests.ports.runtime.kubernetes_place import KubernetesPlace
from tests.ports.runtime.runtime_place import KUBERNETES, OCI, Place

__all__ = ["cluster", "cluster_images"]

Adapter = Callable[[Path], Place]


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    return ImageStore(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
async def python_image(images: ImageStore) -> StoredImage:
    return await images.build_from_host([], "insitu/python", "test")


@pytest.fixture(params=[OCI, KUBERNETES])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    """Makes the place of a test: which runtime, with which image."""
    if request.param == "kubernetes":
        return KubernetesPlace.on(request.getfixturevalue("cluster"), request.getfixturevalue("cluster_images"))
    python_image, images = request.getfixturevalue("python_image"), request.getfixturevalue("images")
    return lambda root: Place(root, python_image, images)


@pytest.fixture
async def place(adapter: Adapter, tmp_path: Path) -> AsyncIterator[Place]:
    (tmp_path / "data").mkdir()
    made = adapter(tmp_path)
    yield made
    await made.clean()
    assert await made.left() == []
