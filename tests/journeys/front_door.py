"""What stands in front of two gateways in production: one address for whichever gateway answers."""

import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

__all__ = ["front_door"]


@contextmanager
def front_door(targets: Sequence[int]) -> Iterator[int]:
    """Listen on a port and pass every connection on to the first target port that takes it."""

    class Passing(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            behind = _first(targets)
            if behind is None:
                return
            with behind:
                back = threading.Thread(target=_pass_on, args=(behind, self.request), daemon=True)
                back.start()
                _pass_on(self.request, behind)
                back.join()

    class Door(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Door(("127.0.0.1", 0), Passing) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        try:
            yield door.server_address[1]
        finally:
            door.shutdown()


def _first(ports: Sequence[int]) -> socket.socket | None:
    for port in ports:
        with suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), timeout=5)
    return None


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    source.settimeout(None)
    with suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
