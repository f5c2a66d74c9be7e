"""`GET files`: who may publish from the provider's folders sees what is in them, and nobody sees anything else."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from insitu.adapters.keys.signer import LocalSigner
from insitu.api.folders_v1 import Folder, ListedFile
from insitu.domain.errors import InsituError
from insitu.gateway.files.folder_lister import FolderLister
from insitu.gateway.files.source_opener import SourceOpener
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.http import Http
from tests.gateway.world import PUBLIC_URL, World, client

pytestmark = pytest.mark.needs("chain")


@pytest.fixture
def data(provider: World) -> Path:
    """The only data root."""
    (root := provider.folder / "data").mkdir(exist_ok=True)
    return root


def by_name(folder: Folder) -> dict[str, ListedFile]:
    return {file.name: file for file in folder.files}


async def test_the_data_roots_are_where_it_begins(provider: World, data: Path) -> None:
    (only,) = (await client(provider, "owner").files()).files
    assert (only.path, only.kind, only.url) == (str(data), "folder", f"file://{data}/")


async def test_a_folder_has_names_kinds_sizes_and_urls_that_can_be_sealed(provider: World, data: Path) -> None:
    (data / "2013").mkdir()
    (data / "flights of June.csv").write_text("carrier,delay\n")
    (data / ".secret").write_text("x")
    listed = await client(provider, "owner").files(f"{data}/")
    assert [file.name for file in listed.files] == ["2013", "flights of June.csv"]
    folder, file = listed.files
    assert (folder.kind, folder.size, folder.url) == ("folder", None, f"file://{data}/2013/")
    assert (file.kind, file.size, file.problem) == ("file", 14, None)
    assert file.url == (data / "flights of June.csv").as_uri()
    assert listed.next is None
    await provider.publish_dataset(
        files=[{"index": 0, "url": file.url, "contentType": "text/csv"}, {"index": 1, "url": folder.url}]
    )
    assert listed.above is None
    inside = await client(provider, "owner").files(folder.path)
    assert (inside.files, inside.above) == ((), str(data))


async def test_a_stranger_learns_nothing_not_even_what_exists(provider: World, data: Path) -> None:
    (data / "there").mkdir()
    stranger = GatewayClient(Http(transport=provider.http._transport), PUBLIC_URL, LocalSigner(b"\x07" * 32))
    said = set()
    for path in (None, str(data), str(data / "there"), str(data / "gone"), "/etc", "..", ""):
        with pytest.raises(InsituError, match="CreatorNotAllowed") as refused:
            await stranger.files(path)
        said.add(refused.value.detail)
    assert len(said) == 1
    assert (await provider.http.get("/api/v1/gateway/services/files")).status_code == 401


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("{data}/../other", "InvalidRequest"),
        ("{data}/./x", "InvalidRequest"),
        ("{data}//x", "InvalidRequest"),
        ("data", "InvalidRequest"),
        ("", "InvalidRequest"),
        ("{data}/a\0b", "InvalidRequest"),
        ("{data}-beside", "CreatorNotAllowed"),
        ("/etc", "CreatorNotAllowed"),
        ("{data}/gone", "InputUnreadable"),
        ("{data}/file", "InputUnreadable"),
        ("{data}/link", "InputUnreadable"),
        ("{data}/link/deeper", "InputUnreadable"),
    ],
)
async def test_no_path_leads_out_of_the_root(provider: World, data: Path, path: str, code: str) -> None:
    (provider.folder / "data-beside" / "deeper").mkdir(parents=True)
    (data / "link").symlink_to(provider.folder / "data-beside")
    (data / "file").write_text("x")
    with pytest.raises(InsituError) as refused:
        await client(provider, "owner").files(path.format(data=data))
    assert refused.value.code == code


async def test_what_cannot_be_published_is_listed_with_the_reason(provider: World, data: Path) -> None:
    (data / "link").symlink_to("/etc/passwd")
    os.mkfifo(data / "pipe")
    (data / "\u202egpj.exe").write_text("x")
    (data / "two\nlines").write_text("x")
    (data / os.fsdecode(b"\xff\xfe.csv")).write_text("x")
    (data / "good <b>.csv").write_text("x")
    found = by_name(await client(provider, "owner").files(str(data)))
    assert set(found) == {"link", "pipe", "\u202egpj.exe", "two\nlines", "\\xff\\xfe.csv", "good <b>.csv"}
    assert found["good <b>.csv"].url == f"file://{data}/good%20%3Cb%3E.csv"
    for name, problem in {
        "link": "symbolic link",
        "pipe": "no file",
        "\u202egpj.exe": "formatting",
        "two\nlines": "control",
        "\\xff\\xfe.csv": "UTF-8",
    }.items():
        assert problem in str(found[name].problem)
        assert (found[name].url, found[name].path) == (None, None)
    assert found["link"].size is None


async def test_a_huge_folder_comes_in_pages_that_miss_and_repeat_nothing(provider: World, data: Path) -> None:
    names = sorted([f"{number}.csv" for number in range(700)] + ["é.csv", "日本.csv"])
    for name in names:
        (data / name).touch()
    owner, seen, after = client(provider, "owner"), [], ""
    for _ in range(20):
        page = await owner.files(str(data), after=after, limit=100)
        assert len(page.files) <= 100
        seen += [file.name for file in page.files]
        if page.next is None:
            break
        after = page.next
    assert seen == names
    with pytest.raises(InsituError, match="InvalidRequest"):
        await owner.files(str(data), limit=501)


async def test_without_data_roots_there_is_nothing_to_see(provider: World, data: Path) -> None:
    ports = replace(provider.desk.ports, configuration=replace(provider.configuration, data_roots=()))
    lister = FolderLister(ports=ports, source_opener=SourceOpener(ports=ports))
    owner = provider.caller("owner", "encrypt")
    assert (await lister.list(owner, None, "", 100)).files == ()
    with pytest.raises(InsituError, match="CreatorNotAllowed"):
        await lister.list(owner, str(data), "", 100)
