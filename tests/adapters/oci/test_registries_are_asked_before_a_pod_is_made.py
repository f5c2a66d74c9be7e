"""A registry is asked for a digest: only a clear "no" refuses, and only those that the provider names are asked."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from insitu.adapters.runtime.kubernetes import registries as asking
from insitu.adapters.runtime.kubernetes.configuration import Placement, PodImage, asked_registries
from insitu.adapters.runtime.kubernetes.registries import Registries
from insitu.adapters.runtime.oci.images.documents import INDEX_TYPES, architecture
from tests.adapters.oci.layouts import Layout, file
from tests.adapters.oci.registries import Answer, push

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.needs("registry")
async def test_a_real_registry_knows_what_was_pushed_and_nothing_else(tmp_path: Path, registry: str) -> None:
    layout = Layout(tmp_path / "layout")
    image = layout.image([file("etc/x", os.urandom(8))])
    other = layout.image([file("etc/y", os.urandom(8))])
    here = await to_thread.run_sync(push, registry, "team/tool", layout, image)
    elsewhere = await to_thread.run_sync(push, registry, "team/other", layout, other)
    asked = Registries([f"http://{registry}"])
    assert not await asked.lacks(here)
    assert not await asked.lacks(elsewhere)
    assert await asked.lacks(f"{registry}/team/tool@{DIGEST}"), "nobody's digest"
    assert await asked.lacks(f"{registry}/team/tool@{other['digest']}"), "another repository's"
    assert await asked.lacks(f"{registry}/team/nothing@{image['digest']}"), "no such repository"


@pytest.mark.needs("registry")
async def test_the_digest_of_an_index_is_found(tmp_path: Path, registry: str) -> None:
    layout = Layout(tmp_path / "layout")
    image = layout.image([file("x", os.urandom(8))])
    entries = [image | {"platform": {"os": "linux", "architecture": architecture()}}]
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPES[0], "manifests": entries}
    top = layout.blob(json.dumps(index).encode(), INDEX_TYPES[0])
    reference = await to_thread.run_sync(push, registry, "multi", layout, top)
    assert not await Registries([f"http://{registry}"]).lacks(reference)


async def test_an_existing_image_is_asked_for_once(serve: Any) -> None:
    asked: list[str] = []

    def answer(path: str, _: dict[str, str]) -> Answer:
        asked.append(path)
        return (404 if path.startswith("/v2/gone/") else 200), {}, b""

    address = serve(answer)
    registries = Registries([f"http://{address}"])
    for _ in range(3):
        assert not await registries.lacks(f"{address}/x@{DIGEST}")
        assert await registries.lacks(f"{address}/gone/x@{DIGEST}"), "it may be pushed at any moment"
    assert asked.count(f"/v2/x/manifests/{DIGEST}") == 1
    assert asked.count(f"/v2/gone/x/manifests/{DIGEST}") == 3


async def test_a_host_that_the_provider_did_not_name_is_never_asked(serve: Any) -> None:
    asked: list[str] = []

    def answer(path: str, _: dict[str, str]) -> Answer:
        asked.append(path)
        return 404, {}, b""

    stranger, named = serve(answer), serve(answer)
    registries = Registries([f"http://{named}"])
    assert not await registries.lacks(f"{stranger}/x@{DIGEST}")
    assert not await Registries([]).lacks(f"{named}/x@{DIGEST}")
    assert asked == []


async def test_a_redirect_is_not_followed(serve: Any) -> None:
    asked: list[str] = []

    def elsewhere(path: str, _: dict[str, str]) -> Answer:
        asked.append(path)
        return 404, {}, b""

    behind = serve(elsewhere)
    address = serve(lambda path, _: (307, {"Location": f"http://{behind}{path}"}, b""))
    assert not await Registries([f"http://{address}"]).lacks(f"{address}/x@{DIGEST}")
    assert asked == []


@pytest.mark.parametrize("status", [400, 401, 403, 405, 429, 500, 503])
async def test_an_unclear_answer_leaves_it_to_the_pull(serve: Any, status: int) -> None:
    address = serve(lambda path, _: (status, {"WWW-Authenticate": "Basic realm=x"}, b""))
    assert not await Registries([f"http://{address}"]).lacks(f"{address}/x@{DIGEST}")


async def test_a_registry_that_never_answers_is_left_to_the_pull_and_not_asked_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        registries = Registries([f"http://{address}"])
        for _ in range(5):
            assert not await registries.lacks(f"{address}/x@{DIGEST}")
        listening.accept()[0].close()
        with pytest.raises(TimeoutError):
            listening.accept()


async def test_a_registry_that_is_down_is_left_to_the_pull() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        assert not await Registries([f"http://{address}"]).lacks(f"{address}/x@{DIGEST}")


async def test_a_token_that_everybody_gets_is_fetched(serve: Any) -> None:
    def answer(path: str, headers: dict[str, str]) -> Answer:
        if path.startswith("/token"):
            return 200, {}, b'{"token": "everybodys"}'
        if headers.get("Authorization") != "Bearer everybodys":
            return 401, {"WWW-Authenticate": f'Bearer realm="http://{headers["Host"]}/token",service="s"'}, b""
        return (200 if path.startswith("/v2/x/") else 404), {}, b""

    address = serve(answer)
    registries = Registries([f"http://{address}"])
    assert not await registries.lacks(f"{address}/x@{DIGEST}")
    assert await registries.lacks(f"{address}/y@{DIGEST}")


@pytest.mark.parametrize(
    "token", [b"", b"[]", b'{"token": 1}', b'{"token": "a\\nb"}', b'"' + b"x" * 100_000 + b'"', b"\xff"]
)
async def test_a_malformed_token_leaves_it_to_the_pull(serve: Any, token: bytes) -> None:
    def answer(path: str, headers: dict[str, str]) -> Answer:
        if path.startswith("/token"):
            return 200, {}, token
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{headers["Host"]}/token"'}, b""

    address = serve(answer)
    assert not await Registries([f"http://{address}"]).lacks(f"{address}/x@{DIGEST}")


async def test_a_token_is_not_fetched_without_tls_from_another_host(serve: Any) -> None:
    asked: list[str] = []

    def elsewhere(path: str, _: dict[str, str]) -> Answer:
        asked.append(path)
        return 200, {}, b'{"token": "t"}'

    other = serve(elsewhere)
    address = serve(lambda path, _: (401, {"WWW-Authenticate": f'Bearer realm="http://{other}/token"'}, b""))
    assert not await Registries([f"http://{address}"]).lacks(f"{address}/x@{DIGEST}")
    assert asked == []


@pytest.mark.parametrize(
    ("registry", "named", "asked"),
    [
        ("ghcr.io/us", None, ("https://ghcr.io",)),
        ("localhost:5050", None, ("http://localhost:5050",)),
        ("10.0.0.7:5000/images", None, ("https://10.0.0.7:5000",)),
        ("ghcr.io/us", (), ()),
        ("ghcr.io/us", ("http://10.0.0.7:5000",), ("http://10.0.0.7:5000",)),
    ],
)
def test_the_providers_own_registry_is_asked_unless_others_are_named(
    registry: str, named: tuple[str, ...] | None, asked: tuple[str, ...]
) -> None:
    pods = PodImage("r/insitu@" + DIGEST)
    placement = Placement(
        pods=pods, gateway_url="http://gateway", registry=registry, storage_class=None, registries=named
    )
    assert asked_registries(placement) == asked
