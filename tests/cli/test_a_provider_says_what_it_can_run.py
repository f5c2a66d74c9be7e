"""`insitu up` says, as soon as that is proved, what algorithms run in, or why none can run."""

import pytest

from insitu.cli.commands.serve import _announce_runtime
from insitu.cli.session import Choices, Session
from insitu.cli.views import runtime_line
from insitu.domain.errors import InsituError
from insitu.ports.runtime import Enforcement


class Executing:
    """An operator whose runtime is refused."""

    async def proof(self) -> Enforcement:
        raise InsituError("RuntimeUnavailable", "crun: no user namespace\x1b[2J")


def test_what_is_not_limited_is_named_and_what_is_limited_is_not() -> None:
    limited = Enforcement("crun 1.8", {"memory": "cgroup", "network": "namespace"})
    assert runtime_line(limited) == "algorithms run sealed in crun 1.8"
    unlimited = Enforcement("crun 1.8", {"memory": "none", "cpu": "none", "pids": "rlimit"})
    assert runtime_line(unlimited).endswith("this machine cannot limit: cpu, memory (receipts say so)")


async def test_a_runtime_that_is_refused_is_reported_with_its_reason_and_the_next_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    await _announce_runtime(Session(Choices()), Executing())  # type: ignore[arg-type]
    said = capsys.readouterr().err
    assert "algorithms cannot run here, so nothing is sold: RuntimeUnavailable: crun: no user namespace" in said
    assert "\x1b" not in said
    assert "→ insitu doctor" in said
