"""Prints a failure when it happens: a run that is ended before its summary has then said what failed."""

import os

import pytest

LINES = 30
"""How many of the last lines of a failure are printed; the summary has all of it."""


class FailuresAtOnce:
    """Writes each failed report to the terminal."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print where the test failed and the end of its traceback."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if not report.failed or terminal is None:
            return
        lines = report.longreprtext.splitlines()[-LINES:]
        terminal.write_line("")
        terminal.write_line(f"failed at {report.when} after {report.duration:.0f} s: {report.nodeid}")
        for line in lines:
            terminal.write_line(f"    {line}")


def register(config: pytest.Config) -> None:
    """Print failures at once in CI; the processes beside xdist's own have no terminal."""
    if os.environ.get("CI") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailuresAtOnce(config), "failures_at_once")
