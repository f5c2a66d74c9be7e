"""Where an actor keeps what it must not forget: in a SQLite file of the data folder, or in a PostgreSQL schema."""

import importlib.util
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.domain.errors import InsituError
from insitu.settings.sections import Settings

if TYPE_CHECKING:
    from insitu.adapters.postgresql import PostgresqlDatabase
    from insitu.ports.agreements import Agreements
    from insitu.ports.catalog import Catalog
    from insitu.ports.executions import Executions

METADATA, GATEWAY, OPERATOR = "metadata", "gateway", "operator"
"""The actors' schemas."""


async def open_catalog(settings: Settings, stack: AsyncExitStack) -> "Catalog":
    """Open the catalogue; it is closed with the stack."""
    if settings.metadata.database_url_file is None:
        from insitu.adapters.catalog.sqlite import SqliteCatalog

        file = SqliteCatalog(settings.folder.metadata_db)
        stack.push_async_callback(file.close)
        return file
    from insitu.adapters.catalog.postgresql import PostgresqlCatalog

    return PostgresqlCatalog(await stack.enter_async_context(_database(settings, METADATA)))


async def open_agreements(settings: Settings, stack: AsyncExitStack) -> "Agreements":
    """Open the gateway's records; they are closed with the stack."""
    from insitu.adapters.agreements.store import SQLITE, SqlAgreements

    if settings.gateway.database_url_file is None:
        from insitu.adapters.sqlite import SqliteDatabase

        return SqlAgreements(await stack.enter_async_context(SqliteDatabase(settings.folder.gateway_db, SQLITE)))
    return SqlAgreements(await stack.enter_async_context(_database(settings, GATEWAY)))


async def open_executions(settings: Settings, stack: AsyncExitStack) -> "Executions":
    """Open the operator's records; they are closed with the stack."""
    from insitu.adapters.executions.store import SQLITE, SqlExecutions

    if settings.operator.database_url_file is None:
        from insitu.adapters.sqlite import SqliteDatabase

        return SqlExecutions(await stack.enter_async_context(SqliteDatabase(settings.folder.operator_db, SQLITE)))
    return SqlExecutions(await stack.enter_async_context(_database(settings, OPERATOR)))


def remote_stores(settings: Settings) -> tuple[str, ...]:
    """Return the actors whose stores are in PostgreSQL."""
    return tuple(actor for actor, path in _url_files(settings).items() if path is not None)


async def describe_database(settings: Settings, actor: str) -> str:
    """Say which server an actor's store is on, and which version its schema has; change nothing.

    Raises ``DatabaseUnavailable``, ``SettingsInvalid``, ``ExtraMissing``, ``SchemaTooNew``.
    """
    found = await _database(settings, actor).condition()
    schema = f"schema {actor} has version {found.schema}"
    if found.schema > found.known:
        raise InsituError("SchemaTooNew", f"{schema}, but this software knows only {found.known}")
    if found.schema < found.known:
        schema += f"; the next start upgrades it to {found.known}"
    return f"PostgreSQL {found.server}, {schema}"


def _url_files(settings: Settings) -> dict[str, Path | None]:
    return {
        METADATA: settings.metadata.database_url_file,
        GATEWAY: settings.gateway.database_url_file,
        OPERATOR: settings.operator.database_url_file,
    }


def _database(settings: Settings, actor: str) -> "PostgresqlDatabase":
    if importlib.util.find_spec("psycopg") is None:
        raise InsituError("ExtraMissing", "PostgreSQL needs its extra: pip install './insitu-….whl[postgresql]'")
    from insitu.adapters.postgresql import PostgresqlDatabase

    path = _url_files(settings)[actor]
    name = f"{actor}.database_url_file"
    try:
        url = path.read_text("utf-8").strip() if path is not None else ""
    except (OSError, UnicodeDecodeError) as error:
        raise InsituError("SettingsInvalid", f"{name}: {path} cannot be read: {type(error).__name__}") from error
    if not url.startswith(("postgresql://", "postgres://")):
        # The file may contain a password, so the error does not quote it.
        raise InsituError("SettingsInvalid", f"{name}: {path} does not contain a postgresql:// URL")
    return PostgresqlDatabase(url, actor, f"insitu.adapters.{_STORES[actor]}.postgresql")


_STORES = {METADATA: "catalog", GATEWAY: "agreements", OPERATOR: "executions"}
