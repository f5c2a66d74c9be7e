"""What every test shares: the async backend, the order (fast first), and what happens if a part is missing."""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import failures_at_once
from tests.doubles.object_store import ObjectStoreServer, running_object_store
from tests.doubles.postgresql import PostgresqlServer, running_postgresql
from tests.fails_alone import FailsAlone
from tests.parts import PARTS, UNPACKED, missing, required

pytest_plugins = ["pytester"]

# httpcore tries to import sniffio for each lock; it is not installed, and under pytest a failed import takes long.
sys.modules.setdefault("sniffio", None)

# One Hypothesis profile: no deadline, because a shared machine may pause at any moment; derandomised in CI, so that a
# red build is red again.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """One server for all tests; each uses its own schema."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStoreServer]:
    """One S3 server for all tests; each uses its own bucket."""
    with running_object_store() as server:
        yield server


def pytest_configure(config: pytest.Config) -> None:
    unknown = sorted(required() - set(PARTS))
    if unknown:
        raise pytest.UsageError(f"INSITU_REQUIRE names unknown parts: {', '.join(unknown)}; known: {', '.join(PARTS)}")
    failures_at_once.register(config)
    config.pluginmanager.register(FailsAlone(), "fails_alone")
    # Find what `scripts/setup` unpacked like what the system installed.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *UNPACKED])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
    for item in items:
        unknown = needs(item) - set(PARTS)
        if unknown:
            raise pytest.UsageError(f"{item.nodeid} needs unknown parts {sorted(unknown)}; tests/parts.py lists them")
        if "cluster" in needs(item):
            item.add_marker("cluster")  # so that `make test-cluster` can choose them


def pytest_collection_finish() -> None:
    # Test modules that import eth-account raise this limit (see `load_account`), and deep JSON then ends the process.
    sys.setrecursionlimit(min(sys.getrecursionlimit(), 1000))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in sorted(needs(item)):
        reason = missing(name)
        if reason is None:
            continue
        if name in required():
            pytest.fail(f"{reason} (INSITU_REQUIRE names it, so this test may not be skipped)", pytrace=False)
        pytest.skip(reason)


def needs(item: pytest.Item) -> set[str]:
    """The parts that the test, its class or its module needs."""
    return {name for marker in item.iter_markers("needs") for name in marker.args}
