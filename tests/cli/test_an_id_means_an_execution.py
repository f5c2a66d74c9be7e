"""One id is enough if it is clear; if it means no execution, the code says which one is missing."""

from types import SimpleNamespace
from typing import Any

import pytest

from insitu.cli.targets import find_execution
from insitu.domain.errors import ERRORS, InsituError
from tests.cli.conftest import AGREEMENT, EXECUTION, NEXT, SECOND


class Compute:
    """Executions of one account, the newest first."""

    def __init__(self, *executions: str) -> None:
        self.known = tuple(
            SimpleNamespace(service_agreement_id=AGREEMENT, workflow_execution_id=execution) for execution in executions
        )

    async def executions(self, agreement: str | None = None) -> tuple[Any, ...]:
        return tuple(one for one in self.known if agreement in (None, one.service_agreement_id))

    async def execution(self, agreement: str, execution: str) -> tuple[str, str]:
        return agreement, execution


def client(*executions: str) -> Any:
    return SimpleNamespace(compute=Compute(*executions))


@pytest.mark.parametrize(
    ("ids", "meant"),
    [
        ((AGREEMENT,), NEXT),
        ((EXECUTION,), EXECUTION),
        ((EXECUTION, AGREEMENT), EXECUTION),
        ((AGREEMENT, NEXT), NEXT),
    ],
)
async def test_ids_mean_an_execution(ids: tuple[str, ...], meant: str) -> None:
    assert await find_execution(client(NEXT, EXECUTION), ids) == (AGREEMENT, meant)


@pytest.mark.parametrize(
    ("ids", "code", "step"),
    [
        ((SECOND,), "NotExecuted", "insitu run --agreement"),
        ((EXECUTION,), "ExecutionUnknown", "both ids"),
        ((EXECUTION, NEXT), "InvalidId", "executions wx"),
        ((AGREEMENT, SECOND), "InvalidId", "agreements have 64"),
    ],
)
async def test_what_is_missing_is_said(ids: tuple[str, ...], code: str, step: str) -> None:
    with pytest.raises(InsituError) as error:
        await find_execution(client(), ids)
    assert (error.value.code, step in ERRORS[code].next_step) == (code, True)
