"""A real provider for a journey: `insitu up` as a separate process, and the command line of the people around it."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from insitu import Stage, connect

INSITU = (sys.executable, "-m", "insitu")
START_SECONDS, STOP_SECONDS = 90, 30


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code, its output, and what it wrote to standard error."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The output, if it is one line."""
        (line,) = self.out.splitlines()
        return line

    @property
    def json(self) -> Any:
        """The output, if it is JSON."""
        return json.loads(self.out)

    @property
    def problem(self) -> Any:
        """The problem document of a command with ``--json``."""
        return json.loads(self.err.splitlines()[-1])


def environment(**extra: str) -> dict[str, str]:
    """The environment without the settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INSITU_")}
    return kept | {"NO_COLOR": "1", "PYTHONWARNINGS": "default"} | extra


@dataclass(frozen=True)
class Person:
    """Somebody at a terminal far from the provider: a data folder, an account, and the provider's address."""

    home: Path
    url: str
    account: str | None = None
    flags: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """The beginning of each command."""
        settings = [part for flag in self.flags for part in ("--set", flag)]
        account = ["--account", self.account] if self.account else []
        return [*INSITU, "--home", str(self.home), "--url", self.url, *settings, *account]

    def insitu(self, *arguments: str | Path, typed: str = "") -> Ended:
        """Run a command to its end, without a terminal, in this process: it is the same code and starts faster."""
        from insitu.cli.app import run

        out, err = io.StringIO(), io.StringIO()
        typing = io.TextIOWrapper(io.BytesIO(typed.encode()))
        variables = {name: value for name, value in environment(**self.variables).items() if name != "PYTHONWARNINGS"}
        with (
            mock.patch.dict(os.environ, variables, clear=True),
            mock.patch.object(sys, "stdin", typing),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = run([*self.command[len(INSITU) :], *map(str, arguments)])
        return Ended(code, out.getvalue(), err.getvalue())

    def workflow(self, script: Path, data: str) -> str:
        """Publish a workflow of one script on a data set from Python, without buying it; return its DID."""
        with connect(self.url, account=self.account, home=self.home) as client:
            algorithm = client.assets.publish_algorithm(script.name, script)
            stage = Stage(algorithm=algorithm.did, inputs=[data])
            return str(client.assets.publish_workflow(script.name, [stage]).did)

    def started(self, *arguments: str | Path) -> Ended:
        """Run a command as a separate process, like a scheduler."""
        ended = subprocess.run(
            [*self.command, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            env=environment(**self.variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def succeeds(self, *arguments: str | Path, typed: str = "") -> Ended:
        """Run a command that must succeed."""
        ended = self.insitu(*arguments, typed=typed)
        assert ended.code == 0, f"insitu {' '.join(map(str, arguments))}: {ended.code}\n{ended.out}\n{ended.err}"
        return ended


@dataclass
class Provider:
    """A running `insitu up`, with an image, and a folder of data that may be published."""

    home: Path
    data: Path
    process: "subprocess.Popen[str]"
    announced: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.announced["url"])

    @property
    def rpc_url(self) -> str:
        return str(json.loads((self.home / "chain" / "deployments.json").read_text())["rpcUrl"])

    def person(self, account: str) -> Person:
        """Somebody with a development account, on the provider's machine."""
        return Person(self.home, self.url, account)

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to end and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        return self.process.wait(STOP_SECONDS)

    def close(self) -> None:
        """Free what is left of an ended process."""
        if self.process.stdout is not None:
            self.process.stdout.close()


def build_image(home: Path, user: int | None = None) -> str:
    """Build the smallest image, the host's Python, and return its digest."""
    built = subprocess.run(
        [*INSITU, "--home", str(home), "--json", "image", "build"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
        **as_user(user),
    )
    return str(json.loads(built.stdout)["checksum"])


def as_user(user: int | None) -> dict[str, Any]:
    """How to start a process as another user without groups; None starts it as this one."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def start(home: Path, data: Path, *flags: str, user: int | None = None) -> Provider:
    """Start `insitu up` on free ports and wait for its announcement."""
    settings = [part for flag in ("server.port=0", "chain.embedded_port=0", *flags) for part in ("--set", flag)]
    log = (home / "up.log").open("a")
    process = subprocess.Popen(
        [*INSITU, "--home", str(home), *settings, "up", "--json", "--data", str(data)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
        **as_user(user),
    )
    log.close()
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(f"insitu up ended with {process.wait(START_SECONDS)}:\n{(home / 'up.log').read_text()}")
    return Provider(home, data, process, json.loads(line))


Actor = AbstractContextManager[str]
"""A process of one actor: its address, until it has ended cleanly."""


@contextmanager
def actor(name: str, home: Path, settings: Sequence[str], **variables: str) -> Iterator[str]:
    """Start `insitu serve` for one actor, wait for its announcement, and end it."""
    with serving((name,), home, settings, **variables) as (_, url):
        yield url


@contextmanager
def serving(
    actors: Sequence[str], home: Path, settings: Sequence[str], endings: Sequence[int] = (0,), **variables: str
) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start `insitu serve` and yield the process and its address once it announces itself.

    At the end it is asked to stop; ``endings`` are the exit codes to expect.
    """
    flags = [part for setting in settings for part in ("--set", setting)]
    with (home / "serve.log").open("a") as log:
        process = subprocess.Popen(
            [*INSITU, "--home", str(home), *flags, "serve", *actors, "--json"],
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (home / "serve.log").read_text()[-4000:]
        yield process, str(json.loads(line)["url"])
    finally:
        if process.poll() is None:
            process.terminate()
        code = process.wait(STOP_SECONDS)
        process.stdout.close()
        assert code in endings, (home / "serve.log").read_text()[-4000:]


@contextmanager
def provider(folder: Path, *flags: str) -> Iterator[Provider]:
    """A provider below a folder, from its first start to its end."""
    home, data = folder / "home", folder / "data"
    home.mkdir()
    data.mkdir()
    build_image(home)
    running = start(home, data, *flags)
    try:
        yield running
    finally:
        code = running.stop()
        running.close()
        assert code == 0, (home / "up.log").read_text()[-4000:]


def restart(ended: Provider) -> Provider:
    """Start again on the same folder and under the same addresses, which documents name."""
    ended.close()
    ports = {"server": ended.url, "chain": ended.rpc_url}
    names = {"server": "server.port", "chain": "chain.embedded_port"}
    return start(ended.home, ended.data, *(f"{names[one]}={urlsplit(url).port}" for one, url in ports.items()))
