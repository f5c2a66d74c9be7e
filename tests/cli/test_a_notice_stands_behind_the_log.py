"""The reason why a log ends comes after its last line, as a sentence."""

from collections.abc import AsyncIterator, Callable
from typing import cast

import anyio
from typing_extensions import override

from insitu.api.gateway_v1 import LogView
from insitu.cli.following import _print_logs
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

    async def logs(self) -> AsyncIterator[LogView]:
        for text, notice in (("one\ntw", False), ("no more of it is shown\n", True)):
            yield LogView(stage=0, attempt=0, offset=0, text=text, notice=notice)


async def test_the_last_line_comes_before_the_notice_and_the_notice_shows_no_line_feed() -> None:
    screen = Written()
    await _print_logs(cast(Execution, Ended()), screen, anyio.Event())
    assert screen.shown == ["| one", "| tw", "no more of it is shown"]
