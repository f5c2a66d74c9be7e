"""Make the home of an earlier release: see README.md. Run it in a clone of that release, with its Python."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path

import anyio
from insitu.testing.chain import new_terms

from insitu import Stage, connect
from insitu.adapters.chain.client import EvmChain
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.keys.dev import dev_signer
from insitu.domain.did import Did
from insitu.domain.ledger import create_and_lock

INSITU = (sys.executable, "-m", "insitu")
LONG_FROM_NOW = 4_733_510_400
"""The year 2120: what is bought then does not expire before anybody runs the test."""

KEPT = ("keys", "chain/state.json", "chain/deployments.json", "chain/deploy.json", "metadata.db", "gateway.db", "blobs")


def main(folder: Path) -> None:
    """Make the home in a folder, and pack it into ``home.tar.xz`` of the folder that this program is in."""
    home, data = folder / "home", folder / "data"
    home.mkdir(parents=True)
    data.mkdir()
    (data / "flights.csv").write_text("carrier,delay\nUA,2\nAA,5\nUA,9\n")
    (folder / "hello.py").write_text("print('hello')\n")
    (folder / "fails.py").write_text("import sys\nsys.exit('there is no such column')\n")
    insitu(home, "", "image", "build")
    settings = ("--set", "server.port=0", "--set", "chain.embedded_port=0")
    process = subprocess.Popen(
        [*INSITU, "--home", str(home), *settings, "up", "--json", "--data", str(data)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    url = str(json.loads(process.stdout.readline())["url"])
    flights = sell(home, url, data / "flights.csv", folder)
    process.send_signal(signal.SIGSTOP)
    anyio.run(lock_ungranted, home, Did.parse(flights))
    # The chain writes its state when the provider is gone.
    state = home / "chain" / "state.json"
    state.unlink(missing_ok=True)
    process.kill()
    process.wait()
    while not state.exists():
        os.sched_yield()
    pack(home)


def insitu(home: Path, url: str, *arguments: str | Path) -> str:
    """Run a command; return the last line that it printed."""
    variables = os.environ | ({"INSITU_URL": url} if url else {})
    command = [*INSITU, "--home", str(home), *map(str, arguments)]
    printed = subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, text=True).stdout
    return printed.splitlines()[-1]


def sell(home: Path, url: str, table: Path, folder: Path) -> str:
    """Sell what has expired, what nobody ran, what succeeded, and what failed; return what was sold."""
    publish = ("--account", "owner", "publish", table, "--allow-any")
    short = insitu(home, url, *publish, "--name", "Short", "--price", "7", "--timeout", "60s")
    flights = insitu(home, url, *publish, "--name", "Flights", "--price", "10", "--timeout", "366d")
    buy(home, url, short, folder)
    set_time(home, LONG_FROM_NOW)
    buy(home, url, flights, folder)
    insitu(home, url, "--account", "consumer", "run", folder / "hello.py", "--on", flights, "--yes")
    failing = [*INSITU, "--home", str(home), "--account", "consumer", "run", str(folder / "fails.py")]
    subprocess.run([*failing, "--on", flights, "--yes"], env=os.environ | {"INSITU_URL": url}, check=False)
    return flights


def buy(home: Path, url: str, data: str, folder: Path) -> None:
    """Buy a workflow, and run nothing."""
    with connect(url, account="consumer", home=home) as client:
        algorithm = client.assets.publish_algorithm("hello.py", folder / "hello.py")
        workflow = client.assets.publish_workflow(f"hello on {data}", [Stage(algorithm=algorithm.did, inputs=[data])])
    insitu(home, url, "--account", "consumer", "buy", str(workflow.did), "--yes")


def set_time(home: Path, seconds: int) -> None:
    """Let the chain go on at another time."""
    for method, parameters in (("evm_setTime", [seconds * 1000]), ("evm_mine", [])):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(deployments(home).rpc_url or "", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert "error" not in json.load(answer)


def deployments(home: Path) -> Deployments:
    """Read where the contracts are."""
    return Deployments.read(home / "chain" / "deployments.json")


async def lock_ungranted(home: Path, did: Did) -> None:
    """Lock a price of three base units while the provider does not look."""
    found = deployments(home)
    chain = EvmChain(found.rpc_url or "", found)
    terms = await new_terms(chain, did, amounts=(3,))
    permit = await chain.permit(dev_signer("consumer"), found.address("ServiceExecutionTemplate"), 3, terms.deadline)
    await chain.transact(create_and_lock(terms, permit=permit), dev_signer("consumer"))
    await chain.close()


def pack(home: Path) -> None:
    """Pack what an earlier release's home needs; without images and logs it is small."""
    for name in ("metadata.db", "gateway.db"):
        database = sqlite3.connect(home / name)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("VACUUM")
        database.close()
    with tarfile.open(Path(__file__).with_name("home.tar.xz"), "w:xz", preset=9) as archive:
        for name in KEPT:
            archive.add(home / name, name, filter=anonymous)


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who packed it, and when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main(Path(sys.argv[1]))
