"""A store's answer becomes one of our errors, which says what is wrong and contains no key and no request."""

import base64
import json
import traceback
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from insitu.adapters import object_store_access
from insitu.adapters.object_store import Access, Objects
from insitu.domain.errors import InsituError
from tests.doubles.object_store import ObjectStoreServer
from tests.ports.stores import access_to, new_bucket

SECRET = "s3cret-that-nobody-may-see"


async def answers_of(objects: Objects) -> set[str]:
    """Return the error of each call, or the type of its answer."""
    answers: set[str] = set()

    async def list_all() -> object:
        return [stored async for stored in objects.list()]

    for call in (
        lambda: objects.put("a", b"x"),
        lambda: objects.create("a", b"x"),
        lambda: objects.read("a", 0, 1),
        lambda: objects.delete(["a"]),
        list_all,
    ):
        try:
            answers.add(type(await call()).__name__)
        except InsituError as error:
            assert SECRET not in "".join(traceback.format_exception(error))
            answers.add(str(error))
    return answers


@pytest.mark.needs("object-store")
async def test_a_bucket_that_does_not_exist_is_named_as_such(object_store: ObjectStoreServer) -> None:
    objects = Objects.at("s3://no-such-bucket/prefix", access_to(object_store))
    assert await answers_of(objects) == {"ObjectStoreRefused: the object store: there is no such bucket"}


@pytest.mark.needs("object-store")
async def test_wrong_keys_are_reported_and_not_shown(object_store: ObjectStoreServer, tmp_path: Path) -> None:
    url = new_bucket(object_store)
    path = tmp_path / "keys"
    access = Access(endpoint=object_store.endpoint, credentials_file=path)
    path.write_text(object_store.credentials.replace(object_store.secret_key, SECRET))
    expected = "ObjectStoreRefused: the object store: these credentials may not do this, or are wrong"
    assert await answers_of(Objects.at(url, access)) == {expected}
    path.write_text(object_store.credentials.replace(object_store.access_key, SECRET))
    assert all(answer.startswith("ObjectStoreRefused") for answer in await answers_of(Objects.at(url, access)))


async def test_an_address_where_nothing_listens_is_reported_once_patience_ends(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"[default]\naws_access_key_id=A\naws_secret_access_key={SECRET}\n")
    access = Access(endpoint="http://127.0.0.1:9", credentials_file=keys, patience=0.3)
    assert await answers_of(Objects.at("s3://bucket", access)) == {
        "ObjectStoreUnavailable: the object store does not answer"
    }


@pytest.mark.parametrize("text", ["", "[other]\n", "[default]\naws_access_key_id=A\n", f"{SECRET}\n", "[default\n"])
def test_a_file_without_keys_is_refused_at_the_start_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(InsituError, match=r"SettingsInvalid.*needs a section \[default\]") as caught:
        Objects.at("s3://bucket", Access(credentials_file=path))
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["gs://bucket/prefix", "az://container/prefix"])
def test_a_file_that_the_cloud_does_not_read_is_refused_at_the_start_and_not_quoted(tmp_path: Path, url: str) -> None:
    path = tmp_path / "keys"
    path.write_text(SECRET)
    with pytest.raises(InsituError, match="SettingsInvalid") as caught:
        Objects.at(url, Access(account="insitu", credentials_file=path))
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for access in (Access(credentials_file=tmp_path / "no"), Access(ca_file=tmp_path / "no")):
        with pytest.raises(InsituError, match=r"SettingsInvalid: object_store\.\w+_file: .*FileNotFoundError"):
            Objects.at("s3://bucket", access)


@pytest.mark.needs("object-store")
async def test_keys_that_are_replaced_in_their_file_are_used_without_a_restart(
    object_store: ObjectStoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store_access, "REREAD", timedelta(0))
    path = tmp_path / "keys"
    path.write_text(object_store.credentials.replace(object_store.secret_key, SECRET))
    objects = Objects.at(new_bucket(object_store), Access(endpoint=object_store.endpoint, credentials_file=path))
    with pytest.raises(InsituError, match="ObjectStoreRefused"):
        await objects.put("a", b"x")
    path.write_text(object_store.credentials)
    await objects.put("a", b"x")


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_the_keys_of_each_cloud_open_its_buckets(tmp_path: Path, scheme: str) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    account = {"private_key": private.decode(), "private_key_id": "1", "client_email": "insitu@example.org"}
    texts = {
        "s3": "[default]\naws_access_key_id = A\naws_secret_access_key = B\naws_session_token = C\n",
        "gs": json.dumps({**account, "disable_oauth": False, "gcs_base_url": "https://storage.example"}),
        "az": base64.b64encode(b"account key").decode() + "\n",
    }
    path = tmp_path / "keys"
    path.write_text(texts[scheme])
    for endpoint in (None, "https://store.example:9000"):
        access = Access(endpoint=endpoint, region="eu-central-1", account="insitu", credentials_file=path)
        assert isinstance(Objects.at(f"{scheme}://bucket/prefix", access), Objects)
