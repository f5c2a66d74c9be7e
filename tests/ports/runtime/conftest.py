"""Every test of a runtime runs over every adapter, and leaves nothing behind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insitu.adapters.runtime.oci.images.store import ImageStore, StoredImage
from ports.runtime.runtime_place import Place, nothing_left


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    return ImageStore(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
async def python_image(images: ImageStore) -> StoredImage:
    return await images.build_from_host([], "insitu/python", "test")


@pytest.fixture(params=[pytest.param("oci", marks=pytest.mark.needs("linux", "oci", "filesystems"))])
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, images: ImageStore, python_image: StoredImage
) -> AsyncIterator[Place]:
    (tmp_path / "data").mkdir()
    made = Place(tmp_path, python_image, images)
    yield made
    await made.clean()
    assert await nothing_left(tmp_path) == []
