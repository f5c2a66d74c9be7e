"""`insitu run` takes the options it knows and gives the rest to the algorithm; it asks instead of guessing."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.cli import running
from insitu.cli.app import run
from insitu.cli.run_request import RunRequest
from insitu.cli.session import Session
from insitu.domain import exit_codes

DID = "did:nv:" + "a" * 64


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[RunRequest]:
    """The order that would be carried out."""
    found: list[RunRequest] = []

    async def carry_out(client: object, session: Session, order: RunRequest) -> int:
        found.append(order)
        return exit_codes.OK

    def act(_: Session, work: Callable[[object], Awaitable[Any]], role: str = "") -> Any:
        return anyio.run(work, None)

    monkeypatch.setattr(running, "carry_out", carry_out)
    monkeypatch.setattr(Session, "act", act)
    return found


def test_options_that_are_not_ours_go_to_the_algorithm(orders: list[RunRequest]) -> None:
    assert run(["run", "--smallest=5", "count.py", "--on", DID, "--carrier=UA", "--empty=", "-o", "out"]) == 0
    assert orders[0].what == "count.py"
    assert orders[0].data == (DID,)
    assert orders[0].parameters == {"smallest": "5", "carrier": "UA", "empty": ""}
    assert (orders[0].output, orders[0].force) == (Path("out"), False)
    assert run(["run", "count.py", "--on", DID, "--force", "-o", "out"]) == 0
    assert (orders[1].output, orders[1].force) == (Path("out"), True)


def test_behind_two_dashes_everything_goes_to_the_algorithm(orders: list[RunRequest]) -> None:
    assert run(["run", "count.py", "--on", DID, "--", "--image=3", "--yes=no"]) == 0
    assert orders[0].parameters == {"image": "3", "yes": "no"}
    assert orders[0].image is None
    assert not orders[0].yes


def test_data_sets_keep_their_order(orders: list[RunRequest]) -> None:
    other = "did:nv:" + "b" * 64
    assert run(["run", "count.py", "--on", other, "--on", DID]) == 0
    assert orders[0].data == (other, DID)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name an algorithm, or a purchase with --agreement ID"),
        (["count.py"], "--on did:nv:…"),
        (["count.py", "--on", DID, "--smallest", "5"], "as --name=value"),
        (["count.py", "--on", DID, "-x=5"], "as --name=value"),
        (["count.py", "--on", DID, "--=5"], "as --name=value"),
        (["--agreement", "a" * 64, "--server", "large"], "runs what was bought"),
        (["--agreement", "a" * 64, "--on", DID], "runs what was bought"),
        (["count.py", "--on", DID, "--force"], "nothing is downloaded without --output"),
    ],
)
def test_what_is_unclear_is_not_guessed(
    arguments: list[str], message: str, orders: list[RunRequest], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", *arguments]) == exit_codes.USAGE
    assert message in capsys.readouterr().err
    assert not orders
