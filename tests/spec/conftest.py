"""One real provider for all clauses, and the people of the specification: PUBLISHERS, a CONSUMER and a stranger.

The tests read as the specification does. They see only what people see: the SDK, HTTP, and the chain.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.market import PRICE, SERVER, SERVER_PRICE, UPPER, Market, open_market, open_provider

__all__ = ["PRICE", "SERVER", "SERVER_PRICE", "UPPER", "Market"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.needs("chain", "oci", "root"))
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """``insitu up`` as a process, with an image of this machine's Python and a word list to publish."""
    with open_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture
async def market(provider: ProviderProcess) -> AsyncIterator[Market]:
    """Clients of all people, each with its own key."""
    async with open_market(provider) as people:
        yield people
