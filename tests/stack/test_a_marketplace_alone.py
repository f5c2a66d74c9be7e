"""`insitu serve marketplace` needs a catalogue's address, and nothing on this machine."""

import importlib.util
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest

from insitu.domain.errors import InsituError
from insitu.marketplace.service import Marketplace
from insitu.settings.reading import read_settings
from insitu.stack.marketplace import installed_actors, open_marketplace


def settings(tmp_path: Path, **flags: str) -> Any:
    return read_settings({}, {name.replace("__", "."): value for name, value in flags.items()}, tmp_path)


def opened(tmp_path: Path, public_url: str, *, gateway: object = None, **flags: str) -> Marketplace:
    chosen = settings(tmp_path, **flags)
    services: Any = SimpleNamespace(settings=chosen, public_url=public_url, gateway=gateway, metadata=None, chain=None)
    catalogue = chosen.metadata.url or public_url

    async def open_it() -> Marketplace:
        async with AsyncExitStack() as stack:
            return open_marketplace(services, catalogue, stack)

    return anyio.run(open_it)


CATALOGUE = "https://catalogue.test"


def test_without_the_address_of_a_catalogue_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(InsituError, match=r"set metadata\.url") as caught:
        opened(tmp_path, "https://market.test")
    assert caught.value.code == "SettingsInvalid"


def test_people_sign_in_at_the_gateways_of_the_settings(tmp_path: Path) -> None:
    named = opened(
        tmp_path,
        "https://market.test",
        metadata__url=CATALOGUE,
        gateway__url="http://inside.svc:8030",
        marketplace__gateways='["https://one.test", "https://two.test:8443"]',
    )
    assert named.site.gateways == ("https://one.test", "https://two.test:8443")
    unnamed = opened(tmp_path, "https://market.test", metadata__url=CATALOGUE, gateway__url="https://one.test/")
    assert unnamed.site.gateways == ("https://one.test",)
    beside = opened(tmp_path, "https://market.test", gateway=object(), metadata__url=CATALOGUE)
    assert beside.site.gateways == ("https://market.test",)


@pytest.mark.parametrize(
    ("public_url", "gateway", "flags", "development"),
    [
        ("http://127.0.0.1:8030", object(), {}, True),
        ("http://127.0.0.1:8030", None, {}, False),
        ("https://market.test", object(), {}, False),
        ("http://127.0.0.1:8030", object(), {"chain__rpc_url": "http://127.0.0.1:8545"}, False),
    ],
    ids=["up", "alone", "public", "another chain"],
)
def test_known_keys_are_offered_only_beside_an_embedded_chain_on_this_machine(
    tmp_path: Path, public_url: str, gateway: object, flags: dict[str, str], development: bool
) -> None:
    made = opened(tmp_path, public_url, gateway=gateway, metadata__url=CATALOGUE, **flags)
    assert made.site.development is development
    assert bool(made.development_keys) is development


def test_without_the_extra_a_provider_has_no_pages_and_a_marketplace_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "marketplace" in installed_actors()
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jinja2" else found(name))
    assert set(installed_actors()) == {"gateway", "metadata", "operator"}
    monkeypatch.setitem(sys.modules, "insitu.marketplace.rendering", None)
    with pytest.raises(InsituError, match="marketplace extra") as caught:
        opened(tmp_path, "https://market.test", metadata__url=CATALOGUE)
    assert caught.value.code == "ExtraMissing"


@contextmanager
def served(home: Path) -> Iterator[str]:
    """A marketplace as a process, of a catalogue that is away."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = [f"server.port={port}", "metadata.url=http://127.0.0.1:9", "chain.embedded_port=0"]
    options = [word for flag in flags for word in ("--set", flag)]
    command = [sys.executable, "-m", "insitu", "--home", str(home), *options, "serve", "marketplace"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("insitu "), process.stderr.read() if process.stderr else ""
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.mark.slow
def test_it_answers_while_its_catalogue_is_away_and_leaves_nothing_on_this_machine(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with served(home) as url:
        page = httpx.get(url + "/", timeout=60)
        assert page.status_code == 503
        assert "See which part does not answer" in page.text
        assert page.headers["cache-control"] == "no-store"
        assert "Unreachable" in httpx.get(url + "/status", timeout=60).text
        assert httpx.get(url + "/help", timeout=60).status_code == 200
        assert httpx.get(url + "/development/wallet.js", timeout=60).status_code == 404
        assert httpx.get(url + "/api/v1/metadata/health", timeout=60).json()["code"] == "NotFound"
    assert not home.exists()
