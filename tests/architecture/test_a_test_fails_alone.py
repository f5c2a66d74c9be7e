"""A test that is cancelled or stands still does not take the tests after it along."""

import pytest

from tests.architecture.sources import ROOT
from tests.fails_alone import SECONDS_BEFORE_THE_ALARM

SUITE = """
import asyncio

import anyio
import pytest

@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"

@pytest.fixture(scope="session")
async def shared():
    yield "kept"

@pytest.fixture
async def taken_down(shared):
    yield
    print("taken down")

async def test_first(taken_down):
    {first}

async def test_second(shared):
    await anyio.sleep(0)
    assert shared == "kept"
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder whose tests are bounded a tenth of a second after they begin."""
    pytester.makeconftest("""
        from tests.fails_alone import FailsAlone

        def pytest_configure(config):
            config.pluginmanager.register(FailsAlone())
    """)
    seconds = SECONDS_BEFORE_THE_ALARM + 0.1
    pytester.makeini(f"[pytest]\npythonpath = {ROOT}\nanyio_mode = auto\ntimeout = {seconds}\n")
    return pytester


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("raise asyncio.CancelledError", "*CancelledError*"),
        ("asyncio.current_task().cancel(); await anyio.sleep(1)", "*CancelledError*"),
        ("await anyio.sleep_forever()", "*TimeoutError*"),
        ("assert False", "*AssertionError*"),
    ],
)
def test_the_test_after_it_passes(suite: pytest.Pytester, first: str, said: str) -> None:
    suite.makepyfile(SUITE.format(first=first))
    result = suite.runpytest_subprocess("-rA")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([said])
    result.stdout.fnmatch_lines(["*taken down*"])
