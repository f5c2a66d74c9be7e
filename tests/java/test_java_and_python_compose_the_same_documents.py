"""Java writes what Python writes for a data set, an algorithm and a workflow, with the same rules by default."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from insitu.domain.canonical import canonical_json
from insitu.sdk.assets import Assets
from insitu.sdk.descriptions import describe_attributes, describe_contents
from insitu.sdk.files import describe_algorithm
from insitu.sdk.offers import ComputeOffer
from insitu.sdk.workflows import Previous, Stage, describe_stages
from tests.java.packages import run_java

pytestmark = [pytest.mark.needs("java"), pytest.mark.slow]

COMPOSE = Path(__file__).parent / "programs" / "Compose.java"
IMAGE = {"image": "insitu/python", "tag": "3.11", "checksum": "sha256:" + "cb" * 32}
DID, CHECKSUM, PUBLISHER = "did:nv:" + "aa" * 32, "ab" * 32, "0x" + "11" * 20


def _offer(**given: Any) -> dict[str, Any]:
    """A service with the rules that ``publish_dataset`` writes unless the owner says otherwise."""
    parameters = inspect.signature(Assets.publish_dataset).parameters
    names = ("consumers", "logs", "revisions", "parameters", "failures", "data")
    rules = {name: parameters[name].default for name in names} | given.pop("rules", {})
    return ComputeOffer(
        **{"timeout": 86400, "containers": (), "servers": (), "algorithms": "any"} | given, rules=rules
    ).service()


def test_java_and_python_compose_the_same() -> None:
    pinned = {"id": DID, "checksum": CHECKSUM}
    second = Stage(
        algorithm=DID,
        inputs=[Previous(0), DID],
        stage_type="Filtering",
        configuration={"limit": 10},
        memory="2gb",
        cpu=2,
        output={"name": "Result"},
    )
    expected = [
        _offer(price=10, containers=[IMAGE], servers=[{"serverId": "small", "price": "3"}]),
        _offer(
            price=0,
            timeout=86_401,
            algorithms=[{"did": DID, "checksum": CHECKSUM}],
            publishers=[PUBLISHER],
            output={"maxBytes": 1000, "types": [".csv"]},
            max_executions=7,
            rules={"failures": "free", "use": "research", "logs": "none"},
        ),
        _offer(price=1, timeout=3600, publishers=[PUBLISHER], rules={"failures": "free"}),
        {"files": describe_contents({"b/\ufb33.py": b"\1", "b/\U0001f600.csv": b"", "a": bytes(3)})},
        describe_algorithm({"my script.PY": b""}, None, IMAGE),
        describe_algorithm({"compute-entrypoint.sh": b"", "x.py": b""}, None, None),
        describe_algorithm({"it's.r": b""}, "", None),
        *(describe_algorithm({name: b""}, None, None) for name in ("Count.java", "count.JAR", "a.sh", "a.js")),
        describe_stages([Stage(algorithm=DID, inputs=[DID]), second], [IMAGE, IMAGE], [pinned, pinned]),
        describe_attributes(IMAGE, "About it", ["air"], []),
    ]
    told = [json.loads(line) for line in run_java(COMPOSE).splitlines()]
    assert [canonical_json(one) for one in told] == [canonical_json(json.loads(json.dumps(one))) for one in expected]
