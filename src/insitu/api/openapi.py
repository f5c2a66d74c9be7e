"""The OpenAPI document of a server, in the form that other people's generators of clients can use.

FastAPI describes routes well, but it gives inputs and outputs one title, titles every member, and describes problem
documents as plain JSON. Generators name their types after titles, so each schema here has its own and nothing else.
"""

from typing import Any

from insitu.api.errors import MEDIA_TYPE

_SCHEMAS = "#/components/schemas/"
_PROBLEM = {
    "description": "A problem document (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": _SCHEMAS + "Problem"}}},
}


def for_generators(document: dict[str, Any]) -> dict[str, Any]:
    """Return FastAPI's document with unique titles, names without hyphens, and problems as what they are."""
    components = document.get("components", {})
    schemas = {_name(name): _plain(schema) for name, schema in components.get("schemas", {}).items()}
    for name, schema in schemas.items():
        schema["title"] = name
    paths = _plain(document["paths"])
    for operations in paths.values():
        for operation in operations.values():
            operation["responses"]["default"] = _PROBLEM
            for answer in operation["responses"].values():
                if stream := answer.get("content", {}).get("text/event-stream"):
                    stream["schema"] = _event_stream(stream["schema"])
    return {**document, "components": {**components, "schemas": schemas}, "paths": paths}


def _event_stream(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a stream of events: a text for generators, and for people what the data of each event is."""
    return {"type": "string", "contentMediaType": "application/json", "contentSchema": {"$ref": schema["$ref"]}}


def _name(name: str) -> str:
    """``Terms-Output`` is what clients read: ``Terms``; ``Terms-Input`` is what they send: ``TermsInput``."""
    return name.removesuffix("-Output").replace("-", "")


def _plain(part: Any) -> Any:
    """Return a part of the document without titles, its references under their new names."""
    if isinstance(part, list):
        return [_plain(element) for element in part]
    if not isinstance(part, dict):
        return part
    # A member that is called "title" has a schema; the title of a schema is a text.
    kept = {key: _plain(value) for key, value in part.items() if key != "title" or not isinstance(value, str)}
    if isinstance(reference := part.get("$ref"), str):
        kept["$ref"] = _SCHEMAS + _name(reference.removeprefix(_SCHEMAS))
    return kept
