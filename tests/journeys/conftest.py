"""One provider for the journeys that leave the clock alone; the others start their own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from insitu.testing.provider import ProviderProcess
from tests.journeys.provider import Person, Provider, provider
from tests.market import Market, open_market, open_provider


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider with one image."""
    with provider(tmp_path_factory.mktemp("provider")) as started:
        yield started


@pytest.fixture
def owner(running: Provider) -> Person:
    """Somebody who has data."""
    return running.person("owner")


@pytest.fixture
def consumer(running: Provider) -> Person:
    """Somebody who has questions."""
    return running.person("consumer")


@pytest.fixture(scope="session")
def marketplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """A provider for people who use the SDK; its prices are a few base units."""
    with open_provider(tmp_path_factory.mktemp("marketplace")) as started:
        yield started


@pytest.fixture
async def market(marketplace: ProviderProcess) -> AsyncIterator[Market]:
    """Everybody around it, each with their own key."""
    async with open_market(marketplace) as people:
        yield people
