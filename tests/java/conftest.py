"""One provider for the tests of a file."""

from collections.abc import Iterator

import pytest

from insitu.testing.provider import ProviderProcess
from tests.market import open_provider


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """``insitu up`` with prices of a few base units."""
    with open_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running
