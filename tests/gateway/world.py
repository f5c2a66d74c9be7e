"""A whole provider on a real chain, its people, and an operator whose containers end as a script says."""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
from pydantic import JsonValue

from insitu.adapters.agreements.store import SQLITE, SqlAgreements
from insitu.adapters.blobs.folder import FolderBlobs
from insitu.adapters.catalog.sqlite import SqliteCatalog
from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.clock import SystemClock
from insitu.adapters.keys.dev import dev_signer
from insitu.adapters.keys.signer import LocalSigner
from insitu.adapters.sources.targets import Targets
from insitu.adapters.sources.web import WebSources
from insitu.adapters.sqlite import SqliteDatabase
from insitu.api.app import build_app
from insitu.api.gateway_v1 import BASE, CheckRequest, ExecAccepted, ExecRequest, ExecutionView, Quote
from insitu.domain.agreement import Terms, agreement_id
from insitu.domain.assembly import assemble_ddo, identify, with_sealed_list
from insitu.domain.canonical import JsonObject, canonical_json
from insitu.domain.conditions import agreement_template
from insitu.domain.ddo import Ddo
from insitu.domain.did import Did, did_seed
from insitu.domain.ids import Address, AgreementId, new_seed
from insitu.domain.image_contents import ImageContents
from insitu.domain.integrity import onchain_checksum
from insitu.domain.ledger import Call, create_and_lock, register_attribute
from insitu.domain.service import File
from insitu.domain.timestamps import format_time
from insitu.gateway.bodies import body_limits
from insitu.gateway.configuration import GatewayConfiguration
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.routes import router, ticket_router
from insitu.gateway.service import GatewayDesk, GatewayService
from insitu.gateway.sign_in.caller import Caller
from insitu.gateway.wakeups import FOLLOWED
from insitu.metadata.pools import PendingLimits
from insitu.metadata.service import MetadataService
from insitu.ports.agreement_changes import AddUpload
from insitu.ports.agreement_records import Standing, StoredExecution, Upload
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.http import Http
from tests.doubles.scripted_operator import ScriptedOperator, scripted_operator
from tests.doubles.scripted_runtime import Ending
from tests.gateway.keyrings import derived_keyring

PUBLIC_URL = "http://127.0.0.1:8030"
IMAGE = {"image": "insitu/python", "tag": "3.11", "checksum": "sha256:" + "cb" * 32}


async def offered() -> tuple[dict[str, JsonValue], ...]:
    """Return the image that this provider has."""
    return ({**IMAGE},)


async def nothing_known() -> dict[str, ImageContents]:
    """Say that nobody has looked into the images."""
    return {}


SMALL = {
    "serverId": "small",
    "serverType": "small",
    "price": "3",
    "cpu": "1",
    "gpu": "0",
    "memory": "1gb",
    "disk": "2gb",
    "maxExecutionTime": 600,
}
SCRIPT = b"print('counting')\n"
RESULT = b"42\n"


def approval(chain: EmbeddedChain, amount: int) -> Call:
    """Let the contract draw this many base units (ERC-20)."""
    return Call("NeverminedToken", "approve", (chain.agreements.contract, amount))


@dataclass
class World:
    """The provider's parts, its people, and short ways to do what they do."""

    chain: EmbeddedChain
    folder: Path
    people: dict[str, LocalSigner]
    metadata: MetadataService
    desk: GatewayDesk
    gateway: GatewayService
    operator: ScriptedOperator
    agreements: SqlAgreements
    blobs: FolderBlobs
    configuration: GatewayConfiguration
    http: httpx.AsyncClient
    published: dict[str, Ddo] = field(default_factory=dict)

    def address(self, who: str) -> Address:
        return self.people[who].address

    def caller(self, who: str, operation: Any = "exec", **restricted: Any) -> Caller:
        until = datetime.now(UTC) + timedelta(minutes=10)
        return Caller(self.address(who), operation, until, **restricted)

    async def publish(
        self, who: str, services: list[JsonObject], files: list[JsonObject] | None = None, **changes: Any
    ) -> str:
        """P1–P3 by hand, with a sealed list of ``files``; return the DID."""
        signer = self.people[who]
        if files is not None:
            did, _ = identify(services, signer.address)
            sealed = self.desk.encrypter.seal(str(did), signer.address, [File.read(file) for file in files])
            services = with_sealed_list(services, changes.pop("sealed", sealed))
        created = changes.get("created", format_time(datetime.now(UTC)))
        unsigned = assemble_ddo(services, signer.address, created)
        ddo = unsigned.signed(signer.sign_digest(unsigned.digest))
        url = await self.metadata.publish(ddo.to_json())
        seed = did_seed(ddo.proof.checksum if ddo.proof and ddo.proof.checksum else {})
        providers = changes.get("providers", [self.address("provider")])
        call = register_attribute(seed, bytes.fromhex(onchain_checksum(ddo)), providers, url)
        await self.chain.transact(call, signer)
        self.published[str(unsigned.did)] = ddo
        return str(unsigned.did)

    async def publish_dataset(self, who: str = "owner", *, files: list[JsonObject] | None = None, **main: Any) -> str:
        """Publish a data set of one file at the provider, with a compute service; ``main`` changes the service."""
        path = self.folder / "data" / f"{secrets.token_hex(4)}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("carrier,delay\nAA,3\n")
        listed = files or [{"index": 0, "url": path.as_uri(), "name": "flights.csv", "contentType": "text/csv"}]
        public = [{"index": file["index"], "contentType": "text/csv", "contentLength": "19"} for file in listed]
        metadata = self._metadata({"type": "dataset", "name": "Flights", "files": public})
        changes = main.pop("publishing", {})
        return await self.publish(who, [metadata, self.compute_entry(who, **main)], listed, **changes)

    def compute_entry(self, who: str, **main: Any) -> JsonObject:
        endpoint = main.pop("endpoint", PUBLIC_URL + BASE + "/exec")
        contract = self.chain.agreements.contract
        main.pop("publishing", None)
        times = {name: main.pop(name) for name in ("lock_timeout", "grant_timeout", "settle_timeout") if name in main}
        price = main.get("price", "10")
        template = agreement_template(contract, self.chain.agreements.chain_id, price=int(price), **times)
        return {
            "index": 4,
            "type": "compute",
            "serviceEndpoint": endpoint,
            "templateId": contract,
            "attributes": {
                "main": {
                    "name": "Compute",
                    "creator": self.address(who),
                    "datePublished": "2026-01-02T03:04:05Z",
                    "price": price,
                    "timeout": 86400,
                    "provider": {
                        "type": "On-Premise",
                        "environment": {
                            "cluster": {"type": "insitu"},
                            "supportedContainers": [IMAGE],
                            "supportedServers": [SMALL],
                        },
                    },
                    "serviceAgreementTemplate": template.to_json(),
                    "policy": {"algorithms": "any"},
                }
                | main
            },
        }

    async def publish_algorithm(self, who: str = "consumer", **main: Any) -> str:
        """Publish an algorithm whose one file is uploaded to the gateway."""
        sha256 = await self.blobs.put(_bytes(SCRIPT))
        upload = Upload(secrets.token_hex(16), self.address(who), sha256, len(SCRIPT), datetime.now(UTC))
        await self.agreements.apply([AddUpload(upload)])
        file = {"index": 0, "name": "count.py", "url": f"upload:{upload.upload_id}", "contentType": "text/x-python"}
        public = {"index": 0, "name": "count.py", "contentType": "text/x-python", "checksum": sha256}
        algorithm = {"language": "python", "format": "py", "version": "1", "entrypoint": "python3 count.py"}
        described = {"type": "algorithm", "name": "Count", "files": [public], "algorithm": algorithm}
        return await self.publish(who, [self._metadata(described | main)], [file])

    async def publish_workflow(self, stages: list[JsonObject], who: str = "consumer") -> str:
        main = {
            "type": "workflow",
            "name": f"Count {secrets.token_hex(4)}",
            "files": [],
            "workflow": {"stages": stages},
        }
        return await self.publish(who, [self._metadata(main)])

    async def simple_workflow(self, *datasets: str, algorithm: str | None = None, **stage: Any) -> str:
        """Publish a workflow of one stage over these data sets."""
        algorithm = algorithm or await self.publish_algorithm()
        inputs = [{"index": position, "id": did} for position, did in enumerate(datasets)]
        return await self.publish_workflow([stage_of(0, inputs, algorithm, **stage)])

    def _metadata(self, main: JsonObject) -> JsonObject:
        required = {"author": "A", "license": "CC0", "price": "0", "dateCreated": "2026-01-02T03:04:05Z"}
        attributes: JsonObject = {"main": required | main, "additionalInformation": {"nonce": secrets.token_hex(8)}}
        attributes["main"]["name"] = f"{attributes['main']['name']} {secrets.token_hex(4)}"
        endpoint = PUBLIC_URL + "/api/v1/metadata/assets/ddo/{did}"
        return {"index": 0, "type": "metadata", "serviceEndpoint": endpoint, "attributes": attributes}

    async def quote(self, workflow: str, consumer: str = "consumer") -> Quote:
        return await self.gateway.quoter.check(CheckRequest(consumer=self.address(consumer), workflow_did=workflow))

    def terms(self, quote: Quote, consumer: str = "consumer", **changes: Any) -> Terms:
        terms = Terms(
            seed="0x" + new_seed(),
            did="0x" + Did.parse(quote.did).digits,
            inputs_hash=quote.inputs_hash,
            workflow_id="0x" + Did.parse(quote.workflow_did).digits,
            workflow_hash="0x" + quote.workflow_hash,
            consumer=self.address(consumer),
            provider=quote.provider,
            service_index=quote.service_index,
            deadline=int(datetime.now(UTC).timestamp()) + 365 * 86400,
            grant_timeout=quote.grant_timeout,
            timeout=quote.timeout,
            settle_timeout=quote.settle_timeout,
            amounts=tuple(receiver.amount.base_units for receiver in quote.receivers),
            receivers=tuple(receiver.address for receiver in quote.receivers),
        )
        return terms.model_copy(update=changes)

    async def lock(self, terms: Terms, consumer: str = "consumer") -> AgreementId:
        """C4 and C5: create the agreement and lock the payment."""
        signer = self.people[consumer]
        if terms.total:
            await self.chain.transact(approval(self.chain, terms.total), signer)
        await self.chain.transact(create_and_lock(terms), signer)
        return agreement_id(terms, self.chain.agreements)

    async def buy(self, workflow: str, consumer: str = "consumer", **changes: Any) -> AgreementId:
        """C1–C7: quote, lock, and wait for the grant."""
        terms = self.terms(await self.quote(workflow, consumer), consumer, **changes)
        bought = await self.lock(terms, consumer)
        await self.until_standing(bought, Standing.GRANTED)
        return bought

    async def exec(self, agreement: AgreementId, consumer: str = "consumer", key: str | None = None) -> ExecAccepted:
        request = ExecRequest(service_agreement_id=agreement)
        return await self.gateway.executor.execute(self.caller(consumer), request, key)

    async def status(self, caller: Caller, agreement: str, execution: str) -> ExecutionView:
        """Return one execution as a caller sees it."""
        seen = await self.gateway.execution_finder.see(caller, agreement, execution)
        return await self.gateway.presenter.execution(seen)

    async def until_standing(self, agreement: AgreementId, *standings: Standing) -> None:
        await self._until(lambda known: known is not None and known.standing in standings, agreement)

    async def _until(self, holds: Any, agreement: AgreementId) -> None:
        with anyio.fail_after(30):
            while True:
                if holds(await self.agreements.agreement(agreement)):
                    return
                await anyio.sleep(0.01)

    async def until_events(self, execution_id: str, *types: str) -> list[str]:
        """Wait until events of these types are there; return all types so far."""
        with anyio.fail_after(30):
            while True:
                found = [event.type for event in await self.agreements.events(execution_id)]
                if set(types) <= set(found):
                    return found
                await anyio.sleep(0.01)

    async def until_followed(self) -> None:
        """Wait until the follower has read everything that is mined now."""
        head = await self.chain.rpc("eth_blockNumber")
        newest = int(str(head), 16)
        with anyio.fail_after(30):
            while True:
                seen = self.desk.ports.wakeups.count(FOLLOWED)
                cursors = await self.agreements.cursors()
                if cursors and cursors[0].number >= newest:
                    return
                await self.desk.ports.wakeups.wait(FOLLOWED, seen, seconds=0.05)

    async def execution(self, execution_id: Any) -> StoredExecution:
        found = await self.agreements.execution(execution_id)
        assert found is not None
        return found

    async def balances(self) -> dict[str, int]:
        accounts = {name: signer.address for name, signer in self.people.items()}
        accounts["escrow"] = self.chain.agreements.contract
        return {name: await self.chain.balance(account) for name, account in accounts.items()}

    async def pass_time(self, seconds: int) -> None:
        """Let the chain's time pass."""
        await self.chain.rpc("evm_increaseTime", seconds)
        await self.chain.rpc("anvil_mine", 1)

    async def output(self, files: Mapping[str, bytes], **more: int) -> dict[str, Ending]:
        return await published(self.blobs, files, **more)


async def published(blobs: FolderBlobs, files: Mapping[str, bytes], **more: int) -> dict[str, Ending]:
    """Deliver an output as a Publishing Pod does, and return the script of a runtime that reports it."""
    listed = []
    digests = {content: await blobs.put(_bytes(content)) for content in set(files.values())}
    for path, content in sorted(files.items()):
        sha256 = digests[content]
        kind = "log" if path.startswith("logs/") else "output"
        entry = {"path": path, "stage": 0, "kind": kind, "size": len(content), "sha256": sha256}
        listed.append(entry | {"contentType": "text/plain"})
    manifest = canonical_json(listed)
    await blobs.put(_bytes(manifest))
    result = {
        "manifest": hashlib.sha256(manifest).hexdigest(),
        "files": len(files),
        "bytes": sum(len(content) for content in files.values()),
        **more,
    }
    return {f"{stage}-publish-{attempt}": Ending(result=result) for stage in (0, 1) for attempt in (1, 2)}


def stage_of(index: int, inputs: list[JsonObject], algorithm: str, **changes: Any) -> JsonObject:
    return {
        "index": index,
        "stageType": "Filtering",
        "requirements": {"serverInstances": 1, "container": IMAGE},
        "input": inputs,
        "transformation": {"id": algorithm},
        "output": {"metadata": {"name": "Number of flights"}},
    } | changes


@asynccontextmanager
async def world(
    chain: EmbeddedChain,
    folder: Path,
    *,
    people: dict[str, LocalSigner] | None = None,
    script: Mapping[str, Ending] | None = None,
    working: bool = True,
    **configured: Any,
) -> AsyncIterator[World]:
    """Build and run everything in a folder. In a folder that was used before, it continues as after a restart."""
    if people is None:
        names = ("provider", "owner", "second-owner", "consumer", "second-consumer", "stranger")
        people = {name: LocalSigner(secrets.token_bytes(32)) for name in names}
    await chain.fund(dev_signer("deployer"), [signer.address for signer in people.values()])
    clock, blobs = SystemClock(), FolderBlobs(folder / "blobs")
    catalog = SqliteCatalog(folder / "metadata.db")
    metadata = MetadataService(
        catalog=catalog,
        chain=chain,
        clock=clock,
        public_url=PUBLIC_URL,
        confirmations=0,
        pending_lifetime=3600,
        page_size=100,
        limits=PendingLimits(gateways=(people["provider"].address,)),
        curators=(people["provider"].address,),
    )
    configuration = GatewayConfiguration(
        version="0",
        public_url=PUBLIC_URL,
        metadata_url=PUBLIC_URL + "/api/v1/metadata/assets/ddo/{did}",
        creators=tuple(signer.address for signer in people.values()),
        data_roots=(str(folder / "data"),),
        **{"commit_delay": 0.05, "lost_after": 0.5, "patience": 0.0, **configured},
    )
    async with SqliteDatabase(folder / "gateway.db", SQLITE) as database:
        agreements = SqlAgreements(database)
        ports = GatewayPorts(
            configuration=configuration,
            chain=chain,
            signer=people["provider"],
            metadata=metadata,
            agreements=agreements,
            blobs=blobs,
            sources=WebSources(Targets()),
            clock=clock,
            containers=offered,
            image_contents=nothing_known,
        )
        desk = GatewayDesk(ports, derived_keyring(bytes(32)))
        async with scripted_operator(folder, desk.peer, script) as operator, anyio.create_task_group() as tasks:
            gateway = GatewayService(desk, operator.service)
            app = build_app(
                "gateway",
                "0",
                [router(gateway), ticket_router(gateway.peer)],
                max_body_bytes=1024 * 1024,
                body_limits=body_limits(configuration),
            )
            if working:
                tasks.start_soon(gateway.run)
                tasks.start_soon(metadata.run)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC_URL) as http:
                yield World(
                    chain, folder, people, metadata, desk, gateway, operator, agreements, blobs, configuration, http
                )
            tasks.cancel_scope.cancel()
    await catalog.close()


async def _bytes(content: bytes) -> AsyncIterator[bytes]:
    yield content


def json_of(response: httpx.Response) -> Any:
    return json.loads(response.content)


def client(provider: World, who: str) -> GatewayClient:
    """Return a client of the gateway for one of the people, over HTTP."""
    return GatewayClient(Http(transport=provider.http._transport), PUBLIC_URL, provider.people[who])


async def taken(provider: World, who: str, did: str, index: int = 0) -> bytes:
    """Download one file of an asset."""
    async with client(provider, who).download(did, index) as download:
        return b"".join([chunk async for chunk in download.chunks])
