"""Documents that the states of components show. The offices are invented, and no chain knows them."""

import json
from copy import deepcopy
from pathlib import Path
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

_PARTS: JsonObject = json.loads((Path(__file__).parent / "samples.json").read_text("utf-8"))
OPEN: JsonObject = {"algorithms": "any"}
STRICT: JsonObject = _PARTS["strict"]


def did(number: int) -> str:
    """Return the DID of a sample."""
    return f"did:nv:fe24ae8a2bbce61e4fd9d344491e94239738410531558dddacfb847c821{number:05d}"


def document(kind: str = "dataset", number: int = 1, policy: JsonObject | None = None, **main: Any) -> JsonObject:
    """Return a document; a data set has a compute service with this policy."""
    parts = deepcopy(_PARTS)
    described = {**parts["main"], "type": kind, **main}
    attributes = {"main": described, "additionalInformation": parts["additionalInformation"]}
    services: list[JsonObject] = [{"index": 0, "type": "metadata", "attributes": attributes}]
    if policy is not None:
        offered = {"main": parts["service"] | {"policy": deepcopy(policy)}}
        endpoint = "http://127.0.0.1:8030/api/v1/gateway"
        services.append({"index": 4, "type": "compute", "serviceEndpoint": endpoint, "attributes": offered})
    return {"id": did(number), "service": services, "proof": {"creator": OWNER}}


def result(number: int = 9) -> JsonObject:
    """Return the document of a result."""
    return document("dataset", number, name="Delay by weather, New York 2013", compute=_PARTS["compute"])


def workflow(number: int = 3) -> JsonObject:
    """Return the document of a workflow."""
    return document("workflow", number, name="Delay by weather", files=[], workflow={"stages": _PARTS["stages"]})


def status(state: str = "listed", number: int = 1, **changes: Any) -> AssetStatus:
    """Return where a sample stands."""
    values = {"did": did(number), "state": state, "checksum": CHECKSUM, "owner": OWNER, "version": 1}
    return AssetStatus.model_validate(values | {"updated_at": MOMENT} | changes)


def versions(*numbers: int) -> AssetVersions:
    """Return versions, the newest of which has ``CHECKSUM``; the document of the second is not here."""
    sums = [CHECKSUM if number == max(numbers) else f"{number:064x}" for number in numbers]
    fixed = {"owner": OWNER, "registered_at": MOMENT}
    found = [{"number": number, "checksum": at, "here": number != 2} for number, at in zip(numbers, sums, strict=True)]
    return AssetVersions(versions=tuple(AssetVersion.model_validate(fixed | version) for version in found))
