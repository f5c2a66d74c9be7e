"""The OpenAPI documents have what other people's generators of clients need."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from insitu.api.errors import MEDIA_TYPE
from tests.parts import ROOT

pytestmark = pytest.mark.needs("docs")

FOLDER = ROOT / "docs" / "reference" / "openapi"
DOCUMENTS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
WITH_TOKEN = re.compile("/(compute|download|encrypt|exec|execute|upload)(/|$)")

each_document = pytest.mark.parametrize("actor", ["gateway", "metadata", "operator"])


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, found in document["paths"].items():
        yield from ((path, operation) for operation in found.values())


def parts(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from parts(inner)


@each_document
def test_every_reference_resolves(actor: str) -> None:
    references = {part["$ref"] for part in parts(DOCUMENTS[actor]) if isinstance(part.get("$ref"), str)}
    assert references
    for reference in references:
        found = DOCUMENTS[actor]
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
        Draft202012Validator.check_schema(found)


@each_document
def test_only_named_schemas_have_a_title_and_it_is_their_name(actor: str) -> None:
    schemas = DOCUMENTS[actor]["components"]["schemas"]
    assert all(schema["title"] == name and re.fullmatch(r"\w+", name) for name, schema in schemas.items())
    titles = [part["title"] for part in parts(DOCUMENTS[actor]["components"]) if isinstance(part.get("title"), str)]
    assert sorted(titles) == sorted(schemas)


def test_operation_ids_are_names_and_no_two_operations_share_one() -> None:
    ids = [found["operationId"] for document in DOCUMENTS.values() for _, found in operations(document)]
    assert all(re.fullmatch(r"[a-z][a-zA-Z]*", name) for name in ids)
    assert len(ids) == len(set(ids))


@each_document
def test_every_operation_answers_errors_with_a_problem_document(actor: str) -> None:
    for _, operation in operations(DOCUMENTS[actor]):
        content = operation["responses"]["default"]["content"]
        assert content == {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        assert "422" not in operation["responses"]


@each_document
def test_an_id_in_a_path_has_its_pattern(actor: str) -> None:
    wanted = {"agreement", "did", "execution", "serviceAgreementId", "sha256", "workflowExecutionId"}
    for path, operation in operations(DOCUMENTS[actor]):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path" and parameter["name"] in wanted:
                assert re.compile(parameter["schema"]["pattern"]), path


def test_every_operation_says_what_it_is_called_with() -> None:
    for _, operation in operations(DOCUMENTS["operator"]):
        assert operation["security"] == [{"serviceKey": []}]
    for path, operation in operations(DOCUMENTS["gateway"]):
        scheme = "ticket" if "/tickets/" in path else "accessToken"
        found = operation.get("security")
        assert found == [{scheme: []}] or (found is None and not WITH_TOKEN.search(path)), path
    for document in DOCUMENTS.values():
        named = {name for _, found in operations(document) for scheme in found.get("security", ()) for name in scheme}
        assert named == set(document["components"].get("securitySchemes", {}))
        assert not [part for part in parts(document) if part.get("name") in ("accept", "authorization")]


def test_a_stream_says_what_its_events_are() -> None:
    streams = [
        content["text/event-stream"]["schema"]
        for _, operation in operations(DOCUMENTS["gateway"])
        if "text/event-stream" in (content := operation["responses"].get("200", {}).get("content", {}))
    ]
    assert {stream["contentSchema"]["$ref"].rpartition("/")[2] for stream in streams} >= {"EventView", "LogView"}
    assert all(stream["type"] == "string" for stream in streams)
