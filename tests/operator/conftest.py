"""An operator over a scripted runtime, for every test of this folder."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.recording_gateway import RecordingGateway
from tests.doubles.scripted_operator import ScriptedOperator, scripted_operator

Start = Callable[..., AbstractAsyncContextManager[ScriptedOperator]]


@pytest.fixture
def gateway(tmp_path: Path) -> RecordingGateway:
    return RecordingGateway(tmp_path / "gateway")


@pytest.fixture
def start(tmp_path: Path, gateway: RecordingGateway) -> Start:
    """Start an operator on the test's folder; starting it again after the block is a restart."""

    def started(script: Any = None, **settings: Any) -> AbstractAsyncContextManager[ScriptedOperator]:
        return scripted_operator(tmp_path / "operator", gateway, script, **settings)

    return started
