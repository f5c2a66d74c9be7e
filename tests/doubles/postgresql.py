"""A PostgreSQL server in a temporary folder and on a Unix socket, for tests and benchmarks."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from insitu.domain.errors import InsituError

__all__ = ["PostgresqlServer", "find_postgresql", "running_postgresql"]

_PR_SET_PDEATHSIG = 1
_START_SECONDS = 60.0
_SETTINGS = {
    "listen_addresses": "",
    "dynamic_shared_memory_type": "posix",
    "log_min_messages": "warning",
}


def find_postgresql() -> Path | None:
    """Return the folder with ``initdb`` and ``postgres``, the newest that is installed, or None."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    on_path = shutil.which("postgres")
    places = [*reversed(debian), *([Path(on_path).resolve().parent] if on_path else [])]
    return next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)


class PostgresqlServer:
    """A server whose data live in ``folder``, which must be empty, short to write, and may be entered by everybody.

    ``settings`` are those of ``postgresql.conf`` that are not the defaults. PostgreSQL refuses to be root: where this
    process is, the server is another user's. It ends with this process.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        self.folder = folder
        self._settings = {**_SETTINGS, "unix_socket_directories": str(folder), **settings}
        self._data = folder / "data"
        self._user = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The url of its one database."""
        return f"postgresql://insitu@/postgres?host={self.folder}"

    @property
    def pid(self) -> int:
        """The process id of the server while it runs."""
        if self._process is None:
            raise InsituError("InternalError", "the server does not run")
        return self._process.pid

    def create(self) -> None:
        """Make the files of a new database. Raises ``ExtraMissing`` where PostgreSQL is not installed."""
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        options = ["--username=insitu", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        ended = subprocess.run(
            [_programme("initdb"), f"--pgdata={self._data}", *options],
            capture_output=True,
            check=False,
            **self._as_user(),
        )
        if ended.returncode != 0:
            raise InsituError("StorageFailed", f"initdb: {ended.stderr.decode(errors='replace').strip()}")

    def start(self) -> None:
        """Start, and return when it answers. After :meth:`kill` it repairs its files by itself."""
        arguments = [f"--{name}={value}" for name, value in self._settings.items()]
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [_programme("postgres"), "-D", str(self._data), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    preexec_fn=_end_with_parent,  # noqa: PLW1509 (started from the main thread)
                    **self._as_user(),
                )
            # A killed server leaves children for a moment, and another one refuses to start while they run.
            while self._process.poll() is None:
                if _answers(self.url):
                    return
                time.sleep(0.05)
            time.sleep(0.1)
        raise InsituError("StorageFailed", f"PostgreSQL does not start: {self.log()}")

    def kill(self) -> None:
        """End it as a crash would: SIGKILL, nothing is written any more."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it at once, in order (SIGINT: connections are closed by the server)."""
        self._end(signal.SIGINT)

    def quit(self) -> None:
        """End it without a word to the disk (SIGQUIT), for its files are not needed any more."""
        self._end(signal.SIGQUIT)

    def log(self) -> str:
        """Return what it said."""
        with suppress(FileNotFoundError):
            return (self.folder / "log").read_text("utf-8", "replace")
        return ""

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait()
        self._process = None

    def _as_user(self) -> dict[str, Any]:
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        found: dict[str, Any] = {"cwd": self.folder, "env": environment}
        if self._user is not None:
            found |= {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return found


@contextmanager
def running_postgresql(**settings: str) -> Iterator[PostgresqlServer]:
    """Create and start a server; end it and delete its files afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="insitu-pg-", dir="/tmp"))
    server = PostgresqlServer(folder, settings)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.quit()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _programme(name: str) -> str:
    folder = find_postgresql()
    if folder is None:
        raise InsituError("ExtraMissing", "PostgreSQL is not installed: apt-get install postgresql")
    return str(folder / name)


def _unprivileged() -> pwd.struct_passwd | None:
    """The user that runs the server if this process is root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
