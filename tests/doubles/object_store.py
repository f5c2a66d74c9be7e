"""An S3 server on a free port of 127.0.0.1 and in a temporary folder, for tests and benchmarks.

It is a real one, Versity S3 Gateway over a folder: it checks signatures, supports multipart uploads, ranges and
conditional puts, and what it has acknowledged is in its folder after it was killed.
"""

import ctypes
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from insitu.domain.errors import InsituError

__all__ = ["ObjectStoreServer", "find_object_store", "running_object_store"]

_PR_SET_PDEATHSIG = 1
_START_SECONDS = 30.0


def find_object_store() -> Path | None:
    """Return the server's program, or None if it is not on PATH."""
    found = shutil.which("versitygw")
    return Path(found) if found is not None else None


class ObjectStoreServer:
    """A server whose buckets are folders of ``folder``. It ends with this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.buckets = folder / "buckets"
        self.access_key, self.secret_key = f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30)
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "metadata").mkdir()
        self.buckets.mkdir()

    @property
    def endpoint(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the server while it runs."""
        if self._process is None:
            raise InsituError("InternalError", "the server does not run")
        return self._process.pid

    @property
    def credentials(self) -> str:
        """The text of a shared credentials file."""
        return f"[default]\naws_access_key_id = {self.access_key}\naws_secret_access_key = {self.secret_key}\n"

    def credentials_file(self) -> Path:
        """Write the keys into a file that only this user reads, and return it."""
        path = self.folder / "credentials"
        path.touch(0o600)
        path.write_text(self.credentials)
        return path

    def create_bucket(self, name: str) -> str:
        """Make a bucket and return its url."""
        (self.buckets / name).mkdir()
        return f"s3://{name}"

    def uploads(self, bucket: str) -> list[Path]:
        """Return the uploads in a bucket that were neither completed nor aborted."""
        return [path for path in (self.buckets / bucket / ".sgwtmp" / "multipart").glob("*/*") if path.is_dir()]

    def start(self) -> None:
        """Start, and return when it answers. Raises ``ExtraMissing`` where the program is not installed."""
        programme = find_object_store()
        if programme is None:
            raise InsituError("ExtraMissing", "versitygw is not on PATH: scripts/setup test builds it")
        # Metadata are in files: not every file system can keep them as extended attributes.
        backend = ("posix", "--sidecar", str(self.folder / "metadata"), str(self.buckets))
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [programme, "--port", f"127.0.0.1:{self.port}", "--quiet", "--keep-alive", *backend],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    env={
                        "ROOT_ACCESS_KEY": self.access_key,
                        "ROOT_SECRET_KEY": self.secret_key,
                        "HOME": str(self.folder),
                    },
                    preexec_fn=_end_with_parent,  # noqa: PLW1509 (started from the main thread)
                )
            while self._process.poll() is None and time.monotonic() < until:
                with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
                time.sleep(0.02)
            time.sleep(0.1)
        self.kill()
        raise InsituError("StorageFailed", f"the object store does not start: {self.log()}")

    def kill(self) -> None:
        """End it like a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def log(self) -> str:
        """Return what it said."""
        with suppress(FileNotFoundError):
            return (self.folder / "log").read_text("utf-8", "replace")
        return ""


@contextmanager
def running_object_store() -> Iterator[ObjectStoreServer]:
    """Start a server without buckets; end it and delete its files afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="insitu-s3-"))
    server = ObjectStoreServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    """Return a port below the ephemeral ones: it must still be free after a crash."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
