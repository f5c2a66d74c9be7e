"""`gateway.blobs` and `operator.logs`: a folder or a prefix of a bucket; anything else is refused at the start."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.errors import InsituError
from insitu.settings.reading import read_settings
from insitu.settings.sections import Settings

SETTINGS = ["gateway.blobs", "operator.logs"]


def read(setting: str, value: str) -> Path | str | None:
    settings = read_settings({}, {setting: value}, Path("/nowhere"))
    return settings.gateway.blobs if setting == "gateway.blobs" else settings.operator.logs


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_folder_stays_a_folder(setting: str) -> None:
    for text in ("/srv/insitu", "relative/folder", "with space", "C:/odd"):
        assert read(setting, text) == Path(text)
    assert Settings(home=Path("/nowhere")).gateway.blobs is None


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_url_names_a_bucket_and_a_prefix(setting: str) -> None:
    for text, expected in {
        "s3://bucket": "s3://bucket",
        "s3://bucket/": "s3://bucket",
        "gs://a-bucket.example/one/two/": "gs://a-bucket.example/one/two",
        "az://container/Logs": "az://container/Logs",
    }.items():
        assert read(setting, text) == expected


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("http://bucket/prefix", "must be a folder, or a URL that begins with az://, gs://, s3://"),
        ("s3a://bucket/prefix", "begins with az://, gs://, s3://"),
        ("s3://", "cannot name a bucket"),
        ("s3://Bucket/prefix", "cannot name a bucket"),
        ("s3://bucket:9000/prefix", "cannot name a bucket"),
        ("s3://key:s3cret@bucket/prefix", "object_store.credentials_file"),
        ("s3://bucket/prefix?key=s3cret", "object_store.credentials_file"),
        ("s3://bucket/a//b", "is not a prefix"),
        ("s3://bucket/../b", "is not a prefix"),
        ("s3://bucket/a b", "is not a prefix"),
    ],
)
def test_what_is_neither_is_refused_with_what_is_expected(setting: str, value: str, said: str) -> None:
    with pytest.raises(InsituError, match="SettingsInvalid") as caught:
        read(setting, value)
    assert f"{setting}:" in caught.value.detail
    assert said in caught.value.detail
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["minio.internal", "s3://minio", "https://", "https://key:s3cret@minio", "https://minio/bucket", "http://["],
)
def test_an_endpoint_is_an_address_and_nothing_else(value: str) -> None:
    with pytest.raises(InsituError, match="SettingsInvalid") as caught:
        read_settings({}, {"object_store.endpoint": value}, Path("/nowhere"))
    assert "s3cret" not in str(caught.value)


def test_the_environment_names_the_section_with_two_words() -> None:
    variables = {"INSITU_OBJECT_STORE__ENDPOINT": "http://minio:9000/", "INSITU_OBJECT_STORE__CREDENTIALS_FILE": "/s"}
    found = read_settings(variables, {}, Path("/nowhere")).object_store
    assert found.endpoint == "http://minio:9000"
    assert found.credentials_file == Path("/s")


@given(text=st.text(max_size=60), scheme=st.sampled_from(["s3://", "gs://", "az://", ""]))
def test_no_text_makes_anything_but_a_place_or_a_named_error(text: str, scheme: str) -> None:
    try:
        found = read("gateway.blobs", scheme + text)
    except InsituError as error:
        assert error.code == "SettingsInvalid"
        return
    assert isinstance(found, Path) or (isinstance(found, str) and "@" not in found and ".." not in found.split("/"))
