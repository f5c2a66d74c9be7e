"""A provider for the tests that kill it, and everybody around it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.market import Market, open_market, open_provider


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.needs("chain", "oci", "root"))
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """``insitu up`` as a process that is killed and started again."""
    with open_provider(tmp_path_factory.mktemp("chaos")) as running:
        yield running


@pytest.fixture
async def market(provider: ProviderProcess) -> AsyncIterator[Market]:
    """Everybody, each with their own key."""
    async with open_market(provider) as people:
        yield people
