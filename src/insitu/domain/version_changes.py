"""What a version of a document changes, in words, for whoever signs it and whoever looks back."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from insitu.domain.ddo import Ddo
from insitu.domain.service import Attributes, Service

SHOWN = 80
"""Characters of a value that are shown."""
NOT_SHOWN = {
    "encryptedFiles": "the list of files is sealed again",
    "serviceAgreementTemplate": "the conditions of the agreement change",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A member of a service that differs, with both values; None where it is absent."""

    service: str
    path: str
    before: Any
    after: Any


def changes_between(before: Ddo, after: Ddo) -> Iterator[Change]:
    """Yield what differs, service by service."""
    earlier = {service.index: service for service in before.service}
    for service in after.service:
        was, now = _members(earlier.get(service.index)), _members(service)
        for path in dict.fromkeys((*was, *now)):
            if was.get(path) != now.get(path):
                yield Change(service.type or "", path, was.get(path), now.get(path))


def describe_changes(before: Ddo, after: Ddo, price: Callable[[str], str] = str) -> tuple[str, ...]:
    """Return a line for each member of a service that differs, such as ``compute timeout: 3600 → 7200``.

    ``price`` shows an amount of base units. The values are those of the documents, so they may have any characters.
    """
    lines = []
    for change in changes_between(before, after):
        show = price if change.path == "price" else str
        told = NOT_SHOWN.get(change.path)
        told = told or f"{change.path}: {_shown(change.before, show)} → {_shown(change.after, show)}"
        lines.append(f"{change.service} {told}")
    return tuple(lines)


def with_price(template: Any, price: str) -> Any:
    """Return a ``serviceAgreementTemplate`` with another price: the value of its parameter ``_amount``."""
    if isinstance(template, list):
        return [with_price(part, price) for part in template]
    if not isinstance(template, dict):
        return template
    changed = {name: with_price(part, price) for name, part in template.items()}
    return changed | {"value": price} if template.get("name") == "_amount" else changed


def _members(service: Service | None) -> dict[str, Any]:
    """Return path → value of what a version may change."""
    found: dict[str, Any] = {}
    if service is None:
        return found
    attributes = service.attributes or Attributes()
    others = {"additionalInformation": attributes.additional_information, "encryptedFiles": attributes.encrypted_files}
    endpoints = {"serviceEndpoint": service.service_endpoint, "templateId": service.template_id}
    _flatten("", {**attributes.main, **others, **endpoints}, found)
    return found


def _flatten(path: str, value: Any, found: dict[str, Any]) -> None:
    if path == "serviceAgreementTemplate":
        found[path] = with_price(value, "")  # it follows the price
    elif isinstance(value, dict):
        for name, member in value.items():
            _flatten(f"{path}.{name}" if path else name, member, found)
    elif value is not None:
        found[path] = value


def _shown(value: Any, price: Callable[[str], str]) -> str:
    if value is None:
        return "nothing"
    text = price(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
