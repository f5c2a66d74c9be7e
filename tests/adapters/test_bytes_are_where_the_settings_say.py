"""`gateway.blobs`, `operator.logs`, `[object_store]`: the adapter they open, and what the doctor says of it."""

import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from insitu.adapters.blobs.folder import FolderBlobs
from insitu.adapters.blobs.objects import ObjectBlobs
from insitu.adapters.logs.files import FileLogs
from insitu.adapters.logs.objects import ObjectLogs
from insitu.adapters.object_store import Objects
from insitu.adapters.object_store_examining import examine
from insitu.cli.app import run
from insitu.domain.errors import InsituError
from insitu.settings.reading import read_settings
from insitu.stack.objects import open_blobs, open_logs, remote_places
from tests.doubles.object_store import ObjectStoreServer
from tests.ports.stores import access_to, new_bucket


def flags(server: ObjectStoreServer, url: str) -> dict[str, str]:
    return {
        "gateway.blobs": f"{url}/results",
        "operator.logs": f"{url}/logs",
        "object_store.endpoint": server.endpoint,
        "object_store.credentials_file": str(server.credentials_file()),
    }


async def test_without_a_setting_bytes_are_in_the_data_folder(tmp_path: Path) -> None:
    settings = read_settings({}, {}, tmp_path)
    async with AsyncExitStack() as stack:
        assert isinstance(open_blobs(settings), FolderBlobs)
        assert isinstance(await open_logs(settings, stack), FileLogs)
    assert remote_places(settings) == {}


@pytest.mark.needs("object-store")
async def test_a_url_opens_a_bucket(tmp_path: Path, object_store: ObjectStoreServer) -> None:
    settings = read_settings({}, flags(object_store, new_bucket(object_store)), tmp_path)
    async with AsyncExitStack() as stack:
        assert isinstance(open_blobs(settings), ObjectBlobs)
        assert isinstance(await open_logs(settings, stack), ObjectLogs)
    assert list(remote_places(settings)) == ["gateway.blobs", "operator.logs"]


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore.store", None)
    with pytest.raises(InsituError, match=r"ExtraMissing.*insitu-….whl\[object-store\]"):
        open_blobs(read_settings({}, {"gateway.blobs": "s3://bucket"}, tmp_path))


def doctor(home: Path, capsys: pytest.CaptureFixture[str], given: dict[str, str]) -> dict[str, dict[str, str]]:
    ports = {"server.port": "0", "chain.embedded_port": "0"}
    arguments = [part for name, value in {**ports, **given}.items() for part in ("--set", f"{name}={value}")]
    run(["--home", str(home), "--url", "http://127.0.0.1:9", *arguments, "doctor", "--json"])
    output = capsys.readouterr().out
    return {finding["part"]: finding for finding in json.loads(output)["findings"]}


@pytest.mark.needs("object-store")
def test_the_doctor_tries_each_bucket_and_says_how_to_fix_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    object_store: ObjectStoreServer,
) -> None:
    async def nothing(_: object) -> object:
        raise InsituError("RuntimeUnavailable", "not asked here")

    monkeypatch.setattr("insitu.stack.examining.probe_runtime", nothing)
    given = flags(object_store, new_bucket(object_store)) | {"operator.logs": "s3://no-such-bucket"}
    found = doctor(tmp_path, capsys, given)
    assert found["gateway.blobs"]["verdict"] == "ok"
    assert found["gateway.blobs"]["detail"].endswith("writes, reads, lists, creates once and deletes")
    assert found["operator.logs"]["verdict"] == "failed"
    assert found["operator.logs"]["detail"] == "write: s3://no-such-bucket: there is no such bucket"
    assert "bucket, region, credentials and permissions" in found["operator.logs"]["remedy"]


class Careless(Objects):
    """A store that does not know If-None-Match: it always stores."""

    async def create(self, key: str, data: bytes) -> bool:
        await self.put(key, data)
        return True


@pytest.mark.needs("object-store")
async def test_a_store_that_ignores_conditions_is_refused(object_store: ObjectStoreServer) -> None:
    access = access_to(object_store)
    with pytest.raises(InsituError, match="create once: the store ignores If-None-Match"):
        await examine(Careless.at(new_bucket(object_store), access))
