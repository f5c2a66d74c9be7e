"""A test that needs a missing part is skipped with the line that installs it, and fails where CI requires the part."""

import os

import pytest

from tests.architecture.sources import ROOT
from tests.parts import PARTS

# Exactly one of these two is missing on any machine.
ABSENT, PRESENT = ("rootless", "root") if os.geteuid() == 0 else ("root", "rootless")


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with this project's conftest and one test for each part."""
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text("utf-8").replace('["pytester"]', "[]"))
    pytester.makeini(f"[pytest]\npythonpath = {ROOT}\nmarkers =\n    needs\n    slow\n")
    pytester.makepyfile(f"""
        import pytest

        @pytest.mark.slow
        def test_slow(): ...

        @pytest.mark.needs("{ABSENT}")
        def test_absent(): ...

        @pytest.mark.needs("{PRESENT}")
        def test_present(): ...
    """)
    return pytester


def test_without_the_part_the_test_is_skipped_and_says_what_to_install(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INSITU_REQUIRE", raising=False)
    result = suite.runpytest_subprocess("-rs")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines([f"*{PARTS[ABSENT].remedy}*"])


def test_where_the_part_is_required_the_test_fails(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSITU_REQUIRE", f"{PRESENT},{ABSENT}")
    result = suite.runpytest_subprocess()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*INSITU_REQUIRE names it*"])


def test_a_requirement_that_nobody_knows_is_refused(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSITU_REQUIRE", "no-such-part")
    result = suite.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_slow_tests_run_last(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSITU_REQUIRE", raising=False)
    lines = suite.runpytest_subprocess("-v").stdout.lines
    order = [line.partition("::")[2].split()[0] for line in lines if line.partition("::")[2].startswith("test_")]
    assert order[-1] == "test_slow"
