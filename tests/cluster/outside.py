"""What a production has outside of its cluster: a PostgreSQL server and an object store that its pods reach."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.doubles.postgresql import PostgresqlServer

ACTORS = ("gateway", "metadata")


@dataclass(frozen=True)
class OutsideDatabase:
    """A server at an address; ``passwords`` of the roles gateway and metadata, each with a schema of its name."""

    server: PostgresqlServer
    host: str
    passwords: dict[str, str]

    def url(self, actor: str) -> str:
        """The url with which an actor gets in."""
        return f"postgresql://{actor}:{self.passwords[actor]}@{self.host}:5432/postgres"

    def asked(self, sql: str) -> list[tuple[object, ...]]:
        """Ask as the administrator."""
        with psycopg.connect(self.server.url) as connection:
            return connection.execute(sql.encode()).fetchall()


@contextmanager
def outside_database(host: str) -> Iterator[OutsideDatabase]:
    """Run a server at an address of this machine, with what its administrator makes beforehand."""
    folder = Path(tempfile.mkdtemp(prefix="insitu-pg-", dir="/tmp"))
    server = PostgresqlServer(folder, {"listen_addresses": host})
    try:
        server.create()
        with (folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write("host postgres gateway,metadata all scram-sha-256\n")
        server.start()
        made = OutsideDatabase(server, host, {actor: secrets.token_hex(16) for actor in ACTORS})
        with psycopg.connect(server.url) as connection:
            for actor, password in made.passwords.items():
                connection.execute(f"CREATE ROLE {actor} LOGIN PASSWORD '{password}'".encode())
                connection.execute(f"CREATE SCHEMA {actor} AUTHORIZATION {actor}".encode())
        yield made
    finally:
        server.quit()
        shutil.rmtree(folder, ignore_errors=True)
