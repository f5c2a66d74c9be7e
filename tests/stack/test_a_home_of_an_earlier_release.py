"""A home whose contracts an earlier release deployed: what is open there is closed, and selling begins again."""

import json
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from anyio import to_thread

from insitu.adapters.chain.anvil import AnvilProcess, free_port
from insitu.adapters.chain.client import EvmChain
from insitu.adapters.chain.contracts import TEMPLATE
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.embedded import FUNDED_TOKENS, EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.domain.agreement import AgreementState
from insitu.domain.errors import InsituError
from insitu.settings.reading import read_settings
from insitu.stack import earlier
from insitu.stack.earlier import close_earlier
from insitu.stack.offers import FUNDED
from tests.journeys.provider import Person, build_image, start
from tests.journeys.scripts import COUNT, FLIGHTS, written

pytestmark = [pytest.mark.needs("chain")]

HOME = Path(__file__).parent / "home_of_21787de" / "home.tar.xz"
TOKEN = 10**18
PROVIDER, OWNER, CONSUMER = (dev_signer(name) for name in ("provider", "owner", "consumer"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What the earlier release left."""
    folder = tmp_path / "home"
    shutil.unpack_archive(HOME, folder)
    # What a provider that was killed leaves as well.
    for name in ("operator.db-wal", "gateway.db-wal"):
        (folder / name).touch()
    return folder


@asynccontextmanager
async def embedded(home: Path) -> AsyncIterator[EmbeddedChain]:
    accounts = [dev_signer(name).address for name in FUNDED]
    chain = await EmbeddedChain.start(home / "chain", dev_signer("deployer"), funded=accounts)
    try:
        yield chain
    finally:
        await chain.close()


async def require_closed(chain: EmbeddedChain, home: Path) -> dict[int, AgreementState]:
    """The failure is charged and everything else returned; nothing is left in escrow, and nothing paid twice.

    Return how agreements ended, by price.
    """
    ended = {}
    (path,) = (home / "earlier").glob("*/deployments.json")
    contracts = Deployments.read(path)
    assert await chain.balance(contracts.address(TEMPLATE)) == 0
    assert await chain.balance(CONSUMER.address) == FUNDED_TOKENS - 20 * TOKEN
    assert await chain.balance(OWNER.address) == FUNDED_TOKENS + 20 * TOKEN
    earlier_chain = EvmChain(chain.url, contracts)
    sold = await earlier_chain.find_agreements(None, PROVIDER.address)
    assert len(sold) == 5
    for agreement in sold:
        state = await earlier_chain.agreement(agreement.agreement_id)
        assert state.closed or state.refunded or state.settled == agreement.terms.total
        ended[agreement.terms.total] = state
    await earlier_chain.close()
    return ended


async def close(home: Path, chain: EmbeddedChain) -> list[str]:
    return await close_earlier(read_settings({}, home=home), chain, PROVIDER)


async def test_what_is_open_is_charged_or_returned_and_said(home: Path) -> None:
    async with embedded(home) as chain:
        # However soon after its making this runs, the agreement on Short has expired.
        await chain.rpc("evm_increaseTime", 7 * 86400)
        said = await close(home, chain)
        ended = await require_closed(chain, home)
        assert ended[3].refunded, "refused"
        assert ended[7 * TOKEN].refunded, "timed out"
        assert said[0] == (
            "contracts of an earlier release: 5 agreements, 27.000000000000000003 NVM in escrow; "
            "10 NVM charged for what had ended, 17.000000000000000003 NVM returned"
        )
        assert said[1] == 'data sets that are no longer for sale: "Flights", "Short"'
        assert "insitu publish" in said[2]
        # Said once, kept for those who did not read it, and not repeated.
        (report,) = (home / "earlier").glob("*/closed.txt")
        assert report.read_text().splitlines() == said
        assert await close(home, chain) == []
    assert not list(home.glob("*.db*"))  # noqa: ASYNC240 - a test may wait for a folder
    async with embedded(home) as chain:
        assert await close(home, chain) == []
        await require_closed(chain, home)


class Killed(BaseException):
    """The process ends here."""


async def test_a_start_that_is_killed_at_any_step_loses_nothing_and_pays_nothing_twice(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    while True:
        again = tmp_path / f"killed-{steps}"
        shutil.copytree(home, again)
        if not await start_and_kill(again, after=steps, monkeypatch=monkeypatch):
            break
        steps += 1
        async with embedded(again) as chain:
            await close(again, chain)
            await require_closed(chain, again)
            assert len(list((again / "earlier").glob("*/metadata.db"))) == 1
    # Four moves, and four transactions.
    assert steps >= 8


async def start_and_kill(home: Path, *, after: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Start and end after some moves and transactions; return False if there were not so many."""
    left = after

    def step() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    rename, transact = Path.rename, EvmChain.transact

    def renaming(path: Path, target: Path) -> Path:
        step()
        return rename(path, target)

    async def transacting(*arguments: object, **options: object) -> object:
        step()
        return await transact(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        async with embedded(home) as chain:
            patched.setattr(Path, "rename", renaming)
            patched.setattr(EvmChain, "transact", transacting)
            try:
                await close(home, chain)
            except Killed:
                return True
    return False


async def test_an_agreement_that_cannot_be_closed_is_said_and_tried_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with embedded(home) as chain:
        with monkeypatch.context() as patched:
            patched.setattr(earlier, "NO_RECEIPT", "0x" + "11" * 32)
            patched.setattr(earlier, "refuse", earlier.refund)  # too early
            said = await close(home, chain)
        assert any("stays open until the next start: NotTimedOut" in line for line in said)
        assert not list((home / "earlier").glob("*/closed.txt"))
        said = await close(home, chain)
        assert "1 agreements" not in said[0]
        assert "0.000000000000000003 NVM in escrow" in said[0]
        await require_closed(chain, home)


async def test_a_result_that_was_never_registered_is_not_charged(home: Path) -> None:
    with sqlite3.connect(home / "gateway.db") as database:
        # As if the provider had been killed between freezing the failure as a success and registering its result.
        (frozen,) = database.execute("SELECT frozen FROM executions WHERE charge IS NULL").fetchone()
        success = json.loads(frozen)
        success["outcome"] |= {"phase": "Succeeded", "reason": None}
        database.execute(
            "UPDATE executions SET charge = ?, frozen = ? WHERE charge IS NULL", [str(10 * TOKEN), json.dumps(success)]
        )
    async with embedded(home) as chain:
        said = await close(home, chain)
        assert "0 NVM charged" in said[0]
        assert await chain.balance(CONSUMER.address) == FUNDED_TOKENS - 10 * TOKEN


async def test_stores_in_postgresql_are_left_alone_with_the_way_out(home: Path) -> None:
    variables = {"INSITU_GATEWAY__DATABASE_URL_FILE": str(home / "database.url")}
    async with embedded(home) as chain:
        with pytest.raises(InsituError, match=r"SettingsInvalid: .*empty databases and another data folder"):
            await close_earlier(read_settings(variables, home=home), chain, PROVIDER)
    assert (home / "metadata.db").exists()


async def test_on_another_chain_the_start_is_refused_and_the_doctor_says_why(home: Path, tmp_path: Path) -> None:
    state = home / "chain" / "state.json"
    node = AnvilProcess(free_port(), tmp_path / "log", ("--chain-id", "31337", "--load-state", str(state)))
    await node.start()
    try:
        provider = Person(home, "http://127.0.0.1:1", flags=("server.port=0", f"chain.rpc_url={node.url}"))
        refused = await to_thread.run_sync(provider.started, "serve", "metadata")
        assert refused.code != 0
        assert "ContractMismatch: the DIDRegistry at 0x" in refused.err
        assert "of an earlier release: end what it sold with that release" in refused.err
        examined = await to_thread.run_sync(provider.started, "doctor", "--role", "consumer", "--json")
        found = {finding["part"]: finding for finding in examined.json["findings"]}["code of DIDRegistry"]
        assert (examined.json["ready"], found["verdict"]) == (False, "failed")
        assert "run insitu chain deploy, and publish again" in found["detail"]
    finally:
        await node.stop()
    assert (home / "chain" / "deployments.json").exists()
    assert not (home / "earlier").exists()


async def test_contracts_that_are_gone_do_not_stop_the_start_and_a_second_release_takes_another_folder(
    home: Path,
) -> None:
    path = home / "chain" / "deployments.json"
    document = json.loads(path.read_text())
    async with embedded(home) as chain:
        await close(home, chain)
        # The same again, of contracts whose token nobody has.
        document["contracts"]["NeverminedToken"] = document["contracts"][TEMPLATE]
        (home / "chain" / "earlier-again.json").write_text(json.dumps(document))
        (line,) = await close(home, chain)
        assert "/earlier/2/deployments.json cannot be closed: " in line
    assert sorted(found.parent.name for found in (home / "earlier").glob("*/closed.txt")) == ["1"]


@pytest.mark.slow
@pytest.mark.needs("oci", "root")
def test_insitu_up_says_what_it_found_and_sells_again(home: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    table = written(data, "flights.csv", FLIGHTS)
    build_image(home)
    provider = start(home, data)
    try:
        said = "\n".join(provider.announced["embedded"])
        assert "contracts of an earlier release: 5 agreements" in said
        owner, consumer = provider.person("owner"), provider.person("consumer")
        assert owner.succeeds("search", "--json").json["results"] == []
        flights = owner.succeeds("publish", table, "--name", "Flights", "--price", "10", "--allow-any").line
        script = written(tmp_path, "count.py", COUNT)
        assert "charged 10 NVM" in consumer.succeeds("run", script, "--on", flights, "--yes").err
    finally:
        code = provider.stop(signal.SIGTERM)
        provider.close()
    assert code == 0
    again = start(home, data)
    try:
        assert again.announced["embedded"] == [f"development chain 31337 at {again.rpc_url}"]
    finally:
        again.stop()
        again.close()
