"""``EmbeddedChain``: a development chain as a child of this process, with our contracts and funded accounts."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path

import anyio
from typing_extensions import override

from insitu.adapters.chain.anvil import AnvilProcess, free_port
from insitu.adapters.chain.bindings import nevermined_token
from insitu.adapters.chain.bytecode import verify_deployment
from insitu.adapters.chain.client import EvmChain
from insitu.adapters.chain.deploy import DeploymentPlan, deploy
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.folder_lock import FolderLock
from insitu.adapters.chain.rpc import JsonRpc, number
from insitu.adapters.chain.state_files import StateFiles
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.ports.keys import Signer

__all__ = ["FUNDED_NATIVE", "FUNDED_TOKENS", "EmbeddedChain"]

_LOG = logging.getLogger(__name__)

FUNDED_NATIVE = 1000 * 10**18
"""Wei that a development account gets once, for gas."""

FUNDED_TOKENS = 10_000 * 10**18
"""Base units of the token that a development account gets once."""

_ARGUMENTS = ("--hardfork", "prague", "--accounts", "0", "--chain-id", "31337", "--no-cors")
"""A fixed EVM, no accounts that sign by themselves, and no web page that may talk to the chain."""

_SAVE_AFTER = 1.0
"""Seconds from a block to saving the state; several blocks within them are saved together."""

_SAVE_SHARE = 20
"""Saving a large state takes time; it is done so seldom that it takes at most one part in so many of it."""

_RESTARTS = 3
"""Starts in a minute after which a chain that ends by itself is given up."""


class EmbeddedChain(EvmChain):
    """An anvil of our own, saved in a folder. Make one with :meth:`start`; :meth:`close` saves and ends it.

    It announces itself once in the log. If the process dies, it is started again on its saved state.
    """

    _process: AnvilProcess
    _files: StateFiles
    _lock: FolderLock
    _background: tuple[asyncio.Task[None], ...] = ()

    @classmethod
    async def start(
        cls, folder: Path, deployer: Signer, *, port: int = 0, funded: Sequence[Address] = ()
    ) -> "EmbeddedChain":
        """Start the chain of a folder; the first time deploy the contracts and fund the accounts.

        Parameters
        ----------
        folder
            Holds state, ``deployments.json``, log and lock.
        deployer
            Owns the contracts and mints. The same key gives the same addresses again if the state is lost.
        port
            TCP port on 127.0.0.1; 0 takes a free one.
        funded
            Accounts that get tokens and gas, each once.

        Raises ``ExtraMissing`` without anvil, ``AlreadyRunning``, ``ChainUnavailable``, ``ContractMismatch``.
        """
        await anyio.Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        async with contextlib.AsyncExitStack() as undo:
            lock = await FolderLock.take(folder / "lock")
            undo.callback(lock.release)
            files = StateFiles(folder)
            process = await _started(folder, files, port or free_port(), lock)
            undo.push_async_callback(process.stop)
            deployments = await _deployed(process.url, folder, deployer)
            chain = cls(process.url, deployments, grace=0)
            undo.push_async_callback(EvmChain.close, chain)
            chain._process, chain._files, chain._lock = process, files, lock
            await chain.fund(deployer, funded)
            await chain._save()
            undo.pop_all()
        chain._background = (
            asyncio.create_task(chain._supervise(folder), name="embedded chain: supervision"),
            asyncio.create_task(chain._keep_saving(), name="embedded chain: saving"),
        )
        _LOG.info("embedded development chain %d at %s: its money is worth nothing", deployments.chain_id, chain.url)
        return chain

    @property
    def url(self) -> str:
        """JSON-RPC address."""
        return self._process.url

    @property
    def pid(self) -> int | None:
        """Process id of anvil."""
        return self._process.pid

    async def rpc(self, method: str, *parameters: object) -> object:
        """Call a method of anvil (``anvil_mine``, ``evm_increaseTime``, ``anvil_reorg`` …), for tests and demos."""
        result: object = await self._rpc.call(method, *parameters)
        return result

    async def fund(self, minter: Signer, accounts: Sequence[Address]) -> None:
        """Give accounts tokens and gas, each once: an account that has gas was funded before."""
        token = self.contract("NeverminedToken")
        await self._rpc.call("anvil_setBalance", minter.address, hex(FUNDED_NATIVE))
        for account in accounts:
            if account != minter.address and await self.native_balance(account) > 0:
                continue
            missing = FUNDED_TOKENS - await self.balance(account)
            if missing > 0:
                await self._transactions.send(token, nevermined_token.mint(account, missing).data, minter)
            # Last, since it is the mark of a funded account.
            await self._rpc.call("anvil_setBalance", account, hex(FUNDED_NATIVE))

    @override
    async def close(self) -> None:
        """Save the state, end the process, free the folder, also when the caller is being cancelled. Idempotent."""
        with anyio.CancelScope(shield=True):
            for background in self._background:
                background.cancel()
            if self._background:
                await asyncio.wait(self._background)
            await super().close()
            await self._process.stop()
            self._lock.release()

    async def _keep_saving(self) -> None:
        """Save soon after blocks were mined, so that a crash of anvil loses little; nothing is done while none are."""
        saved: int | None = None
        while True:
            seen = self._heads.count
            try:
                newest = number(await self._rpc.call("eth_blockNumber"))
                saved = newest if saved is None else saved
                if newest != saved:
                    await asyncio.sleep(_SAVE_AFTER)
                    took = await self._save()
                    saved = newest
                    await asyncio.sleep(_SAVE_SHARE * took)
                    continue
            except InsituError as error:
                _LOG.warning("the embedded chain could not be saved: %s", error)
            await self._heads.wait(seen)

    async def _save(self) -> float:
        """Write the state; returns the seconds that it took."""
        begin = asyncio.get_running_loop().time()
        dump = await self._rpc.call("anvil_dumpState")
        await anyio.to_thread.run_sync(self._files.save, str(dump))
        return asyncio.get_running_loop().time() - begin

    async def _supervise(self, folder: Path) -> None:
        """Start anvil again if it ends without being asked."""
        loop, starts = asyncio.get_running_loop(), list[float]()
        while True:
            code = await self._process.ended()
            starts = [*(moment for moment in starts if moment > loop.time() - 60), loop.time()]
            if len(starts) > _RESTARTS:
                _LOG.error("the embedded chain ended %d times in a minute; it stays down", len(starts))
                return
            _LOG.error("the embedded chain ended with %d; starting it again on its saved state", code)
            try:
                self._process = await _started(folder, self._files, self._process.port, self._lock)
            except InsituError as error:
                _LOG.error("the embedded chain does not start again: %s", error)
                return


async def _started(folder: Path, files: StateFiles, port: int, lock: FolderLock) -> AnvilProcess:
    """Start anvil on the newest readable state."""
    chosen = await anyio.to_thread.run_sync(files.choose)
    load = () if chosen is None else ("--load-state", str(chosen))
    arguments = (*_ARGUMENTS, *load, "--dump-state", str(files.at_end))
    process = AnvilProcess(port, folder / "anvil.log", arguments, inherited=(lock.descriptor,))
    await process.start()
    return process


async def _deployed(url: str, folder: Path, deployer: Signer) -> Deployments:
    """Return the contracts of this chain, deployed now if it lacks them, and write the deployments file."""
    path, journal = anyio.Path(folder / "deployments.json"), anyio.Path(folder / "deploy.json")
    async with JsonRpc(url) as rpc:
        found = await _present(rpc, Path(path)) if await path.exists() else None
        if found is None:
            if await path.exists() or number(await rpc.call("eth_blockNumber")) == 0:
                # What the journal says happened on a chain that is gone, or made contracts that are not ours.
                await journal.unlink(missing_ok=True)
            await rpc.call("anvil_setBalance", deployer.address, hex(FUNDED_NATIVE))
            found = await deploy(rpc, deployer, Path(journal), DeploymentPlan(), _LOG.debug)
    found = found.model_copy(update={"rpc_url": url})
    await anyio.to_thread.run_sync(found.write, Path(path))
    return found


async def _present(rpc: JsonRpc, path: Path) -> Deployments | None:
    """Return the contracts of the deployments file if the chain has them; say so if it has not."""
    try:
        found = await anyio.to_thread.run_sync(Deployments.read, path)
        await verify_deployment(rpc, found)
    except InsituError as error:
        if error.code not in {"ContractMismatch", "TemplateNotApproved"}:
            raise
        _LOG.warning("the contracts are deployed anew, and what was registered on the old ones is gone: %s", error)
        return None
    return found
