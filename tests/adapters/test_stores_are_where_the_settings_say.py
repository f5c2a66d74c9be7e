"""`<actor>.database_url_file`: a secret file with the url of PostgreSQL, for each actor; SQLite without it."""

import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from insitu.adapters.catalog.postgresql import PostgresqlCatalog
from insitu.adapters.catalog.sqlite import SqliteCatalog
from insitu.cli.app import run
from insitu.domain.errors import InsituError
from insitu.settings.reading import read_settings
from insitu.stack.stores import describe_database, open_agreements, open_catalog, open_executions, remote_stores
from tests.doubles.postgresql import PostgresqlServer

ACTORS = ("metadata", "gateway", "operator")


def flags(path: Path) -> dict[str, str]:
    return {f"{actor}.database_url_file": str(path) for actor in ACTORS}


@pytest.fixture
def secret(tmp_path: Path, postgresql: PostgresqlServer) -> Path:
    path = tmp_path / "database.url"
    path.write_text(postgresql.url + "\n")
    return path


async def test_without_a_url_every_store_is_a_file(tmp_path: Path) -> None:
    settings = read_settings({}, {}, tmp_path)
    async with AsyncExitStack() as stack:
        assert isinstance(await open_catalog(settings, stack), SqliteCatalog)
        assert await (await open_agreements(settings, stack)).cursors() == ()
        assert await (await open_executions(settings, stack)).list() == ()
    assert remote_stores(settings) == ()
    assert settings.folder.gateway_db.exists()
    assert settings.folder.operator_db.exists()


@pytest.mark.needs("postgresql")
async def test_three_actors_share_a_database_and_the_doctor_reads_their_schemas(tmp_path: Path, secret: Path) -> None:
    settings = read_settings({}, flags(secret), tmp_path)
    assert remote_stores(settings) == ACTORS
    assert "the next start upgrades it to" in await describe_database(settings, "gateway")
    async with AsyncExitStack() as stack:
        assert isinstance(await open_catalog(settings, stack), PostgresqlCatalog)
        assert await (await open_agreements(settings, stack)).cursors() == ()
        assert await (await open_executions(settings, stack)).list() == ()
    for actor in ACTORS:
        description = await describe_database(settings, actor)
        assert description.startswith("PostgreSQL 1")
        assert f"schema {actor} has version" in description
        assert "next start" not in description
    assert not any(file.exists() for file in (settings.folder.gateway_db, settings.folder.operator_db))
    assert not (tmp_path / "metadata.db").exists()


@pytest.mark.needs("postgresql")
def test_the_doctor_shows_server_and_schema_or_what_is_wrong(
    tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def probed(_: object) -> None:
        raise InsituError("RuntimeUnavailable", "not looked at here")

    monkeypatch.setattr("insitu.stack.examining.probe_runtime", probed)
    wrong = tmp_path / "wrong.url"
    wrong.write_text("hunter2")
    chosen = {"metadata.database_url_file": secret, "gateway.database_url_file": wrong}
    options = [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
    run(
        ["--home", str(tmp_path), "--url", "http://127.0.0.1:9", "--set", "server.port=0", *options, "doctor", "--json"]
    )
    out = capsys.readouterr().out
    found = {finding["part"]: finding for finding in json.loads(out)["findings"]}
    assert found["extra postgresql"]["verdict"] == "ok"
    assert found["metadata store"]["verdict"] == "ok"
    assert "PostgreSQL 1" in found["metadata store"]["detail"]
    assert found["gateway store"]["verdict"] == "failed"
    assert "hunter2" not in out


@pytest.mark.parametrize(
    "content", [None, b"", b"hunter2", b"\xff", b"mysql://hunter2@h/d", b"postgresql://u:hunter2%zz@h/d"]
)
async def test_a_file_without_a_url_is_refused_and_not_quoted(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "database.url"
    if content is not None:
        path.write_bytes(content)
    settings = read_settings({}, flags(path), tmp_path)
    async with AsyncExitStack() as stack:
        with pytest.raises(InsituError, match="SettingsInvalid") as refusal:
            await open_catalog(settings, stack)
    assert "hunter2" not in str(refusal.value)
