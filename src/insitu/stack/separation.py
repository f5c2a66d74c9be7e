"""A provider that is started as root becomes two processes, and only the engine stays root (ADR 0037).

Mounts, namespaces and control groups need root; reading what strangers send does not. So the process forks before it
opens anything. The child stays root and runs operator and engine on a UNIX socket, in a folder that only root can
enter. The parent becomes an ordinary user for good and answers HTTP. Each ends when the other does.
"""

import logging
import os
import pwd
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio import to_thread

from insitu.domain.errors import InsituError
from insitu.settings.sections import Settings
from insitu.stack.share import Share

logger = logging.getLogger("insitu.stack.separation")

END_SECONDS = 20
"""How long the parent waits for the engine to end before it ends itself."""

_SYSTEM_USER = "insitu"
_PUBLIC: tuple[str, ...] = ("keys", "chain", "blobs", "earlier", "metadata.db", "gateway.db", "lock")
"""What belongs to the process that answers HTTP; databases have companions (``-wal``, ``-shm``)."""
_ENGINE: tuple[str, ...] = ("operator.db", "logs", "runs")
"""What belongs to the engine."""


class _Engine:
    """The engine, seen from the process that answers HTTP.

    Parameters
    ----------
    bell
        Descriptor that yields a byte when the engine answers, and ends when the engine does.
    tether
        Descriptor that asks the engine to end when it is closed.
    """

    def __init__(self, pid: int, bell: int, tether: int) -> None:
        self._pid = pid
        self._bell = bell
        self._tether = tether
        self._answers = anyio.Event()

    async def ready(self) -> bool:
        """Wait until it answers."""
        await self._answers.wait()
        return True

    async def ended(self) -> None:
        """Raise ``PeerUnavailable`` when it has ended: this process can no longer start it as root."""
        await anyio.wait_readable(self._bell)
        if not os.read(self._bell, 1):
            raise InsituError("PeerUnavailable", "the engine could not start; the log says why")
        self._answers.set()
        await anyio.wait_readable(self._bell)
        raise InsituError("PeerUnavailable", "the engine has ended; start again")

    async def end(self) -> None:
        """Ask it to end, and wait."""
        os.close(self._tether)
        with anyio.move_on_after(END_SECONDS):
            await anyio.wait_readable(self._bell)
            await to_thread.run_sync(os.waitpid, self._pid, 0, abandon_on_cancel=True)


@dataclass(frozen=True, slots=True)
class _Parent:
    """The process that answers HTTP, seen from the engine."""

    bell: int
    tether: int

    async def ready(self) -> bool:
        """Announce that the engine answers."""
        os.write(self.bell, b"!")
        return False

    async def ended(self) -> None:
        """Return when the parent has ended, or wants the engine to end."""
        await anyio.wait_readable(self.tether)

    async def end(self) -> None:
        """Do nothing: the parent notices."""


def separate(share: Share) -> Share:
    """Fork if this process is root and has a user to become; return the share of the process that returns.

    Call it before anything else is opened and before there are threads.

    Raises ``SettingsInvalid`` for a user that does not exist, or that cannot reach the data folder or this program.
    """
    settings = share.settings
    user = _user(settings)
    if user is None or not {"gateway", "operator"} <= share.actors:
        if os.geteuid() == 0 and "gateway" in share.actors:
            logger.warning(
                "answering HTTP as root; to avoid that, create a user with: useradd --system %s", _SYSTEM_USER
            )
        return share
    _lay_out(settings.home, user)
    inside = _socket(settings.home / "run" / "operator.sock", user)
    tether, tether_end = os.pipe()
    bell, bell_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()  # Ctrl-C goes to the parent, which then asks this process to end.
        os.close(tether_end)
        os.close(bell)
        own = _engine_settings(settings, _local_url(share.listening))
        share.listening.close()
        parent = _Parent(bell_end, tether)
        # The engine of a provider that was killed a moment ago may still be ending.
        return Share(own, frozenset({"operator"}), inside, share.public_url, parent, patience=END_SECONDS)
    os.close(tether)
    os.close(bell_end)
    operator = settings.operator.model_copy(update={"url": f"unix:{inside.getsockname()}"})
    inside.close()
    _become(user)
    _require_access(settings, user)
    public = settings.model_copy(update={"operator": operator})
    engine = _Engine(pid, bell, tether_end)
    return Share(public, share.actors - {"operator"}, share.listening, share.public_url, engine)


def _user(settings: Settings) -> pwd.struct_passwd | None:
    """Return the user to become: that of the settings, else the system user ``insitu`` if it exists."""
    if os.geteuid() != 0:
        return None
    name = settings.server.user
    try:
        found = pwd.getpwnam(name or _SYSTEM_USER)
    except KeyError:
        if name is None:
            return None
        detail = f"server.user: there is no user {name} on this machine; create it with: useradd --system {name}"
        raise InsituError("SettingsInvalid", detail) from None
    return found if found.pw_uid != 0 else None


def _engine_settings(settings: Settings, gateway_url: str) -> Settings:
    """Return the engine's settings: its own data folder, and neighbours reached over HTTP."""
    gateway = settings.gateway.model_copy(update={"url": gateway_url})
    return settings.model_copy(update={"home": settings.home / "engine", "gateway": gateway})


def _lay_out(home: Path, user: pwd.struct_passwd) -> None:
    """Create the data folder, or repair its rights.

    It belongs to root and is sticky: the user can create its own files there but neither replace nor remove root's.
    Nobody else can enter.
    """
    home.mkdir(parents=True, exist_ok=True)
    os.chown(home, 0, user.pw_gid)
    home.chmod(0o1770)
    images = home / "images"
    images.mkdir(exist_ok=True)
    os.chown(images, 0, user.pw_gid)
    images.chmod(0o750)
    engine = home / "engine"
    if not engine.exists():
        engine.mkdir(mode=0o700)
        (engine / "images").symlink_to(home / "images")
        for path in _with_companions(home, _ENGINE):
            shutil.move(path, engine / path.name)
    if (found := engine.lstat()).st_uid != 0 or not stat.S_ISDIR(found.st_mode):
        raise InsituError("SettingsInvalid", f"{engine} must be a folder of root")
    _copy_service_key(home, engine)
    for path in _with_companions(home, _PUBLIC):
        if path.lstat().st_uid == 0:
            _give(path, user)


def _with_companions(home: Path, names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        yield from home.glob(f"{name}*") if name.endswith(".db") else (path for path in [home / name] if path.exists())


def _copy_service_key(home: Path, engine: Path) -> None:
    """Give both processes the key that identifies the gateway to the operator."""
    from insitu.adapters.keys.secrets import service_key

    key = service_key(home / "keys" / "service.key")
    kept = engine / "keys" / "service.key"
    if not kept.exists() or service_key(kept) != key:
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        kept.unlink(missing_ok=True)
        shutil.copy2(home / "keys" / "service.key", kept)


def _give(path: Path, user: pwd.struct_passwd) -> None:
    """Give the user what root created in earlier runs. Links are given away, not followed."""
    os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    for above, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(above) / name, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _socket(path: Path, user: pwd.struct_passwd) -> socket.socket:
    """Listen where only root and the user's group may connect."""
    path.parent.mkdir(mode=0o750, exist_ok=True)
    os.chown(path.parent, 0, user.pw_gid)
    path.parent.chmod(0o750)
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    os.chown(path, 0, user.pw_gid)
    path.chmod(0o660)
    listening.listen(128)
    return listening


def _local_url(listening: socket.socket) -> str:
    """Return the address where the engine reaches the gateway."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  every address includes this one
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _become(user: pwd.struct_passwd) -> None:
    """Become the user for good: real, effective and saved ids, and no other groups."""
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        os.environ.pop(name, None)


def _require_access(settings: Settings, user: pwd.struct_passwd) -> None:
    """Report now what would fail later: modules are imported and programs started after this."""
    import insitu

    wanted = {
        settings.home: os.R_OK | os.W_OK | os.X_OK,
        Path(insitu.__file__): os.R_OK,
        Path(sys.prefix): os.R_OK | os.X_OK,
    }
    for path, rights in wanted.items():
        if not os.access(path, rights):
            detail = f"server.user: {user.pw_name} cannot use {path}; move it, or open the folders above it (chmod o+x)"
            raise InsituError("SettingsInvalid", detail)
