"""The process of the development chain: find it, start it as a child that does not outlive us, watch it, stop it."""

import asyncio
import logging
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import insitu
from insitu.adapters.chain import tether
from insitu.adapters.chain.rpc import JsonRpc
from insitu.domain.errors import InsituError

logger = logging.getLogger(__name__)

_READY_WITHIN = 30.0
"""Seconds until the first answer; usually it takes 0.1, more with a large state on a busy machine."""

_CHECK_EVERY = 0.005
_STOP_WITHIN = 20.0
"""Seconds for saving the state; then the process is killed."""

_OLD_STATES = 1000
"""How many states of old blocks stay on disk, about 0.2 MB each; nothing here reads the state of a block so old."""

_MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
_INSTALL = (
    # Some versions of npm leave out the package of the program, which @foundry-rs/anvil only recommends.
    f"npm install --global @foundry-rs/anvil-linux-{_MACHINE}; in a clone: scripts/setup run; or set chain.rpc_url"
)


def find_anvil() -> Path:
    """Return the program: from the clone's npm packages, else on PATH, else where foundryup installs it.

    It counts only if it runs. Raises ``ExtraMissing`` with the command that installs it.
    """
    modules = Path(insitu.__file__).parents[2] / "contracts" / "node_modules"
    places = [
        modules / ".bin" / "anvil",
        *sorted(modules.glob("@foundry-rs/anvil-*/bin/anvil")),
        Path(shutil.which("anvil") or ""),
        Path.home() / ".foundry" / "bin" / "anvil",
    ]
    broken = ""
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            why = _fault(place)
            if why is None:
                return place
            broken = broken or f"{place} does not run ({why}); "
    raise InsituError("ExtraMissing", f"{broken}the embedded chain needs anvil: {_INSTALL}")


def _fault(program: Path) -> str | None:
    """Return why a program cannot even print its version: a launcher may be there without what it launches."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)[:200]
    if done.returncode == 0:
        return None
    return ((done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"])[-1][:200]


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class AnvilProcess:
    """One run of anvil on 127.0.0.1.

    Parameters
    ----------
    port
        TCP port to listen on.
    log
        File for its standard output and error; each run starts it again.
    arguments
        More arguments.
    inherited
        Descriptors that the process keeps open, for instance a lock that must last as long as it runs.
    """

    def __init__(self, port: int, log: Path, arguments: tuple[str, ...] = (), inherited: tuple[int, ...] = ()) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        self._arguments = arguments
        self._inherited = inherited
        self._states = log.with_name(f"{log.name}.states")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def start(self) -> None:
        """Start it and wait for its first answer. Raises ``ExtraMissing``, ``PortTaken``, ``ChainUnavailable``."""
        if not _bindable(self.port):
            detail = f"port {self.port} of 127.0.0.1 is in use: stop what uses it, or set chain.embedded_port"
            raise InsituError("PortTaken", detail)
        # The kernel watches the thread that forks, so this is done here and not in a worker thread.
        self._forget_states()
        command = [str(find_anvil()), "--silent", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--cache-path", str(self._states), "--max-persisted-states", str(_OLD_STATES), *self._arguments]
        child = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *command]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - forking takes a millisecond, see above
                child,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self._inherited,
                process_group=0,  # Ctrl-C in a terminal is for us: we still need the chain while we stop
            )
        try:
            await self._wait_for_answer()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    async def ended(self) -> int:
        """Wait without polling until the process has ended; return its exit code."""
        assert self._process is not None
        descriptor = os.pidfd_open(self._process.pid)
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
        return self._process.wait()

    async def stop(self) -> None:
        """Let it save its state and end; kill it if it does not. Idempotent."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.ended(), _STOP_WITHIN)
        except TimeoutError:
            logger.warning("the embedded chain did not stop within %g s and is killed", _STOP_WITHIN)
            self._process.kill()
            self._process.wait()
        self._forget_states()

    def last_words(self) -> str:
        """Return the end of its output, on one line."""
        text = self._log.read_text("utf-8", "replace") if self._log.exists() else ""
        return " ".join(text.split())[-600:]

    def _forget_states(self) -> None:
        """Remove the states of old blocks, which anvil leaves on disk and no later run reads."""
        if self._states.exists():
            shutil.rmtree(self._states)

    async def _wait_for_answer(self) -> None:
        assert self._process is not None
        give_up = asyncio.get_running_loop().time() + _READY_WITHIN
        async with JsonRpc(self.url) as rpc:
            while asyncio.get_running_loop().time() < give_up:
                if self._process.poll() is not None:
                    detail = f"anvil ended with {self._process.returncode}: {self.last_words()}"
                    raise InsituError("ChainUnavailable", detail)
                if await _listening(self.port):
                    await rpc.call("eth_chainId")
                    return
                await asyncio.sleep(_CHECK_EVERY)
        raise InsituError("ChainUnavailable", f"anvil does not answer after {_READY_WITHIN:g} s: {self.last_words()}")


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def _listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
