"""What an interrupted demo left unfinished ends before balances are read, because its payments are not this demo's."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from insitu.cli.demo.narrator import Narrator
from insitu.cli.demo.story import EARLIER_SECONDS, Story
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase

AGREEMENT = "ab" * 32


class Compute:
    """Executions of the data scientist, and which of them were waited for."""

    def __init__(self, *views: tuple[str, Phase, int | None, bool]) -> None:
        self.views = views
        self.waited: list[tuple[str, float]] = []

    async def executions(self) -> tuple[Any, ...]:
        names = ("workflow_execution_id", "phase", "charge", "settled")
        return tuple(
            SimpleNamespace(service_agreement_id=AGREEMENT, **dict(zip(names, view, strict=True)))
            for view in self.views
        )

    async def execution(self, agreement: str, execution: str) -> Any:
        assert agreement == AGREEMENT

        async def wait(seconds: float) -> None:
            self.waited.append((execution, seconds))

        return SimpleNamespace(wait=wait)


async def test_executions_that_run_or_are_not_settled_end_first(capsys: pytest.CaptureFixture[str]) -> None:
    compute = Compute(
        ("wxrunning", Phase.EXECUTING, None, False),
        ("wxunsettled", Phase.SUCCEEDED, 8, False),
        ("wxsettled", Phase.SUCCEEDED, 8, True),
        ("wxfree", Phase.FAILED, 0, False),
        ("wxstopped", Phase.STOPPED, None, False),
    )
    people: Any = SimpleNamespace(scientist=SimpleNamespace(compute=compute))
    nothing: Any = None
    await Story(people, Narrator(), Path(), nothing, nothing).wait_for_earlier()
    assert compute.waited == [("wxrunning", EARLIER_SECONDS), ("wxunsettled", EARLIER_SECONDS)]
    assert "waiting for execution wxrunning of an interrupted demo to end" in capsys.readouterr().out


def test_a_demo_that_sees_something_else_says_what(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator()
    narrator.check("two and two are four", True)
    with pytest.raises(InsituError, match=r"DemoFailed: .*two and two are five"):
        narrator.check("two and two are five", False)
    assert narrator.checks == ["two and two are four"]
    assert "five" not in capsys.readouterr().out
