"""Documents that the states of components show. The offices are invented, and no chain knows them."""

from typing import Any

from insitu.api.metadata_v1 import AssetStatus, AssetVersion, AssetVersions
from insitu.domain.canonical import JsonObject
from insitu.domain.ids import Address
from insitu.domain.timestamps import parse_time
from insitu.ports.chain import TokenInfo

OWNER = Address("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")
SCIENTIST = Address("0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65")
TOKEN = TokenInfo(address=OWNER, name="Nevermined", symbol="NVM", decimals=18)
ONE = 10**18
CHECKSUM = "98a654a0a89916cb3bd255c3ddd636931f434101b38dd7a9f950ace27da017a6"
MOMENT = parse_time("2026-11-03T09:30:00Z")


def did(number: int) -> str:
    """Return the DID of a sample."""
    return f"did:nv:fe24ae8a2bbce61e4fd9d344491e94239738410531558dddacfb847c821{number:05d}"


def document(kind: str = "dataset", number: int = 1, policy: JsonObject | None = None, **main: Any) -> JsonObject:
    """Return a document; a data set has a compute service with this policy."""
    described = {
        "name": "Departures from New York, 2013",
        "type": kind,
        "author": "airline office",
        "license": "CC0-1.0",
        "price": "0",
        "datePublished": "2026-11-30T00:58:00Z",
        "files": [{"index": 0, "contentType": "text/csv", "contentLength": "31053850"}],
        **main,
    }
    additional = {
        "description": "Every departure from **EWR**, **JFK** and **LGA** in 2013: times, delays, carrier, route.",
        "tags": ["new-york", "2013"],
    }
    services: list[JsonObject] = [
        {"index": 0, "type": "metadata", "attributes": {"main": described, "additionalInformation": additional}}
    ]
    if policy is not None:
        services.append(
            {
                "index": 4,
                "type": "compute",
                "serviceEndpoint": "http://127.0.0.1:8030/api/v1/gateway",
                "attributes": {"main": _service(policy)},
            }
        )
    return {"id": did(number), "service": services, "proof": {"creator": OWNER}, "created": "2026-11-30T00:58:00Z"}


OPEN: JsonObject = {"algorithms": "any"}
STRICT: JsonObject = {
    "publishers": [SCIENTIST],
    "output": {"types": [".csv", ".png", ".txt", ".log"], "maxBytes": 1_000_000, "maxFiles": 10},
    "revisions": "untilSuccess",
}


def _service(policy: JsonObject) -> JsonObject:
    server = {
        "serverId": "demo",
        "price": str(2 * ONE),
        "cpu": "1",
        "memory": "1.5gb",
        "disk": "500mb",
        "maxExecutionTime": 3600,
    }
    image = {"image": "insitu/pandas", "tag": "3.11", "checksum": f"sha256:{CHECKSUM}"}
    environment = {"supportedContainers": [image], "supportedServers": [server]}
    return {"price": str(5 * ONE), "timeout": 86400, "provider": {"environment": environment}, "policy": policy}


def result(number: int = 9) -> JsonObject:
    """Return the document of a result."""
    compute = {
        "serviceAgreementId": "a3" * 32,
        "workflowExecutionId": "wx" + "a2" * 13,
        "workflow": did(3),
        "inputs": [did(1), did(5)],
        "algorithms": [did(2)],
    }
    return document("dataset", number, name="Delay by weather, New York 2013", compute=compute)


def workflow(number: int = 3) -> JsonObject:
    """Return the document of a workflow."""
    stages = [
        {
            "index": 0,
            "stageType": "Join",
            "input": [{"index": 0, "id": did(1)}, {"index": 1, "id": did(5)}],
            "transformation": {"id": did(2)},
        },
        {
            "index": 1,
            "stageType": "Plot",
            "input": [{"index": 0, "previousStage": 0}],
            "transformation": {"id": did(4)},
        },
    ]
    return document("workflow", number, name="Delay by weather", files=[], workflow={"stages": stages})


def status(state: str = "listed", number: int = 1, **changes: Any) -> AssetStatus:
    """Return where a sample stands."""
    values = {
        "did": did(number),
        "state": state,
        "checksum": CHECKSUM,
        "owner": OWNER,
        "version": 1,
        "updated_at": MOMENT,
    }
    return AssetStatus.model_validate(values | changes)


def versions(*numbers: int) -> AssetVersions:
    """Return versions, the newest of which has ``CHECKSUM``."""
    newest = max(numbers, default=0)
    found = [
        AssetVersion(
            number=number,
            checksum=CHECKSUM if number == newest else f"{number:064x}",
            owner=OWNER,
            registered_at=MOMENT,
            here=number != 2,
        )
        for number in numbers
    ]
    return AssetVersions(versions=tuple(found))
