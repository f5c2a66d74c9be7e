"""A client that somebody else's tool generates from our documents works with a real provider."""

import importlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from insitu.adapters.keys.dev import dev_signer
from insitu.api.gateway_v1 import BASE, JWT_BEARER
from insitu.sdk.tokens import assertion
from insitu.testing.provider import ProviderProcess
from tests.market import open_market, open_provider
from tests.parts import ROOT

pytestmark = [pytest.mark.needs("chain", "docs", "oci", "root"), pytest.mark.slow]

Generated = Callable[[str], Any]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    with open_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    """Import a module of the generated clients, such as ``generated_gateway.client``."""
    folder = tmp_path_factory.mktemp("clients")
    for actor in ("gateway", "metadata", "operator"):
        document = ROOT / "docs" / "reference" / "openapi" / f"{actor}.json"
        options = ["--meta", "none", "--output-path", str(folder / f"generated_{actor}"), "--fail-on-warning"]
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(document), *options]
        # It formats what it wrote with the ruff beside this Python.
        environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(folder)}
        subprocess.run(command, check=True, capture_output=True, env=environment)
    sys.path.insert(0, str(folder))
    yield importlib.import_module
    sys.path.remove(str(folder))


@pytest.mark.parametrize("actor", ["gateway", "metadata", "operator"])
def test_every_module_of_a_generated_client_can_be_imported(generated: Generated, actor: str) -> None:
    package = generated(f"generated_{actor}")
    folder = Path(package.__file__).parent
    modules = sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")
    assert len(modules) > 10
    for path in modules:
        generated(".".join((package.__name__, *path.relative_to(folder).with_suffix("").parts)))


async def test_a_generated_client_runs_an_algorithm(provider: ProviderProcess, generated: Generated) -> None:
    gateway = partial(_operation, generated, "gateway")
    models, clients = generated("generated_gateway.models"), generated("generated_gateway.client")
    async with open_market(provider) as market, AsyncExitStack() as opened:
        agreement = await market.buy()
        anybody = await opened.enter_async_context(clients.Client(base_url=provider.url))

        async def signed_in(operation: str) -> Any:
            signed = assertion(dev_signer("consumer"), f"{provider.url}{BASE}/{operation}", int(time.time()))
            body = models.BodyIssueToken(grant_type=JWT_BEARER, assertion=signed)
            token = (await gateway("issue_token")(client=anybody, body=body)).access_token
            return await opened.enter_async_context(clients.AuthenticatedClient(base_url=provider.url, token=token))

        request = models.ExecRequest(service_agreement_id=agreement.id)
        started = await gateway("exec_")(client=await signed_in("exec"), body=request)
        ids = (started.service_agreement_id, started.workflow_execution_id)
        consumer = await signed_in("compute")
        execution = await market.consumer.compute.execution(*ids)
        await execution.wait(120)
        shown = await gateway("show_execution")(*ids, client=consumer)
        assert (shown.phase.value, [stage.exit_code for stage in shown.stages]) == ("Succeeded", [0])
        receipt = await gateway("show_receipt")(*ids, client=consumer)
        assert receipt.receipt_hash == shown.receipt_hash
        result = await gateway("show_result")(*ids, client=consumer)
        index = next(file.index for file in result.files if file.name == "out.txt")
        downloaded = await gateway("download")(result.did, index, client=await signed_in("download"))
        assert downloaded.payload.read() == b"done"


async def test_a_generated_client_reads_a_problem(provider: ProviderProcess, generated: Generated) -> None:
    async with generated("generated_metadata.client").Client(base_url=provider.url) as client:
        found = await _operation(generated, "metadata", "resolve_document")("did:nv:" + "0" * 64, client=client)
    assert (type(found).__name__, found.code, found.status) == ("Problem", "AssetNotFound", 404)
    assert found.next_step


async def test_a_generated_client_searches(provider: ProviderProcess, generated: Generated) -> None:
    async with open_market(provider) as market:
        published = await market.dataset()
    request = generated("generated_metadata.models").SearchRequest(text="words")
    async with generated("generated_metadata.client").Client(base_url=provider.url) as client:
        page = await _operation(generated, "metadata", "search_assets")(client=client, body=request)
    assert [document["id"] for document in page.results] == [published.did]


async def test_the_running_provider_serves_its_document(provider: ProviderProcess) -> None:
    async with httpx.AsyncClient(base_url=provider.url) as http:
        served = (await http.get("/openapi.json")).json()
    ids = [operation["operationId"] for path in served["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    assert {"showExecution", "searchAssets"} <= set(ids)


def _operation(generated: Generated, actor: str, name: str) -> Any:
    """Return the generated coroutine of an operation."""
    return generated(f"generated_{actor}.api.{actor}.{name}").asyncio
