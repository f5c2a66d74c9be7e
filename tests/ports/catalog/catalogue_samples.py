"""Small documents and blocks for the catalogue's contract suite."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from insitu.adapters.catalog.postgresql import MIGRATIONS, PostgresqlCatalog
from insitu.adapters.catalog.sqlite import SqliteCatalog
from insitu.adapters.catalog.store import SqlCatalog
from insitu.domain.canonical import checksum
from insitu.domain.ids import Address
from insitu.domain.ledger import DidRegistered, DidTransferred, LedgerEvent
from insitu.ports.catalog import DocumentVersion, Summary
from insitu.ports.chain import Block, Cursor, Logged
from tests.ports.stores import postgresql_database

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ALICE = Address("0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa")
BOB = Address("0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB")

PLAIN = Summary("dataset", "Flights", "departures of 2013", "Alice", "CC0", 10, ("metadata", "compute"), ("air",))


def open_catalog(request: pytest.FixtureRequest, folder: Path, schema: str | None = None) -> SqlCatalog:
    """An empty catalogue of the engine that the fixture's parameter names, or the one that is there already."""
    if request.param == "sqlite":
        return SqliteCatalog(folder / "metadata.db")
    return PostgresqlCatalog(postgresql_database(request, MIGRATIONS, schema))


def did(number: int) -> str:
    return f"did:nv:{number:064x}"


def version(number: int, revision: int = 0, **changes: object) -> DocumentVersion:
    document = {"id": did(number), "revision": revision}
    return DocumentVersion(did(number), checksum(document), ALICE, document, replace(PLAIN, **changes))


def registered(of: DocumentVersion, number: int = 1, owner: Address = ALICE) -> DidRegistered:
    return DidRegistered(of.did, owner, of.checksum, "http://metadata/{did}", number, 0, 0)


def transferred(of: DocumentVersion, owner: Address = BOB, previous: Address = ALICE) -> DidTransferred:
    return DidTransferred(of.did, previous, owner)


def block(number: int, *events: LedgerEvent, fork: str = "a", back_to: Cursor | None = None) -> Block:
    logged = tuple(Logged(event, f"0x{number:064x}", index) for index, event in enumerate(events))
    return Block(Cursor(number, f"0x{fork}{number:063x}"), 1_900_000_000 + number, logged, back_to)
