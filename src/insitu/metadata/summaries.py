"""What a search looks at, taken from a document. Anything missing or of another type is empty."""

from collections.abc import Iterable

from insitu.domain.asset_price import price_of
from insitu.domain.canonical import JsonObject
from insitu.domain.catalogue_requests import is_listed_by_default
from insitu.domain.ddo import Ddo
from insitu.domain.offered_rules import rules_offered
from insitu.ports.catalog import Summary

MAX_WORDS = 100
MAX_TEXT = 20_000


def summary_of(ddo: Ddo) -> Summary:
    """Summarise a document that has been validated."""
    additional, (may_run, may_leave) = _additional(ddo), rules_offered(ddo)
    return Summary(
        type=ddo.asset_type,
        name=_text(ddo.main.get("name")),
        description=_text(additional.get("description") or ddo.main.get("description")),
        author=_text(ddo.main.get("author")),
        license=_text(ddo.main.get("license")),
        price=price_of(ddo) or 0,
        services=tuple(dict.fromkeys(service.type for service in ddo.service if service.type)),
        tags=_texts(additional.get("tags"), ddo.main.get("tags")),
        categories=_texts(additional.get("categories"), ddo.main.get("categories")),
        may_run=may_run,
        may_leave=may_leave,
        listed=is_listed_by_default(ddo.main),
    )


def _additional(ddo: Ddo) -> JsonObject:
    attributes = ddo.metadata.attributes if ddo.metadata is not None else None
    return (attributes.additional_information if attributes is not None else None) or {}


def _text(value: object) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _texts(*lists: object) -> tuple[str, ...]:
    found = (item for items in lists if isinstance(items, list) for item in items)
    return tuple(_distinct(item for item in found if isinstance(item, str)))[:MAX_WORDS]


def _distinct(texts: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(text[:200] for text in texts)
