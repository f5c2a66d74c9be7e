"""Valid documents that tests start from, made with the functions that publishers use, and the accounts in them."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from eth_keys.datatypes import PrivateKey

from insitu.domain.agreement import AgreementDomain, AgreementState, ConditionState, Terms
from insitu.domain.assembly import UnsignedDdo, assemble_ddo
from insitu.domain.canonical import JsonObject
from insitu.domain.conditions import agreement_template
from insitu.domain.ddo import Ddo
from insitu.domain.ids import Address, read_address

VECTORS = Path(__file__).resolve().parent.parent / "vectors"

CREATED = "2026-01-02T03:04:05Z"
DIGEST = "sha256:" + "cb" * 32
SHA256 = "ab" * 32
CONTAINER = {"image": "insitu/python", "tag": "3.11", "checksum": DIGEST}
SERVER = {
    "serverId": "small",
    "serverType": "small",
    "price": "3",
    "cpu": "1",
    "gpu": "0",
    "memory": "1gb",
    "disk": "2gb",
    "maxExecutionTime": 600,
}
CHAIN_ID = 31337


class Account:
    """A throw-away account that signs digests as the key adapters do."""

    def __init__(self, number: int) -> None:
        self._key = PrivateKey(number.to_bytes(32, "big"))

    @property
    def address(self) -> Address:
        return read_address(self._key.public_key.to_checksum_address())

    def sign(self, digest: bytes) -> bytes:
        signature = self._key.sign_msg_hash(digest).to_bytes()
        return signature[:64] + bytes([signature[64] + 27])


OWNER, OTHER_OWNER, CONSUMER, PROVIDER, STRANGER = (Account(number) for number in range(1, 6))
CONTRACT = Account(99).address


def vector(name: str) -> Any:
    """The content of tests/vectors/<name>.json."""
    return json.loads((VECTORS / f"{name}.json").read_text())


def compute_main(**changes: object) -> JsonObject:
    """`main` of a valid compute service; keyword arguments replace members."""
    return {
        "name": "Compute on flights",
        "creator": OWNER.address,
        "datePublished": CREATED,
        "price": "10",
        "timeout": 86400,
        "provider": {
            "type": "On-Premise",
            "description": "",
            "environment": {
                "cluster": {"type": "insitu", "url": "http://10.0.0.17/"},
                "supportedContainers": [CONTAINER],
                "supportedServers": [SERVER],
            },
        },
        "serviceAgreementTemplate": agreement_template(CONTRACT, CHAIN_ID, price=10).to_json(),
        "policy": {"algorithms": "any"},
    } | changes


def compute_entry(main: JsonObject | None = None) -> JsonObject:
    """A service of type compute."""
    return {
        "index": 4,
        "type": "compute",
        "serviceEndpoint": "http://127.0.0.1:8030/api/v1/gateway/services/exec",
        "templateId": CONTRACT,
        "attributes": {"main": main if main is not None else compute_main()},
    }


def metadata_entry(main: JsonObject) -> JsonObject:
    """A service of type metadata."""
    return {
        "index": 0,
        "type": "metadata",
        "serviceEndpoint": "http://127.0.0.1:8030/api/v1/metadata/assets/ddo/{did}",
        "attributes": {"main": asset(main), "additionalInformation": {"description": "For tests"}},
    }


def asset(main: JsonObject) -> JsonObject:
    """`main` of an asset with the members that every asset needs."""
    required = {"name": "Flights", "author": "A", "license": "CC0", "price": "0", "dateCreated": CREATED, "files": []}
    return required | main


DATASET = {
    "type": "dataset",
    "files": [{"index": 0, "contentType": "text/csv", "contentLength": "1024", "checksum": SHA256}],
}
ALGORITHM = {
    "type": "algorithm",
    "name": "Count",
    "files": [{"index": 0, "name": "count.py", "contentType": "text/x-python", "checksum": SHA256}],
    "algorithm": {
        "language": "python",
        "format": "py",
        "version": "0.1.0",
        "entrypoint": "python3 count.py",
        "requirements": {"container": CONTAINER},
    },
}


def stage(index: int, inputs: list[JsonObject], algorithm: str, **changes: object) -> JsonObject:
    """A stage of a workflow."""
    return {
        "index": index,
        "stageType": "Filtering",
        "requirements": {"serverInstances": 1, "container": CONTAINER},
        "input": inputs,
        "transformation": {"id": algorithm},
        "output": {},
    } | changes


def two_stages(dataset: str, other: str, algorithm: str) -> JsonObject:
    """The workflow of the specification's example: Filtering two data sets, then Transformation of the output."""
    return {
        "stages": [
            stage(0, [{"index": 0, "id": dataset}, {"index": 1, "id": other}], algorithm),
            stage(1, [{"index": 0, "previousStage": 0}], algorithm, stageType="Transformation"),
        ]
    }


def workflow_main(workflow: JsonObject) -> JsonObject:
    """`main` of a workflow asset."""
    return {"type": "workflow", "name": "Filter, then transform", "workflow": workflow}


def unsigned(entries: list[JsonObject], creator: Account = OWNER) -> UnsignedDdo:
    """A DDO before it is signed."""
    return assemble_ddo(entries, creator.address, CREATED)


def published(entries: list[JsonObject], creator: Account = OWNER) -> Ddo:
    """A DDO signed by its creator."""
    draft = unsigned(entries, creator)
    return draft.signed(creator.sign(draft.digest))


def dataset_ddo(main: JsonObject | None = None, creator: Account = OWNER) -> Ddo:
    """A valid data set with a compute service."""
    return published([metadata_entry(DATASET), compute_entry(main)], creator)


def algorithm_ddo(creator: Account = CONSUMER) -> Ddo:
    """A valid algorithm."""
    return published([metadata_entry(ALGORITHM)], creator)


def workflow_ddo(workflow: JsonObject | None = None, creator: Account = CONSUMER) -> Ddo:
    """A valid workflow of two stages."""
    stages = workflow if workflow is not None else two_stages(*(f"did:nv:{digit * 64}" for digit in "abc"))
    return published([metadata_entry(workflow_main(stages))], creator)


def patched(document: Any, patch: list[JsonObject]) -> Any:
    """A copy of a document after a JSON patch (RFC 6902), in which a value may be `repeated`."""
    changed = deepcopy(document)
    for step in patch:
        *path, last = [part.replace("~1", "/").replace("~0", "~") for part in str(step["path"]).split("/")[1:]]
        place = changed
        for part in path:
            place = place[int(part)] if isinstance(place, list) else place[part]
        key = (len(place) if last == "-" else int(last)) if isinstance(place, list) else last
        value: Any = deepcopy(step.get("value"))
        if "repeated" in step:
            value *= step["repeated"]
        if step["op"] == "remove":
            del place[key]
        elif step["op"] == "add" and isinstance(place, list):
            place.insert(int(key), value)
        else:
            place[key] = value
    return changed


DOMAIN = AgreementDomain(CHAIN_ID, CONTRACT)


def terms(**changes: object) -> Terms:
    """Terms of an agreement that pays two accounts."""
    members: dict[str, object] = {
        "seed": "0x" + "11" * 32,
        "did": "0x" + "22" * 32,
        "inputs_hash": "0x" + "33" * 32,
        "workflow_id": "0x" + "44" * 32,
        "workflow_hash": "0x" + "55" * 32,
        "consumer": CONSUMER.address,
        "provider": PROVIDER.address,
        "service_index": 4,
        "deadline": 2_000_000_000,
        "grant_timeout": 600,
        "timeout": 86400,
        "settle_timeout": 4200,
        "amounts": (3, 10),
        "receivers": (PROVIDER.address, OWNER.address),
    }
    return Terms.model_validate(members | changes)


def state_of_word(word: int) -> AgreementState:
    """Decode the word that the contract stores: settled 0–127, start 128–167, states 168–173, closed 174."""
    return AgreementState(
        settled=word & (2**128 - 1),
        start=word >> 128 & (2**40 - 1),
        lock=ConditionState(word >> 168 & 3),
        compute=ConditionState(word >> 170 & 3),
        escrow=ConditionState(word >> 172 & 3),
        closed=bool(word >> 174 & 1),
    )
