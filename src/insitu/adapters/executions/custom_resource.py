"""The custom resource ``WorkflowExecution``: its definition, made from the domain's models, and its two parts.

``spec`` is the plan, which never changes; ``status`` is everything else in a record. ``python -m
insitu.adapters.executions.custom_resource`` prints the definition; a test compares it with the file in ``deploy/``.
"""

import json
from collections.abc import Mapping
from typing import Any

from insitu.domain.execution import Execution
from insitu.domain.plan import ExecutionPlan

GROUP = "insitu.internal"
VERSION = "v1alpha1"
KIND = "WorkflowExecution"
PLURAL = "workflowexecutions"

_ANYTHING = {"x-kubernetes-preserve-unknown-fields": True}
_KEPT = ("type", "format", "enum", "description")
_COLUMNS = (
    ("Phase", "string", ".status.phase", 0),
    ("Stage", "integer", ".status.stage", 0),
    ("Reason", "string", ".status.reason", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Attempt", "integer", ".status.attempt", 1),
    ("Consumer", "string", ".spec.consumer", 1),
)


def spec_of(execution: Execution) -> dict[str, Any]:
    """Return the part of a record that never changes."""
    spec: dict[str, Any] = execution.plan.model_dump(mode="json", by_alias=True, exclude_none=True)
    return spec


def status_of(execution: Execution) -> dict[str, Any]:
    """Return the part that changes; ``reason`` is for people who list the objects."""
    status: dict[str, Any] = execution.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"plan"})
    last = execution.outcome or execution.history[-1]
    if last.reason is not None:
        status["reason"] = last.reason.code
    return status


def read_execution(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Execution:
    """Return the record of these two parts."""
    return Execution.model_validate({**status, "plan": spec})


def definition() -> dict[str, Any]:
    """Return the CustomResourceDefinition: structural schemas, a status subresource, columns, an immutable plan."""
    spec = _structural(ExecutionPlan)
    message = "the plan of an execution never changes"
    spec["x-kubernetes-validations"] = [{"rule": "self == oldSelf", "message": message}]
    status = _structural(Execution)
    del status["properties"]["plan"]
    status["required"].remove("plan")
    status["properties"]["reason"] = {"type": "string", "description": "The code of the reason, for people."}
    schema = {"type": "object", "required": ["spec"], "properties": {"spec": spec, "status": status}}
    columns = [
        {"name": name, "type": kind, "jsonPath": path, "priority": priority} for name, kind, path, priority in _COLUMNS
    ]
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
    }
    names = {"kind": KIND, "listKind": f"{KIND}List", "plural": PLURAL, "singular": KIND.lower(), "shortNames": ["wx"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }


def _structural(model: type[ExecutionPlan] | type[Execution]) -> dict[str, Any]:
    """Return a model's schema as Kubernetes requires it: no references, and one type for each field."""
    schema = model.model_json_schema(by_alias=True, mode="serialization")
    return _flat(schema, schema.get("$defs", {}))


def _flat(schema: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _flat(named[schema["$ref"].rpartition("/")[2]], named)
    if "oneOf" in schema:
        return _merge([_flat(variant, named) for variant in schema["oneOf"]])
    if "anyOf" in schema:
        # Null is never written: a field that is None is left out.
        parts = [_flat(option, named) for option in schema["anyOf"] if option != {"type": "null"}]
        return parts[0] if len(parts) == 1 else dict(_ANYTHING)
    if not schema.get("type") and "const" not in schema and "enum" not in schema:
        return dict(_ANYTHING)
    made = {name: schema[name] for name in _KEPT if name in schema}
    if "description" in made:
        made["description"] = made["description"].partition("\n\n")[0].replace("\n", " ").replace("``", "")
    if "const" in schema:
        made |= {"type": "string", "enum": [schema["const"]]}
    return made | _inside(made["type"], schema, named)


def _inside(kind: str, schema: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of the content of a field of this type."""
    if kind == "integer":
        return {"format": "int64"}
    if kind == "array":
        return {"items": _flat(schema["items"], named)}
    if "properties" in schema:
        fields = schema["properties"].items()
        return {
            "properties": {name: _flat(field, named) for name, field in fields},
            "required": [name for name, field in fields if _is_written(name, field, schema)],
        }
    return {"additionalProperties": _flat(schema.get("additionalProperties") or {}, named)} if kind == "object" else {}


def _is_written(name: str, field: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """Return whether a field is always written: one with a default may be missing in records of older versions."""
    return name in schema.get("required", ()) and "default" not in field


def _merge(variants: list[dict[str, Any]]) -> dict[str, Any]:
    """Merge the variants of a tagged union, which Kubernetes lacks: all fields, with the common ones required."""
    properties: dict[str, Any] = {}
    for variant in variants:
        for name, field in variant["properties"].items():
            kinds = properties.get(name, {}).get("enum", []) + field.get("enum", [])
            properties[name] = {**field, "enum": kinds} if kinds else field
    required = [name for name in variants[0]["required"] if all(name in variant["required"] for variant in variants)]
    return {"type": "object", "properties": properties, "required": required}


if __name__ == "__main__":
    import sys

    sys.stdout.write(json.dumps(definition(), indent=2) + "\n")
