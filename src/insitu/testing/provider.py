"""A real provider for tests and measurements: ``insitu up`` as a separate process, on free ports, in a folder."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from insitu.sdk.synchronous import SyncClient
    from insitu.settings.sections import Settings

START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass
class ProviderProcess:
    """One provider that can be stopped, killed and started again on the same folder and the same ports.

    Parameters
    ----------
    home
        Its data folder; ``home/data`` is a data root.
    flags
        Settings, ``section.key`` to value.
    """

    home: Path
    flags: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[str] | None" = None
    url: str = ""

    @property
    def data(self) -> Path:
        """The folder of the files that may be published in place."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the process writes to standard error."""
        return self.home / "up.log"

    @property
    def pid(self) -> int:
        """The process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def settings(self) -> "Settings":
        """The settings of a client on this machine."""
        from insitu.settings.reading import read_settings

        return read_settings({}, self._flags(), self.home)

    def start(self) -> None:
        """Start, and return once it answers requests."""
        self.data.mkdir(parents=True, exist_ok=True)
        options = [word for name, value in self._flags().items() for word in ("--set", f"{name}={value}")]
        command = [sys.executable, "-m", "insitu", "--home", str(self.home), "--json", *options, "up"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self.url = str(self._announcement()["url"])
        # The ports of the first start are kept: documents and clients name them.
        chain = json.loads(self.settings.deployments.read_text())["rpcUrl"]
        ports = {"server.port": self.url.rpartition(":")[2], "chain.embedded_port": chain.rpartition(":")[2]}
        self.flags = {**self.flags, **ports}

    def client(self, account: str = "consumer") -> "SyncClient":
        """Connect as a development account (``consumer``, ``owner``, ``second-owner`` …). Close it."""
        from insitu.stack.client import connect

        return connect(self.url, account=account, settings=self.settings)

    def kill(self) -> None:
        """End the process as a power cut would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the process to stop, and wait for it."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Stop the process if it is running, and start it again."""
        self.stop()
        self.start()

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        self.process.wait(STOP_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    def _flags(self) -> dict[str, str]:
        defaults = {
            "server.port": "0",
            "chain.embedded_port": "0",
            "gateway.data_roots": json.dumps([str(self.data)]),
        }
        return {**defaults, **self.flags}

    def _announcement(self) -> dict[str, Any]:
        """Read the JSON that the process prints once it is ready."""
        assert self.process is not None
        assert self.process.stdout is not None
        text, give_up = "", time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            line = self.process.stdout.readline()
            if not line:
                break
            text += line
            try:
                announced: dict[str, Any] = json.loads(text)
            except ValueError:
                continue
            return announced
        tail = self.log.read_text(errors="replace")[-3000:]
        raise RuntimeError(f"the provider did not start (exit code {self.process.poll()}):\n{text}{tail}")


@contextmanager
def running_provider(home: Path, **flags: str) -> Iterator[ProviderProcess]:
    """Run a provider in a folder; ``flags`` are settings with ``__`` for the point (``operator__cpu="2"``)."""
    provider = ProviderProcess(home, {name.replace("__", "."): value for name, value in flags.items()})
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()
