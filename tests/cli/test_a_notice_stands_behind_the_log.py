"""The reason why a log ends comes after its last line, as a sentence."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

from typing_extensions import override

from insitu.api.gateway_v1 import EventView, LogView
from insitu.cli.following import watch
from insitu.cli.screen import Activity
from insitu.sdk.execution import Execution


class Written(Activity):
    def __init__(self) -> None:
        self.shown: list[str] = []

    @override
    def title(self, tell: Callable[[], str]) -> None:
        self.shown.append(tell())

    @override
    def say(self, text: str) -> None:
        self.shown.append(text)

    @override
    def log(self, text: str) -> None:
        self.shown.append(f"| {text}")


class Ended:
    """An execution whose log broke off in the middle of a line."""

    def __init__(self, *pieces: tuple[str, bool], actions: tuple[str, ...] = ("logs",)) -> None:
        self._pieces = pieces
        self._actions = actions

    async def stream(self) -> AsyncIterator[EventView | LogView]:
        for text, notice in self._pieces:
            yield LogView(stage=0, attempt=0, offset=0, text=text, notice=notice)
        ids = {"service_agreement_id": "ab" * 32, "workflow_execution_id": "wx" + "a" * 26}
        event = {"sequence": 1, "number": 1, "type": "settled", "at": datetime.now(UTC), "role": "consumer"}
        yield EventView.model_validate({**event, **ids, "data": {"transaction": "0x01"}})

    async def status(self) -> SimpleNamespace:
        return SimpleNamespace(actions=self._actions)


async def watched(*pieces: tuple[str, bool], **options: tuple[str, ...]) -> list[str]:
    screen = Written()
    await watch(cast(Execution, Ended(*pieces, **options)), screen)
    return [line for line in screen.shown if not line.startswith("settled")]


async def test_the_last_line_comes_before_the_notice_and_the_notice_shows_no_line_feed() -> None:
    shown = await watched(("one\n\ntw", False), ("o\nthr", False), ("no more of it is shown\n", True))
    assert shown == ["| one", "| ", "| two", "| thr", "no more of it is shown"]


async def test_a_log_that_the_owners_hide_is_said_to_be_hidden() -> None:
    assert await watched(actions=("receipt",)) == ["the owner's rules hide the logs of this execution"]
