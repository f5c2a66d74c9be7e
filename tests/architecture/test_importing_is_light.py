"""`import insitu` and `insitu --help` load no heavy library. What is loaded is asserted, not how long it takes."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "Crypto",
    "aiohttp",
    "cryptography",
    "eth_account",
    "fastapi",
    "fsspec",
    "httpx",
    "lightkube",
    "pandas",
    "pydantic",
    "requests",
    "rich",
    "uvicorn",
    "web3",
}


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after a statement."""
    return {name.partition(".")[0] for name in modules_after(statement)}


def modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    report = "import json, sys; print('\\n' + json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", f"{statement}\n{report}"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return set(json.loads(ended.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = modules_after("import insitu")
    assert not {name.partition(".")[0] for name in loaded} & (HEAVY | {"click", "anyio", "asyncio"})
    assert not [name for name in loaded if name.startswith("insitu.adapters")]


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    assert not loaded_by("import insitu.cli") & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_asking_the_command_line_for_help_loads_nothing_heavy(arguments: list[str]) -> None:
    statement = f"""
import sys
sys.argv = ["insitu", *{arguments!r}]
import insitu.cli
try:
    insitu.cli.main()
except SystemExit as end:
    if end.code:
        raise
"""
    loaded = modules_after(statement)
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
    assert not [name for name in loaded if name.startswith("insitu.adapters")]
