"""Runs inside a pod that is made like a Compute Pod: tries what an algorithm must not be able to do, and tells.

Standard library only, and no import of ours: the pod runs this text with ``python3 -I -c``. It connects and says
nothing, and writes to its own volume only, so that even a broken wall does no harm here.
"""

import contextlib
import errno
import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

TARGETS = os.environ["PROBE_TARGETS"].split()
ROOM = int(os.environ["PROBE_BYTES"])
MESSAGE = os.environ["PROBE_MESSAGE"]
MANY = 1024


def connect(target: str) -> str:
    """Name what a connection led to; "open" and "refused" both mean that somebody answered."""
    host, _, port = target.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=3):
            return "open"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)


def resolve(name: str) -> str:
    """Name what asking for a name led to."""
    try:
        return str(socket.getaddrinfo(name, 443)[0][4][0])
    except OSError as error:
        return type(error).__name__


def fill(path: str, room: int) -> str:
    """Write beyond a volume's size; tell which error stopped it."""
    try:
        with open(path, "wb", buffering=0) as file:  # noqa: PTH123 (this is the fastest to start)
            while room > 0:
                room -= file.write(bytes(min(room, 1 << 20)))
            os.fsync(file.fileno())
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "?")
    return "ok"


def threads() -> int:
    """Count the threads that can be had, up to many."""
    threading.stack_size(64 * 1024)
    end = threading.Event()
    started: list[threading.Thread] = []
    with contextlib.suppress(RuntimeError):
        while len(started) < MANY:
            thread = threading.Thread(target=end.wait)
            thread.start()
            started.append(thread)
    end.set()
    for thread in started:
        thread.join()
    return len(started)


def status() -> "dict[str, str]":
    """What the kernel says of this process."""
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def writable(folder: str) -> bool:
    """Tell whether a folder can be written to."""
    return os.access(folder, os.W_OK)


def main() -> None:
    """Try everything, and leave the findings as the container's last word."""
    with ThreadPoolExecutor(len(TARGETS) + 1) as pool:
        reached = dict(zip(TARGETS, pool.map(connect, TARGETS), strict=True))
        name = pool.submit(resolve, "kubernetes.default.svc").result()
    own = status()
    found = {
        "reached": reached,
        "name": name,
        "devices": sorted(name for _, name in socket.if_nameindex()),
        "uid": os.getuid(),
        "capabilities": int(own["CapEff"].strip(), 16),
        "no_new_privileges": own["NoNewPrivs"].strip() == "1",
        "seccomp": own["Seccomp"].strip() == "2",
        "writable": [folder for folder in ("/", "/etc", "/usr", "/mnt") if writable(folder)],
        "token": os.path.exists("/var/run/secrets/kubernetes.io"),  # noqa: PTH110
        "disk": fill("/mnt/output/probe", ROOM),
        "threads": threads(),
    }
    with open(MESSAGE, "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(json.dumps(found))


if __name__ == "__main__":
    main()
