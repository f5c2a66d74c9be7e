"""Stands before a server, passes everything on, and keeps what it was asked."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

from typing_extensions import override


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def recording_relay(port: int, server: int) -> Iterator[list[bytes]]:
    """Listen at a port of this machine for the server at another one; yield what was sent to it, in pieces."""
    asked: list[bytes] = []

    class Relay(BaseRequestHandler):
        @override
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", server)) as onward:
                back = threading.Thread(target=_pass_on, args=(onward, self.request, None), daemon=True)
                back.start()
                _pass_on(self.request, onward, asked)
                back.join()

    with _Server(("127.0.0.1", port), Relay) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield asked
        finally:
            listening.shutdown()
            thread.join()


def _pass_on(source: socket.socket, target: socket.socket, kept: list[bytes] | None) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            if kept is not None:
                kept.append(piece)
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
