"""``EmbeddedChain``: a development chain that runs as a child process, with our contracts and funded accounts."""

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
from insitu.adapters.chain.contracts import TEMPLATE
from insitu.adapters.chain.deploy import DeploymentPlan, deploy
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.folder_lock import FolderLock
from insitu.adapters.chain.rpc import JsonRpc, number, raw_bytes
from insitu.adapters.chain.state_files import StateFiles
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.ports.keys import Signer

logger = logging.getLogger(__name__)

FUNDED_NATIVE = 1000 * 10**18
"""Wei that a development account gets once, for gas."""

FUNDED_TOKENS = 10_000 * 10**18
"""Base units of the token that a development account gets once."""

_ARGUMENTS = ("--hardfork", "prague", "--accounts", "0", "--chain-id", "31337", "--no-cors")
"""A fixed EVM version, no accounts that the node signs for, and no access for web pages."""

_SAVE_AFTER = 1.0
"""Seconds from a block to saving the state; all blocks of that time are saved together."""

_SAVE_SHARE = 20
"""Saving a large state takes time, so the pauses are at least this many times as long as the saving."""

_RESTARTS = 3
"""Restarts within a minute after which a chain that keeps ending is given up."""


class EmbeddedChain(EvmChain):
    """Our own anvil, saved in a folder. Create one with :meth:`start`; :meth:`close` saves and stops it.

    It announces itself once in the log. If the process dies, it is started again from its saved state.
    """

    _process: AnvilProcess
    _files: StateFiles
    _lock: FolderLock
    _background: tuple[asyncio.Task[None], ...] = ()

    @classmethod
    async def start(
        cls, folder: Path, deployer: Signer, *, port: int = 0, funded: Sequence[Address] = ()
    ) -> "EmbeddedChain":
        """Start the chain of a folder; deploy the contracts and fund the accounts the first time.

        Parameters
        ----------
        folder
            The folder of state, ``deployments.json``, log and lock.
        deployer
            Owns the contracts and mints. If the state is lost, the same key gives the same addresses again.
        port
            TCP port on 127.0.0.1; 0 for a free one.
        funded
            Accounts that get tokens and gas, once each.

        Raises ``ExtraMissing`` without anvil, ``AlreadyRunning``, ``ChainUnavailable``, ``ContractMismatch``.
        """
        await anyio.Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        async with contextlib.AsyncExitStack() as undo:
            lock = await FolderLock.take(folder / "lock")
            undo.callback(lock.release)
            files = StateFiles(folder)
            process = await _start(folder, files, port or free_port(), lock)
            undo.push_async_callback(process.stop)
            deployments = await _deploy(process.url, folder, deployer)
            chain = cls(process.url, deployments, grace=0)
            undo.push_async_callback(EvmChain.close, chain)
            chain._process, chain._files, chain._lock = process, files, lock
            await chain.fund(deployer, funded)
            await chain.save()
            undo.pop_all()
        chain._background = (
            asyncio.create_task(chain._supervise(folder), name="embedded chain: supervision"),
            asyncio.create_task(chain._keep_saving(), name="embedded chain: saving"),
        )
        logger.info("embedded development chain %d at %s: its money is worth nothing", deployments.chain_id, chain.url)
        return chain

    @property
    def url(self) -> str:
        """The JSON-RPC address."""
        return self._process.url

    @property
    def pid(self) -> int | None:
        """The process id of anvil."""
        return self._process.pid

    async def rpc(self, method: str, *parameters: object) -> object:
        """Call a method of anvil (``anvil_mine``, ``evm_increaseTime``, ``anvil_reorg`` …), for tests and demos."""
        result: object = await self._rpc.call(method, *parameters)
        return result

    async def fund(self, minter: Signer, accounts: Sequence[Address]) -> None:
        """Give accounts tokens and gas, once each: an account that has gas has been funded."""
        token = self.contract("NeverminedToken")
        await self._rpc.call("anvil_setBalance", minter.address, hex(FUNDED_NATIVE))
        for account in accounts:
            if account != minter.address and await self.native_balance(account) > 0:
                continue
            missing = FUNDED_TOKENS - await self.balance(account)
            if missing > 0:
                await self._transactions.send(token, nevermined_token.mint(account, missing).data, minter)
            # This comes last because it marks a funded account.
            await self._rpc.call("anvil_setBalance", account, hex(FUNDED_NATIVE))

    @override
    async def close(self) -> None:
        """Save the state, stop the process, release the folder, even if the caller is being cancelled. Idempotent."""
        with anyio.CancelScope(shield=True):
            for background in self._background:
                background.cancel()
            if self._background:
                await asyncio.wait(self._background)
            await super().close()
            await self._process.stop()
            self._lock.release()

    async def _keep_saving(self) -> None:
        """Save soon after blocks are mined, so that a crash of anvil loses little."""
        saved: int | None = None
        while True:
            seen = self._heads.count
            try:
                newest = number(await self._rpc.call("eth_blockNumber"))
                saved = newest if saved is None else saved
                if newest != saved:
                    await asyncio.sleep(_SAVE_AFTER)
                    took = await self.save()
                    saved = newest
                    await asyncio.sleep(_SAVE_SHARE * took)
                    continue
            except InsituError as error:
                logger.warning("the embedded chain could not be saved: %s", error)
            await self._heads.wait(seen)

    async def save(self) -> float:
        """Write the state; return how many seconds it took."""
        begin = asyncio.get_running_loop().time()
        dump = await self._rpc.call("anvil_dumpState")
        await anyio.to_thread.run_sync(self._files.save, str(dump))
        return asyncio.get_running_loop().time() - begin

    async def _supervise(self, folder: Path) -> None:
        """Start anvil again if it ends by itself."""
        loop, starts = asyncio.get_running_loop(), list[float]()
        while True:
            code = await self._process.ended()
            starts = [*(moment for moment in starts if moment > loop.time() - 60), loop.time()]
            if len(starts) > _RESTARTS:
                logger.error("the embedded chain ended %d times in a minute; it stays down", len(starts))
                return
            logger.error("the embedded chain ended with %d; starting it again from its saved state", code)
            try:
                self._process = await _start(folder, self._files, self._process.port, self._lock)
            except InsituError as error:
                logger.error("the embedded chain does not start again: %s", error)  # noqa: TRY400 - no bug
                return


async def _start(folder: Path, files: StateFiles, port: int, lock: FolderLock) -> AnvilProcess:
    """Start anvil with the newest readable state."""
    chosen = await anyio.to_thread.run_sync(files.choose)
    load = () if chosen is None else ("--load-state", str(chosen))
    arguments = (*_ARGUMENTS, *load, "--dump-state", str(files.at_end))
    process = AnvilProcess(port, folder / "anvil.log", arguments, inherited=(lock.descriptor,))
    await process.start()
    return process


async def _deploy(url: str, folder: Path, deployer: Signer) -> Deployments:
    """Return the contracts of this chain, deploying them if it lacks them, and write the deployments file.

    Contracts that an earlier release deployed and this one still has, such as the token, stay.
    """
    path, journal = anyio.Path(folder / "deployments.json"), anyio.Path(folder / "deploy.json")
    async with JsonRpc(url) as rpc:
        found = await _find_contracts(rpc, path) if await path.exists() else None
        if found is None:
            if number(await rpc.call("eth_blockNumber")) == 0:
                # The journal belongs to a chain that is gone.
                await journal.unlink(missing_ok=True)
            await rpc.call("anvil_setBalance", deployer.address, hex(FUNDED_NATIVE))
            try:
                found = await deploy(rpc, deployer, Path(journal), DeploymentPlan(), logger.debug)
            except InsituError as error:
                if error.code != "ContractMismatch":
                    raise
                # The journal belongs to contracts that are not ours.
                await journal.unlink(missing_ok=True)
                found = await deploy(rpc, deployer, Path(journal), DeploymentPlan(), logger.debug)
    found = found.model_copy(update={"rpc_url": url})
    await anyio.to_thread.run_sync(found.write, Path(path))
    return found


async def _find_contracts(rpc: JsonRpc, path: anyio.Path) -> Deployments | None:
    """Return the contracts of the deployments file if the chain has them; log it if not.

    If it has others there, those of an earlier release, their file is renamed: there may be money in their escrow.
    """
    found: Deployments | None = None
    try:
        found = await anyio.to_thread.run_sync(Deployments.read, Path(path))
        await verify_deployment(rpc, found)
    except InsituError as error:
        if error.code not in {"ContractMismatch", "TemplateNotApproved"}:
            raise
        template = None if found is None else found.contracts.get(TEMPLATE)
        if template and raw_bytes(await rpc.call("eth_getCode", template, "latest")):
            logger.warning("the contracts are deployed again: those that are here, with %s, are not ours", template)
            await path.rename(path.with_name(f"earlier-{template}.json"))
        else:
            logger.warning("the contracts are deployed again, because the chain has none: %s", error)
        return None
    return found
