"""The contract of MetadataPeer, over the service object, over HTTP, and over both by the url."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from insitu.adapters.catalog.sqlite import SqliteCatalog
from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.clock import SystemClock
from insitu.adapters.keys.dev import dev_signer
from insitu.adapters.peers.metadata import HttpMetadata, OwnMetadata
from insitu.api.app import build_app
from insitu.domain.errors import InsituError
from insitu.metadata.routes import router
from insitu.metadata.service import MetadataService
from insitu.ports.peers import MetadataPeer
from insitu.sdk.http import Http
from tests.doubles.chain import running_chain
from tests.metadata.documents import dataset, eventually, register, signed
from tests.ports.peers.serving import served

pytestmark = pytest.mark.needs("chain")

ALICE = dev_signer("owner")


@pytest.fixture(scope="module")
async def chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedChain]:
    async with running_chain(tmp_path_factory.mktemp("chain")) as running:
        yield running


@dataclass
class Parts:
    peer: MetadataPeer
    url: str
    chain: EmbeddedChain


@pytest.fixture(params=["object", "http", "own", "others"])
async def parts(request: pytest.FixtureRequest, chain: EmbeddedChain, tmp_path: Path) -> AsyncIterator[Parts]:
    async with AsyncExitStack() as stack:
        catalog = SqliteCatalog(tmp_path / "metadata.db")
        stack.push_async_callback(catalog.close)
        service = MetadataService(
            catalog=catalog,
            chain=chain,
            clock=SystemClock(),
            public_url="http://to.be.known",
            confirmations=0,
            pending_lifetime=3600,
            page_size=10,
        )
        url = await stack.enter_async_context(served(build_app("m", "0", [router(service)], max_body_bytes=10**6)))
        service._url = service._url.replace("http://to.be.known", url)
        over_http = HttpMetadata(await stack.enter_async_context(Http()), url)
        nobody = HttpMetadata(await stack.enter_async_context(Http()), "http://127.0.0.1:9")
        peers: dict[str, MetadataPeer] = {
            "object": service,
            "http": over_http,
            "own": OwnMetadata(service, url, nobody),
            "others": OwnMetadata(over_http, "http://127.0.0.1:9", over_http),
        }
        tasks = await stack.enter_async_context(anyio.create_task_group())
        tasks.start_soon(service.run)
        stack.callback(tasks.cancel_scope.cancel)
        yield Parts(peers[request.param], url, chain)


async def test_a_published_document_is_read_where_the_chain_says(parts: Parts) -> None:
    unsigned = dataset(parts.chain, ALICE)
    document, did = signed(unsigned, ALICE), str(unsigned.did)
    for _ in range(2):
        assert await parts.peer.publish(document) == f"{parts.url}/api/v1/metadata/assets/ddo/{{did}}"
    url = f"{parts.url}/api/v1/metadata/assets/ddo/{did}"
    assert await parts.peer.read(url, unsigned.checksum) == document
    with pytest.raises(InsituError, match="AssetNotFound"):
        await parts.peer.read(url)
    await register(parts.chain, unsigned, ALICE)

    async def is_listed() -> bool:
        try:
            return await parts.peer.read(url) == document
        except InsituError:
            return False

    await eventually(is_listed)
    with pytest.raises(InsituError, match="AssetNotFound"):
        await parts.peer.read(url, "0" * 64)


async def test_what_breaks_rules_is_refused(parts: Parts) -> None:
    document = signed(dataset(parts.chain, ALICE), dev_signer("stranger"))
    with pytest.raises(InsituError, match="SignatureMismatch"):
        await parts.peer.publish(document)
