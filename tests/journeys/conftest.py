"""One provider for the journeys that leave the clock alone; those that don't start their own."""

from collections.abc import Iterator

import pytest

from journeys.provider import Person, Provider, provider


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
