"""A script that forgets to close its client or fails first still ends, and nothing of the client is left."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

BEGIN = """
import gc, os, sys, threading, time
import anyio
from insitu.adapters.keys.dev import dev_signer
from insitu.domain.errors import InsituError
from insitu.sdk.client import Client
from insitu.sdk.synchronous import Facade, SyncClient

class NoChain:
    async def close(self):
        print("closed", flush=True)

def connect():
    return SyncClient(lambda: Client(NoChain(), dev_signer("consumer"), sys.argv[1]))

def threads():
    return [one.name for one in threading.enumerate() if one is not threading.main_thread()]

def ask(client):
    try:
        client.assets.status("did:nv:" + "0" * 64)
    except InsituError as error:
        return error.code

def until(holds):
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)

client = connect()
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server that keeps connections open and knows nothing."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  as it is called there
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def ended(url: str, script: str) -> tuple[int, str, str]:
    """How a script ends: exit code, output, errors; warnings are errors."""
    command = [sys.executable, "-W", "error", "-c", BEGIN + script, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_script_that_forgets_to_close_ends(url: str) -> None:
    assert ended(url, "print(ask(client))") == (0, "NotFound\nclosed\n", "")


def test_a_script_that_fails_ends_with_its_traceback(url: str) -> None:
    code, out, err = ended(url, "ask(client)\nraise ValueError('mine')")
    assert (code, out) == (1, "closed\n")
    assert err.startswith("Traceback")
    assert err.endswith("ValueError: mine\n")
    assert err.count("Traceback") == 1
    assert ended(url, "ask(client)\nsys.exit(3)") == (3, "closed\n", "")


def test_a_call_in_progress_ends_as_cancelled(url: str) -> None:
    waiting = """
class Sleeper:
    async def sleep(self):
        sleeping.set()
        await anyio.sleep(3600)
def wait():
    try:
        Facade(client._thread, Sleeper()).sleep()
    except BaseException as error:
        told.append(type(error).__name__)
sleeping, told = threading.Event(), []
other = threading.Thread(target=wait, daemon=True)
other.start()
sleeping.wait()
"""
    assert ended(url, waiting) == (0, "closed\n", "")
    joined = "client.close()\nother.join()\nprint(told, threads())"
    assert ended(url, waiting + joined) == (0, "closed\n['CancelledError'] []\n", "")


def test_an_iteration_that_was_left_in_the_middle_holds_nobody_up(url: str) -> None:
    iterating = """
class Source:
    async def numbers(self):
        for number in range(10):
            yield number
found = Facade(client._thread, Source()).numbers()
assert next(found) == 0
"""
    assert ended(url, iterating) == (0, "closed\n", "")
    assert ended(url, iterating + "found.close()\nassert list(found) == []") == (0, "closed\n", "")
    assert ended(url, iterating + "client.close()\ndel found") == (0, "closed\n", "")
    whole = "assert list(Facade(client._thread, Source()).numbers()) == list(range(10))"
    assert ended(url, iterating + whole) == (0, "closed\n", "")


def test_a_client_lives_as_long_as_something_of_it_is_used(url: str) -> None:
    script = """
kept = client.assets
del client
gc.collect()
kept_alive = type("Kept", (), {"assets": kept})
assert ask(kept_alive) == "NotFound"
del kept, kept_alive
gc.collect()
until(lambda: not threads())
print("over")
"""
    assert ended(url, script) == (0, "closed\nover\n", "")


def test_a_closed_client_says_so_and_so_does_one_of_another_process(url: str) -> None:
    closed = "client.close()\nclient.close()\nassert not threads()\nask(client)"
    code, out, err = ended(url, closed)
    assert (code, out) == (1, "closed\n")
    assert "connect again" in err
    forked = """
import warnings
warnings.simplefilter("ignore")
child = os.fork()
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ask(client) == "NotFound"
else:
    try:
        ask(client)
    except RuntimeError as error:
        assert "connect again" in str(error)
"""
    assert ended(url, forked) == (0, "closed\n", "")


def test_a_client_that_cannot_be_made_leaves_no_thread(url: str) -> None:
    script = """
client.close()
def fail():
    raise ValueError("mine")
try:
    SyncClient(fail)
except ValueError as error:
    assert str(error) == "mine"
until(lambda: not threads())
"""
    assert ended(url, script) == (0, "closed\n", "")
