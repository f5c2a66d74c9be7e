"""JavaScript and Python find the same problems in documents that nobody thought of."""

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from insitu.domain.ddo import read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.validation import validate_ddo
from tests.domain.documents import patched, vector
from tests.javascript.packages import install_sdk, run_node

pytestmark = pytest.mark.needs("node")

VECTORS = vector("document-rules")
MEMBERS = (
    "maxBytes",
    "max_bytes",
    "containerId",
    "previousIndexStage",
    "context",
    "review",
    "publishers",
    "until",
    "x",
)
VALUES: tuple[Any, ...] = (
    *(None, True, 0, 1, -1, 1.5, 2**31, "", "x", "1", "01", "any", "none", "8gb", "0.5", "a/b", "~", "é", "🦉"),
    *([], {}, ["x"], [None], {"x": 1}, [[]], [{}], {"": 1}, "toString", "__proto__", "con", "algorithm", "workflow"),
    *("did:nv:" + "a" * 64, "0x" + "1" * 40, "2026-01-02T03:04:05Z", "ab" * 32, ".csv", "metadata", "compute", "4"),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the members and items of a document are."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from places(inner, (*path, key))


def mutate(document: Any, draw: random.Random) -> None:
    """Remove, add or replace a member or an item."""
    *above, last = draw.choice([*places(document)] or [("id",)])
    place = document
    for key in above:
        place = place[key]
    value, kind = deepcopy(draw.choice(VALUES)), draw.random()
    if kind < 0.2:
        del place[last]
    elif isinstance(place, list) and kind < 0.4:
        place.append(deepcopy(draw.choice(place)) if kind < 0.3 else value)
    else:
        place[draw.choice(MEMBERS) if isinstance(place, dict) and kind < 0.4 else last] = value


def mutated(number: int) -> dict[str, Any]:
    """A document near one that the vectors accept."""
    draw = random.Random(number)
    case = draw.choice([case for case in VECTORS["accepted"] if "planned" not in case])
    document = patched(VECTORS["bases"][case["base"]], case["patch"])
    for _ in range(draw.randint(1, 3)):
        mutate(document, draw)
    return {"document": document, "isNew": draw.random() < 0.5}


def judged(document: Any, *, new: bool) -> dict[str, Any]:
    try:
        ddo = read_ddo(document)
    except InsituError as error:
        return {"unreadable": error.pointer, "any": {problem.pointer for problem in error.problems}}
    try:
        validate_ddo(ddo, new=new)
    except InsituError as error:
        problems = [(problem.pointer, problem.code) for problem in error.problems]
        return {"code": error.code, "pointer": error.pointer, "problems": problems}
    return {}


def test_both_find_the_same_problems(tmp_path: Path) -> None:
    install_sdk(tmp_path)
    given = [mutated(number) for number in range(1500)]
    (tmp_path / "documents.json").write_text(json.dumps(given), "utf-8")
    program = (Path(__file__).parent / "programs" / "judging.mjs").read_text("utf-8")
    told = json.loads(run_node(tmp_path, program))
    own = [judged(case["document"], new=case["isNew"]) for case in given]
    assert sum(not found for found in own) > 50, "some of the documents are still good"
    for case, theirs, ours in zip(given, told, own, strict=True):
        if "unreadable" in ours:  # JavaScript reads a document until its first problem
            assert theirs.get("unreadable") in ours["any"], case
            continue
        ours["problems"] = sorted(set(ours.pop("problems", [])))
        theirs["problems"] = sorted({(pointer, code) for pointer, code in theirs.pop("problems", [])})
        assert theirs == ours, case
