"""A stage learns its memory and processors from variables that common runtimes obey."""

import pytest

from insitu.domain.granted_resources import THREADS, resource_variables
from insitu.domain.plan import Limits
from tests.parts import ROOT


def told(*, cpu_millis: int = 1000, memory_bytes: int = 1_000_000_000) -> dict[str, str]:
    limits = Limits(
        server_id="s", cpu_millis=cpu_millis, memory_bytes=memory_bytes, disk_bytes=1, max_execution_seconds=1
    )
    return resource_variables(limits)


def test_memory_and_processors_are_those_of_the_server() -> None:
    assert told(cpu_millis=2500)["INSITU_CPUS"] == "2.5"
    assert told()["INSITU_MEMORY_BYTES"] == "1000000000"


@pytest.mark.parametrize(("cpu_millis", "threads"), [(1, "1"), (500, "1"), (1000, "1"), (1001, "2"), (8000, "8")])
def test_a_part_of_a_core_is_a_whole_thread(cpu_millis: int, threads: str) -> None:
    found = told(cpu_millis=cpu_millis)
    assert {found[name] for name in THREADS} == {threads}
    assert f"-XX:ActiveProcessorCount={threads}" in found["JAVA_TOOL_OPTIONS"].split()


def test_a_heap_leaves_room_for_what_its_runtime_needs_beside_it() -> None:
    found = told(memory_bytes=1 << 30)
    assert "-Xmx716m" in found["JAVA_TOOL_OPTIONS"].split()
    assert found["NODE_OPTIONS"] == "--max-old-space-size=716"
    assert int(found["DOTNET_GCHeapHardLimit"], 16) == (1 << 30) * 70 // 100


def test_what_counts_nearly_all_of_its_memory_gets_nearly_all() -> None:
    found = told(memory_bytes=1 << 30)
    assert found["GOMEMLIMIT"] == found["R_MAX_VSIZE"] == str((1 << 30) * 90 // 100)


def test_the_smallest_server_still_has_a_heap() -> None:
    assert "-Xmx1m" in told(memory_bytes=1)["JAVA_TOOL_OPTIONS"].split()


@pytest.mark.needs("docs")
def test_the_page_for_authors_shows_every_variable() -> None:
    page = (ROOT / "docs/how-to/write-an-algorithm.md").read_text("utf-8")
    assert [name for name in told() if f"`{name}`" not in page] == []
