"""What an earlier release left on a development chain: its stores are put aside, its agreements closed (ADR 0141).

Each step looks at what is there, so it can be interrupted anywhere and repeated. The calls of the earlier contracts are
those of today: only the hash of the terms differs, which the contract computes.
"""

import itertools
import json
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from insitu.domain.agreement import AgreementState, Settlement
from insitu.domain.ddo import read_ddo
from insitu.domain.errors import InsituError, Unavailable
from insitu.domain.execution import Phase
from insitu.domain.ledger import AgreementCreated, refund, refuse, settle_batch
from insitu.domain.money import display_amount
from insitu.gateway.results.closer import NO_RECEIPT
from insitu.gateway.results.settler import Due, charges_at_end
from insitu.ports.agreement_records import StoredExecution
from insitu.ports.agreements import EVERY
from insitu.settings.sections import Settings

if TYPE_CHECKING:
    from insitu.adapters.chain.client import EvmChain
    from insitu.adapters.chain.embedded import EmbeddedChain
    from insitu.ports.agreements import Agreements
    from insitu.ports.keys import Signer

logger = logging.getLogger("insitu.stack.earlier")

_DEPLOYMENTS, _REPORT = "deployments.json", "closed.txt"
"""In the folder of an earlier release: its contracts, and what was said when all of its agreements were closed."""

_NAMES = 20
"""Names of data sets that are said."""


async def close_earlier(settings: Settings, chain: "EmbeddedChain", provider: "Signer") -> list[str]:
    """Put aside the stores that belong to earlier contracts, close what is open there, and return lines for people.

    Call it before the stores are opened. An agreement that cannot be closed now is tried again at the next start.

    Raises ``SettingsInvalid`` if the stores are in PostgreSQL, ``StorageFailed``, ``ChainUnavailable``.
    """
    _put_aside(settings)
    lines: list[str] = []
    for path in sorted((settings.home / "earlier").glob(f"*/{_DEPLOYMENTS}")):
        report = path.with_name(_REPORT)
        if report.exists():
            continue
        try:
            found, whole = await _close(path, chain.url, provider)
        except Unavailable:
            raise
        except InsituError as error:
            # The chain may have been removed since; what sells today does not depend on it.
            found, whole = [f"the contracts of {path} cannot be closed: {error}"], False
        if whole:
            await chain.save()
            await anyio.Path(report).write_text("\n".join(found) + "\n", "utf-8")
        lines += found
    for line in lines:
        logger.warning("%s", line)
    return lines


def _put_aside(settings: Settings) -> None:
    """Move what refers to earlier contracts into a folder of theirs; the deployments file comes last and says so."""
    for path in sorted(settings.folder.chain.glob("earlier-*.json")):
        if settings.metadata.database_url_file or settings.gateway.database_url_file:
            detail = (
                f"the stores belong to earlier contracts ({path}); start with empty databases and another data folder"
            )
            raise InsituError("SettingsInvalid", f"database_url_file: {detail}")
        folders = (settings.home / "earlier" / str(number) for number in itertools.count(1))
        aside = next(folder for folder in folders if not (folder / _DEPLOYMENTS).exists())
        aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("metadata.db*", "gateway.db*", "operator.db*", "blobs", "logs"):
            for stored in settings.home.glob(name):
                stored.rename(aside / stored.name)
        path.rename(aside / _DEPLOYMENTS)


async def _close(path: Path, url: str, provider: "Signer") -> tuple[list[str], bool]:
    """Close what is open at earlier contracts; return what there is to say, and whether all of it is closed."""
    from insitu.adapters.agreements.store import SQLITE, SqlAgreements
    from insitu.adapters.catalog.sqlite import SqliteCatalog
    from insitu.adapters.chain.client import EvmChain
    from insitu.adapters.chain.deployments import Deployments
    from insitu.adapters.sqlite import SqliteDatabase
    from insitu.ports.catalog import Query

    folder = path.parent
    async with AsyncExitStack() as stack:
        earlier = EvmChain(url, Deployments.read(path), grace=0)
        stack.push_async_callback(earlier.close)
        database = await stack.enter_async_context(SqliteDatabase(folder / "gateway.db", SQLITE))
        catalog = SqliteCatalog(folder / "metadata.db")
        stack.push_async_callback(catalog.close)
        lines, whole = await _Closing(earlier, SqlAgreements(database), provider).carry_out()
        data = await catalog.search(Query(type="dataset", service="compute", limit=_NAMES))
    # A name may contain anything, so it is quoted.
    names = ", ".join(json.dumps(read_ddo(document).main.get("name")) for document in data.documents)
    more = f" and {data.total - _NAMES} more" if data.total > _NAMES else ""
    lines += [
        f"data sets that are no longer for sale: {names or 'none'}{more}",
        "to offer one again: insitu publish FILES --name NAME --price AMOUNT --allow-any",
        f"the earlier catalogue, agreements, receipts and results are in {folder}; nothing here reads them",
    ]
    return lines, whole


@dataclass(frozen=True, slots=True)
class _Closing:
    """Closes the agreements of earlier contracts, for the provider that sold them."""

    chain: "EvmChain"
    records: "Agreements"
    provider: "Signer"

    async def carry_out(self) -> tuple[list[str], bool]:
        token = await self.chain.token()
        sold = await self.chain.find_agreements(None, self.provider.address)
        held = charged = returned = 0
        problems = []
        for agreement in sold:
            total, before = agreement.terms.total, await self.chain.agreement(agreement.agreement_id)
            if not before.locked or before.refunded or before.closed or before.settled == total:
                continue
            held += total - before.settled
            try:
                await self._end(agreement, before)
            except Unavailable:
                raise
            except InsituError as error:
                problems.append(f"agreement {agreement.agreement_id} stays open until the next start: {error}")
                continue
            after = await self.chain.agreement(agreement.agreement_id)
            charged += after.settled - before.settled
            returned += total - after.settled
        amounts = [display_amount(amount, token.decimals, token.symbol) for amount in (held, charged, returned)]
        text = (
            "contracts of an earlier release: {} agreements, {} in escrow; {} charged for what had ended, {} returned"
        )
        return [text.format(len(sold), *amounts), *problems], not problems

    async def _end(self, agreement: AgreementCreated, state: AgreementState) -> None:
        """End an agreement that has money in escrow: charge what is due, and return the rest."""
        if not state.granted:
            await self.chain.transact(refuse(agreement.terms), self.provider)
            return
        settlements = await self._settlements(agreement, state)
        try:
            await self.chain.transact(settle_batch([(agreement.terms, settlements)]), self.provider)
        except InsituError as error:
            if error.code != "DeadlinePassed":
                raise
            await self.chain.transact(refund(agreement.terms), self.provider)

    async def _settlements(self, agreement: AgreementCreated, state: AgreementState) -> list[Settlement]:
        total = agreement.terms.total
        executions = await self.records.executions(agreement_id=agreement.agreement_id, limit=EVERY)
        settled = {settlement.index for settlement in await self.chain.find_settlements(agreement.agreement_id)}
        dues = [due.settlement for due in _dues(executions, total)]
        settlements = [due for due in dues if due.charge and due.index not in settled]
        if sum(due.charge for due in settlements) < total - state.settled:
            number = 1 + max([-1, *settled, *(execution.plan.number for execution in executions)])
            settlements.append(Settlement(index=number, charge=0, receipt_hash=NO_RECEIPT, last=True))
        return settlements


def _dues(executions: Sequence[StoredExecution], total: int) -> list[Due]:
    """Return what is charged for executions that have ended. A result that is not registered reached nobody."""
    return [
        *charges_at_end([execution for execution in executions if execution.charge is None], total),
        *(
            Due.of(execution, execution.frozen, execution.charge)
            for execution in executions
            if execution.frozen and execution.charge and execution.phase is not Phase.PUBLISHING
        ),
    ]
