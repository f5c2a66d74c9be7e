"""How far a document can be trusted: which rules its parts follow and which software wrote it."""

from collections.abc import Mapping, Sequence
from typing import Literal

from insitu.domain.canonical import JsonObject
from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, read_address
from insitu.domain.integrity import origin_of, request_of
from insitu.domain.published_rules import (
    OWN_RULE,
    SIGNATURE_RULES,
    SOFTWARE,
    KnownSoftware,
    did_rules,
    main_rules,
    read_older_id,
)
from insitu.domain.signatures import recover_address
from insitu.domain.wire import WireModel


class Verification(WireModel):
    """Which software's rule each part of a document follows; None if no known rule matches.

    Attributes
    ----------
    method
        ``nv``, or ``op`` in documents of 2019: the method of Ocean Protocol, from which Nevermined grew.
    services
        Service index → software whose rule its checksum follows.
    written_by
        The software that explains most of the document; several if their rules agree on all of it.
    without_urls
        Indices of services that match no rule and whose files are published without their URLs. Their checksums were
        computed before the URLs were encrypted, so only the publisher can check them.
    """

    did: str
    method: Literal["nv", "op"]
    did_rule: str | None
    services: dict[str, str | None]
    signature_rule: str | None
    signer: Address | None = None
    written_by: tuple[str, ...] = ()
    without_urls: tuple[str, ...] = ()

    @property
    def verdict(self) -> Literal["holds", "unproved", "broken"]:
        """``holds``; ``unproved`` if the only failures are services hashed with their URLs; else ``broken``."""
        failed = {index for index, rule in self.services.items() if rule is None}
        if not self.services or self.did_rule is None or self.signature_rule is None or failed - {*self.without_urls}:
            return "broken"
        return "unproved" if failed else "holds"

    @property
    def holds(self) -> bool:
        """Whether the DID, every service and the signature each follow a known rule."""
        return self.verdict == "holds"

    @property
    def is_own(self) -> bool:
        """Whether everything follows this system's own rules."""
        return {self.did_rule, self.signature_rule, *self.services.values()} == {OWN_RULE}


def verify_document(ddo: Ddo, main: JsonObject | None = None) -> Verification:
    """Find the rules that a document follows and the software that wrote it.

    ``main`` is the metadata service's ``main`` as its publisher had it, with the URLs that were encrypted later. It
    must equal the document's in everything that the document shows. Raises ``InvalidDocument`` if it does not, or if
    the document has no proof with a creator, and ``InvalidDid`` if it has no DID.
    """
    proof = ddo.proof
    if proof is None or proof.creator is None:
        raise InsituError("InvalidDocument", "the document has no proof with a creator", pointer="/proof")
    try:
        creator = read_address(proof.creator)
    except InsituError as error:
        raise InsituError("InvalidDocument", error.detail, pointer="/proof/creator") from None
    method, digits = read_older_id(ddo.id)
    stated = proof.checksum or {}
    published = {str(service.index): service.main for service in ddo.service if service.index is not None}
    mains = dict(published)
    if main is not None:
        mains[str(ddo.metadata and ddo.metadata.index)] = _with_urls(ddo.main, main)
    fitting = {index: main_rules(mains.get(index), stated.get(index)) for index in sorted(mains.keys() | stated.keys())}
    fitting["did"] = did_rules(digits, origin_of(ddo), creator)
    fitting["signature"] = tuple(name for name in SIGNATURE_RULES if _signed_by(ddo, name, creator))
    written_by = _written_by(ddo, fitting)
    named = {part: _rule_owner(part, rules, written_by) for part, rules in fitting.items()}
    did_name, signature_name = named.pop("did"), named.pop("signature")
    return Verification(
        did=f"did:{method}:{digits}",
        method=method,
        did_rule=did_name,
        services=named,
        signature_rule=signature_name,
        signer=creator if signature_name is not None else None,
        written_by=written_by,
        without_urls=tuple(
            index for index, name in named.items() if name is None and _lacks_urls(published.get(index))
        ),
    )


def _written_by(ddo: Ddo, fitting: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    def explained(software: KnownSoftware) -> int:
        return sum(any(software.follows(part, rule) for rule in rules) for part, rules in fitting.items())

    most = max(explained(software) for software in SOFTWARE)
    if not most:
        return ()
    best = [software for software in SOFTWARE if explained(software) == most]
    marked = [software.name for software in best if software.has_mark is not None and software.has_mark(ddo)]
    return tuple(marked or (software.name for software in best if software.has_mark is None))


def _rule_owner(part: str, rules: tuple[str, ...], written_by: Sequence[str]) -> str | None:
    """Return the software whose rule a part follows, preferably the one that wrote the rest."""
    names = [software.name for software in SOFTWARE if any(software.follows(part, rule) for rule in rules)]
    return next((name for name in written_by if name in names), names[0] if names else None)


def _lacks_urls(main: JsonObject | None) -> bool:
    return any("url" not in file for file in _files(main or {}))


def _with_urls(published: JsonObject, given: JsonObject) -> JsonObject:
    """Return ``main`` as it was hashed, after checking that only what was taken out of its files differs."""
    shown, files = _files(published), _files(given)
    pairs = zip(shown, files, strict=False)
    stripped = [{name: file[name] for name in public if name in file} for public, file in pairs]
    if len(shown) != len(files) or {**given, "files": stripped} != published:
        raise InsituError("InvalidDocument", "main differs from the published one in more than its URLs")
    return given


def _files(main: JsonObject) -> list[JsonObject]:
    files = main.get("files")
    return [file for file in files if isinstance(file, dict)] if isinstance(files, list) else []


def _signed_by(ddo: Ddo, rule: str, creator: Address) -> bool:
    try:
        request = request_of(ddo)
        signature = request.signature if request is not None else ddo.proof and ddo.proof.signature_value
        return recover_address(SIGNATURE_RULES[rule](ddo), signature or "") == creator
    except InsituError:
        return False  # not this rule, or no signature at all
