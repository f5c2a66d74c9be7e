"""The embedded chain loses nothing if we are killed, little if it is killed, and says so if it has lost everything."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from insitu.adapters.chain import anvil
from insitu.adapters.chain.anvil import free_port
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.embedded import FUNDED_NATIVE, FUNDED_TOKENS, EmbeddedChain
from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.chain.state_files import StateFiles
from insitu.adapters.keys.dev import dev_signer
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call
from tests.doubles.chain import ChainControls, register_did, running_chain
from tests.ports.chain.parties import following

pytestmark = [pytest.mark.needs("chain"), pytest.mark.anyio]

OWNER, PROVIDER = dev_signer("owner"), dev_signer("provider")


async def start(folder: Path, port: int = 0) -> EmbeddedChain:
    return await EmbeddedChain.start(folder, dev_signer("deployer"), port=port, funded=[OWNER.address])


async def height(chain: EmbeddedChain) -> int:
    return int(str(await chain.rpc("eth_blockNumber")), 16)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110 - nothing in this process knows when
            await anyio.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pid: int) -> None:
    await until(lambda: not runs(pid))


@asynccontextmanager
async def in_a_process(folder: Path) -> AsyncIterator[tuple[subprocess.Popen[str], int, str]]:
    """An embedded chain whose owner can be killed: that process, anvil's pid, the url."""
    script = Path(__file__).with_name("child_chain.py")
    command = [sys.executable, str(script), str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220 - it must be a process
    assert process.stdout is not None
    with process.stdout as output:
        try:
            pid, url = (await anyio.to_thread.run_sync(output.readline)).split()
            yield process, int(pid), url
        finally:
            process.kill()
            process.wait()
            await gone(int(pid))


async def test_a_new_chain_has_verified_contracts_and_funded_accounts(tmp_path: Path) -> None:
    async with running_chain(tmp_path) as chain:
        await chain.verify()
        for name in ("deployer", "consumer", "stranger"):
            account = dev_signer(name).address
            assert await chain.balance(account) == FUNDED_TOKENS
            assert await chain.native_balance(account) > FUNDED_NATIVE // 2
        written = Deployments.read(tmp_path / "deployments.json")
        assert (written.contracts, written.rpc_url) == (chain.deployments.contracts, chain.url)


async def test_closing_saves_and_ends_and_can_be_repeated(tmp_path: Path) -> None:
    chain = await start(tmp_path)
    did = await register_did(chain, OWNER, PROVIDER.address)
    pid = chain.pid
    assert pid is not None
    await chain.close()
    await chain.close()
    assert not runs(pid)
    again = await start(tmp_path)
    assert await again.did_record(str(did)) is not None
    assert again.deployments.contracts == chain.deployments.contracts
    await again.close()


async def test_a_cancelled_owner_closes_it_all_the_same(tmp_path: Path) -> None:
    pids: list[int | None] = []
    with anyio.CancelScope() as scope:
        async with running_chain(tmp_path) as chain:
            await register_did(chain, OWNER, PROVIDER.address)
            mined = await height(chain)
            pids.append(chain.pid)
            scope.cancel()
            await anyio.sleep_forever()
    assert [pid for pid in pids if pid and runs(pid)] == []
    again = await start(tmp_path)
    assert await height(again) == mined
    await again.close()


async def test_a_web_page_may_not_talk_to_it(tmp_path: Path) -> None:
    async with running_chain(tmp_path) as chain, httpx.AsyncClient() as browser:
        asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        answer = await browser.options(chain.url, headers=asked)
        assert "access-control-allow-origin" not in answer.headers


async def test_money_is_given_once(tmp_path: Path) -> None:
    chain = await start(tmp_path)
    spent = Call("NeverminedToken", "transfer", (PROVIDER.address, FUNDED_TOKENS))
    await chain.transact(spent, OWNER)
    await chain.close()
    again = await start(tmp_path)
    assert await again.balance(OWNER.address) == 0
    await again.close()


@pytest.mark.slow
async def test_killing_the_owner_ends_the_chain_and_loses_nothing(tmp_path: Path) -> None:
    async with in_a_process(tmp_path) as (process, pid, url):
        deployments = Deployments.read(tmp_path / "deployments.json")
        async with JsonRpc(url) as rpc:
            for _ in range(20):
                await rpc.call("anvil_mine", "0x1")
            mined = await rpc.call("eth_blockNumber")
        os.kill(process.pid, signal.SIGKILL)
        await gone(pid)
    chain = await start(tmp_path)
    assert hex(await height(chain)) == mined
    assert chain.deployments.contracts == deployments.contracts
    await chain.close()


@pytest.mark.slow
async def test_a_start_right_after_the_kill_waits_for_the_old_chain_to_save(tmp_path: Path) -> None:
    async with in_a_process(tmp_path) as (process, _, url):
        async with JsonRpc(url) as rpc:
            await rpc.call("anvil_mine", hex(300))
            mined = await rpc.call("eth_blockNumber")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        chain = await start(tmp_path)
        assert hex(await height(chain)) == mined
        await chain.close()


@pytest.mark.slow
async def test_a_second_chain_in_the_same_folder_is_refused_with_the_pid(tmp_path: Path) -> None:
    async with in_a_process(tmp_path) as (process, _, _):
        with pytest.raises(InsituError, match=f"AlreadyRunning: process {process.pid} "):
            await start(tmp_path)


@pytest.mark.slow
async def test_a_killed_chain_is_started_again_on_what_was_saved(tmp_path: Path) -> None:
    async with running_chain(tmp_path) as chain:
        did = await register_did(chain, OWNER, PROVIDER.address)
        saved = (tmp_path / "saved.json").stat().st_mtime_ns

        await until(lambda: (tmp_path / "saved.json").stat().st_mtime_ns != saved)
        killed, url = chain.pid, chain.url
        ChainControls(chain).kill()

        await until(lambda: chain.pid not in {None, killed})
        assert chain.url == url
        assert await chain.did_record(str(did)) is not None


async def test_states_of_old_blocks_stay_in_its_folder_and_go_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left where anvil puts them, those of chains that had ended filled a home with 29 GB in a day."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    states = tmp_path / "chain" / "anvil.log.states"
    async with in_a_process(tmp_path / "chain") as (owner, pid, url):
        async with JsonRpc(url) as rpc:
            await rpc.call("anvil_mine", hex(1200))
        assert [*states.rglob("*.json")]
        owner.kill()
        await gone(pid)
    assert states.exists()

    async with running_chain(tmp_path / "chain"):
        assert not states.exists()
    async with running_chain(tmp_path / "chain") as chain:
        await chain.rpc("anvil_mine", hex(1200))
        assert [*states.rglob("*.json")]
    assert not states.exists()
    assert not (tmp_path / "home").exists()


async def test_a_follower_lives_through_a_crash_and_hears_what_was_lost(tmp_path: Path) -> None:
    async with running_chain(tmp_path) as chain, aclosing(following(chain, ())) as follower:
        first = await anext(follower)
        await register_did(chain, OWNER, PROVIDER.address)
        lost = await anext(follower)
        assert lost.events
        # Killed before it could be saved: the registration never happened.
        ChainControls(chain).kill()
        with anyio.fail_after(60):
            after = await anext(follower)
        assert after.rolled_back_to is not None
        assert after.rolled_back_to.number < lost.cursor.number
        assert first.rolled_back_to is None


async def test_a_chain_that_lost_everything_has_its_contracts_at_the_same_addresses(tmp_path: Path) -> None:
    chain = await start(tmp_path)
    await register_did(chain, OWNER, PROVIDER.address)
    await chain.close()
    for name in ("state.json", "saved.json"):
        (tmp_path / name).unlink()
    again = await start(tmp_path)
    assert again.deployments.contracts == chain.deployments.contracts
    await again.verify()
    assert await again.balance(OWNER.address) == FUNDED_TOKENS
    await again.close()


async def test_a_state_that_was_cut_off_is_put_aside_for_the_one_before(tmp_path: Path) -> None:
    chain = await start(tmp_path)
    await chain.close()
    state = tmp_path / "state.json"
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    again = await start(tmp_path)
    assert again.deployments.contracts == chain.deployments.contracts
    await again.verify()
    assert (tmp_path / "state.broken").exists()
    await again.close()


def test_the_newest_whole_state_is_chosen(tmp_path: Path) -> None:
    files = StateFiles(tmp_path)
    assert files.choose() is None
    files.at_end.write_text("{}")
    files.saved.write_text("{}")
    os.utime(files.at_end, ns=(1, 1))
    assert files.choose() == files.saved
    files.saved.write_text("{")
    assert files.choose() == files.at_end
    with pytest.raises(InsituError, match="StorageFailed"):
        files.save("0x1234")


async def test_contracts_of_another_version_are_deployed_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chain = await start(tmp_path)
    old = chain.contract("DIDRegistry")
    await chain.rpc("anvil_setCode", old, "0x6001")
    await chain.close()
    again = await start(tmp_path)
    await again.verify()
    assert again.contract("DIDRegistry") != old
    assert "deployed again" in caplog.text
    await again.close()


async def test_a_port_in_use_is_reported_with_the_setting(tmp_path: Path) -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        with pytest.raises(InsituError, match=r"PortTaken: port \d+ .*chain\.embedded_port"):
            await start(tmp_path, port)
    # The failed start left nothing behind, so the folder is free.
    chain = await start(tmp_path, free_port())
    await chain.close()


async def test_without_anvil_the_line_that_installs_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anvil.insitu, "__file__", str(tmp_path / "site-packages" / "insitu" / "__init__.py"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(InsituError, match=r"ExtraMissing: .*npm install --global @foundry-rs/anvil"):
        await start(tmp_path / "chain")


async def test_a_chain_that_does_not_start_says_its_last_words(tmp_path: Path) -> None:
    process = anvil.AnvilProcess(free_port(), tmp_path / "log", ("--hardfork", "nonsense"))
    with pytest.raises(InsituError, match=r"ChainUnavailable: anvil ended with \d.*nonsense"):
        await process.start()
    assert process.pid is None


@pytest.mark.slow
async def test_an_idle_chain_is_not_written_again(tmp_path: Path) -> None:
    async with running_chain(tmp_path):
        await anyio.sleep(1.5)
        before = written(tmp_path)
        await anyio.sleep(1.5)
        assert written(tmp_path) == before


def written(folder: Path) -> dict[str, int]:
    """When each file of a folder was written last."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


async def test_it_announces_itself_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with running_chain(tmp_path) as chain:
        said = [record.getMessage() for record in caplog.records if "embedded development chain" in record.getMessage()]
        assert said == [f"embedded development chain 31337 at {chain.url}: its money is worth nothing"]


def test_no_key_is_in_the_folder(tmp_path: Path) -> None:
    async def run() -> None:
        async with running_chain(tmp_path) as chain:
            await register_did(chain, OWNER, PROVIDER.address)

    anyio.run(run)
    keys = ("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", "5de4111afa1a4b94908f83103eb1f1706367")
    contents = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert not [name for name, content in contents.items() for key in keys if key.encode() in content]
    assert json.loads(contents["deployments.json"])["chainId"] == 31337
