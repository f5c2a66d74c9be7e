"""What a new version of a document may change (ADR 0120).

Every member of a ``main`` may change but its type. The services stay: each version has the same pairs of index and
type. A service may move only to a template that is approved. The registry decides which versions count.
"""

from collections.abc import Collection

from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError
from insitu.domain.service import Service


def require_allowed_change(before: Ddo, after: Ddo, templates: Collection[str]) -> None:
    """Refuse a version that changes more than a version may. Raises ``VersionNotAllowed`` with a pointer.

    Parameters
    ----------
    before
        An earlier version of the same DID.
    templates
        Addresses of approved templates, to which a service may move.
    """
    earlier, approved = {_key(service): service for service in before.service}, {text.lower() for text in templates}
    if sorted(map(_key, after.service)) != sorted(map(_key, before.service)):
        kept = ", ".join(f"{index} ({kind})" for index, kind in sorted(earlier))
        raise _refusal(f"a version keeps the services {kept}", "/service")
    for position, service in enumerate(after.service):
        at, was = f"/service/{position}", earlier[_key(service)]
        if service.main.get("type") != was.main.get("type"):
            detail = f"the type is {was.main.get('type')!r} in every version, not {service.main.get('type')!r}"
            raise _refusal(detail, at + "/attributes/main/type")
        moved = (service.template_id or "").lower()
        if moved != (was.template_id or "").lower() and moved not in approved:
            raise _refusal(f"the template {service.template_id} is not approved here", at + "/templateId")


def require_number(ddo: Ddo, number: int) -> None:
    """Refuse an origin in version 1, which would let it differ from what its DID derives from.

    Raises ``VersionNotAllowed``.
    """
    if number == 1 and ddo.proof is not None and ddo.proof.origin is not None:
        raise _refusal("version 1 is the origin and cannot have another one", "/proof/origin")


def _key(service: Service) -> tuple[int, str]:
    return (-1 if service.index is None else service.index, service.type or "")


def _refusal(detail: str, pointer: str) -> InsituError:
    return InsituError("VersionNotAllowed", detail, pointer=pointer)
