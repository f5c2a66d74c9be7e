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
OUTSIDE = "8.8.8.8"
QUESTION = bytes.fromhex("494e 0100 0001 0000 0000 0000") + b"\nkubernetes\7default\3svc\0" + bytes.fromhex("0001 0001")
"""A question for an address (RFC 1035, 4.1)."""


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


def ask(server: str) -> str:
    """Name what asking a name server by UDP led to: any answer means that questions get out, and with them data."""
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.settimeout(1)
        try:
            own.connect((server, 53))
            for _ in range(3):  # a packet can be lost; three are a wall
                own.send(QUESTION)
                with contextlib.suppress(TimeoutError):
                    own.recv(512)
                    return "open"
        except ConnectionRefusedError:
            return "refused"
        except OSError as error:
            return errno.errorcode.get(error.errno or 0, type(error).__name__)
    return "TimeoutError"


def name_servers() -> "list[str]":
    """Return the name servers that the cluster gives to pods; one on the pod's own loopback reaches nobody."""
    with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        words = [line.split() for line in file]
    found = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
    return [server for server in found if not server.startswith("127.") and server != "::1"]


def fill(path: str, room: int) -> str:
    """Write beyond a volume's size; return which error stopped it."""
    try:
        with open(path, "wb", buffering=0) as file:  # noqa: PTH123 (this is the fastest to start)
            while room > 0:
                room -= file.write(bytes(min(room, 1 << 20)))
            os.fsync(file.fileno())
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "?")
    return "ok"


def threads() -> int:
    """Count the threads that can be started, up to many."""
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
    """Return what the kernel says about this process."""
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def writable(folder: str) -> bool:
    """Return whether a folder can be written to."""
    return os.access(folder, os.W_OK)


def main() -> None:
    """Try everything, and leave the findings as the container's last word."""
    servers = name_servers()
    targets = [*TARGETS, *(f"[{server}]:53" if ":" in server else f"{server}:53" for server in servers)]
    with ThreadPoolExecutor(len(targets) + len(servers) + 1) as pool:
        asked = {f"{server}:53/udp": pool.submit(ask, server) for server in (*servers, OUTSIDE)}
        reached = dict(zip(targets, pool.map(connect, targets), strict=True))
        reached.update({target: answer.result() for target, answer in asked.items()})
    own = status()
    found = {
        "reached": reached,
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
