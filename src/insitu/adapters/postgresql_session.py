"""One session with PostgreSQL: how it begins, how a store sees its statements and rows, and how it migrates."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import conninfo, sql

from insitu.adapters.sql import Parameters, migrations
from insitu.domain.errors import InsituError

_SETTINGS = {
    "jit": "off",  # it takes longer than these statements
    "idle_in_transaction_session_timeout": "60s",
    "plan_cache_mode": "force_custom_plan",  # a rare word and a frequent one need different plans
    "statement_timeout": "60s",
}
_CONNECTING: dict[str, Any] = {
    "application_name": "insitu",
    "target_session_attrs": "read-write",
    "connect_timeout": 5,
    # A server that has silently vanished is noticed after about 15 s.
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}


class PostgresqlRow:
    """A row with columns by name or position."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: Mapping[str, int], values: Sequence[Any]) -> None:
        self._names = names
        self._values = values

    def __getitem__(self, column: str | int) -> Any:
        return self._values[column if isinstance(column, int) else self._names[column]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)


class PostgresqlSession:
    """A connection as :class:`insitu.adapters.sql.Connection`."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Parameters = (), /) -> psycopg.Cursor[Any]:
        """Run a statement with ``?`` or ``:name`` for its parameters."""
        return self._connection.execute(_translate(statement), parameters)

    def executemany(self, statement: str, parameters: Sequence[Parameters], /) -> psycopg.Cursor[Any]:
        """Run a statement for each set of parameters."""
        cursor = self._connection.cursor()
        cursor.executemany(_translate(statement), parameters)
        return cursor


def connect(url: str, schema: str) -> psycopg.Connection[Any]:
    """Begin a session in a schema. Raises psycopg's errors, and ``SettingsInvalid`` for a url that cannot be read."""
    try:
        given = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        # libpq's message may contain a piece of the password.
        raise InsituError("SettingsInvalid", "the url of the database cannot be read") from None
    connection = psycopg.connect(
        **{**_CONNECTING, **given, "client_encoding": "utf8"}, autocommit=True, row_factory=_row_factory
    )
    try:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise InsituError("StorageFailed", f"the database has the encoding {encoding}; it must be UTF8")
        for name, value in (*_SETTINGS.items(), ("search_path", f'"{schema}"')):
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        # Acknowledged data must be durable, whatever the server's default is.
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') IN ('off', 'local')"
        )
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: psycopg.Connection[Any], schema: str, package: str) -> None:
    """Migrate the schema to this software's version; of several at once, one does it. Raises ``SchemaTooNew``."""
    with connection.transaction():
        # A large table takes its time, and others have to wait.
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (schema,))
        if connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        present, known = schema_version(connection, package)
        if present > known:
            detail = f"schema {schema} of the database has version {present}, but this software only knows {known}"
            raise InsituError("SchemaTooNew", detail)
        if present == 0:
            connection.execute(
                "CREATE TABLE migration (number integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
            )
        for number, script in enumerate(migrations(package)[present:], start=present + 1):
            connection.execute(script.encode())
            connection.execute("INSERT INTO migration (number) VALUES (%s)", (number,))


def schema_version(connection: psycopg.Connection[Any], package: str) -> tuple[int, int]:
    """Return the version of the schema, 0 if there is none, and that of this software."""
    known = len(migrations(package))
    found = connection.execute("SELECT to_regclass('migration') IS NOT NULL").fetchone()
    if not found or not found[0]:
        return 0, known
    row = connection.execute("SELECT coalesce(max(number), 0) FROM migration").fetchone()
    return (int(row[0]) if row else 0), known


@lru_cache(maxsize=1024)
def _translate(statement: str) -> bytes:
    """Return the statement in psycopg's syntax: ``%s`` and ``%(name)s``."""
    doubled = statement.replace("%", "%%").replace("?", "%s")
    return re.sub(r"(?<!:):([a-z_][a-z0-9_]*)", r"%(\1)s", doubled).encode()


def _row_factory(cursor: psycopg.Cursor[Any]) -> Any:
    names = {column.name: position for position, column in enumerate(cursor.description or ())}
    return lambda values: PostgresqlRow(names, values)
