"""Strict validation of a whole DDO, before it is published, bought or executed. Vectors: ``document-rules.json``."""

import re
from collections.abc import Iterable

from insitu.domain.asset import DATASET, Asset
from insitu.domain.asset_rules import check_metadata
from insitu.domain.canonical import canonical_json
from insitu.domain.checks import Checker
from insitu.domain.compute_rules import check_address, check_compute_service, check_new_compute_service
from insitu.domain.ddo import Ddo
from insitu.domain.did import is_complete_did
from insitu.domain.errors import InsituError
from insitu.domain.service import COMPUTE, METADATA, Service
from insitu.domain.timestamps import is_document_time

MAX_SERVICES = 100
MAX_URL = 2048
MAX_DOCUMENT_BYTES = 8 * 1024 * 1024
"""Enough for 10,000 files with their sealed list."""

_HTTP_URL = re.compile(
    r"https?://(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(?:[/?#][!-~]*)?", re.ASCII | re.IGNORECASE
)


def validate_ddo(ddo: Ddo, *, without_compute: bool = False, new: bool = False) -> None:
    """Refuse a document that breaks a rule of the specification.

    This checks only form and meaning; :mod:`insitu.domain.integrity` checks hashes and signatures.

    Raises ``InvalidDocument`` with every violation as {pointer, code, message}. If all violations break one rule that
    is in the error table (``StageOrder``, ``NoComputeService``, …), the error has that code instead.

    Parameters
    ----------
    ddo
        As read.
    without_compute
        The publisher wants a data set that nobody can compute on.
    new
        The document is being published now, so it must not use what only older documents may.
    """
    checker = Checker()
    check_ddo(ddo, checker, without_compute=without_compute)
    checker.raise_if_any()
    for i, service in enumerate(ddo.service if new else ()):
        if service.type == COMPUTE:
            check_new_compute_service(service, Asset.read(ddo.main).files, checker.at("service", i))
    checker.raise_if_any()
    # Last, because it is expensive: a document with thousands of stages is refused for their number.
    size = len(canonical_json(ddo.to_json()))
    if size > MAX_DOCUMENT_BYTES:
        raise InsituError("InvalidDocument", f"{size} bytes, but at most {MAX_DOCUMENT_BYTES} are read", pointer="")


def check_ddo(ddo: Ddo, checker: Checker, *, without_compute: bool = False) -> None:
    """Report every violation of a document; see ``validate_ddo``."""
    checker.at("@context").require(bool(ddo.context), "Required", "the JSON-LD context is needed")
    checker.at("id").require(is_complete_did(ddo.id), "InvalidDid", _expected_did(ddo.id))
    checker.at("created").require(is_document_time(ddo.created), "WrongFormat", "a time like 2019-04-09T19:02:11Z")
    if ddo.updated is not None:
        checker.at("updated").require(is_document_time(ddo.updated), "WrongFormat", "a time like 2019-04-09T19:02:11Z")
    _check_keys(ddo, checker.at("publicKey"))
    _check_proof(ddo, checker.at("proof"))
    services = checker.at("service")
    if not services.require(len(ddo.service) <= MAX_SERVICES, "TooMany", f"at most {MAX_SERVICES} services"):
        return
    services.require(
        sum(service.type == METADATA for service in ddo.service) == 1, "Required", "exactly one metadata service"
    )
    for i, service in enumerate(ddo.service):
        _check_service(service, (other.index for other in ddo.service[:i]), ddo, services.at(i))
    if ddo.asset_type == DATASET and not without_compute:
        services.require(bool(ddo.compute_services), "NoComputeService", "the data set offers no compute service")


def _expected_did(text: str | None) -> str:
    wanted = "did:nv: and 64 lower-case hex digits"
    if text is not None and text.startswith("did:op:"):
        return f"{wanted}; did:op: is the older method, of Ocean Protocol: publish it again to get a current DID"
    return wanted


def _check_keys(ddo: Ddo, checker: Checker) -> None:
    checker.require(0 < len(ddo.public_key) <= 20, "Required", "the publisher's public key is needed; at most 20")
    for i, key in enumerate(ddo.public_key[:20]):
        check_address(key.owner or "", checker.at(i, "owner"))
        checker.at(i, "type").require(bool(key.type), "Required", "the type of the key is needed")


def _check_proof(ddo: Ddo, checker: Checker) -> None:
    proof = ddo.proof
    if proof is None:
        checker.report("Required", "the publisher's proof is needed")
        return
    checker.at("type").require(bool(proof.type), "Required", "the type of the proof is needed")
    checker.at("created").require(is_document_time(proof.created), "WrongFormat", "a time like 2019-04-09T19:02:11Z")
    check_address(proof.creator or "", checker.at("creator"))
    stated = set(proof.checksum or {})
    expected = {str(service.index) for service in ddo.service if service.index is not None}
    checker.at("checksum").require(stated == expected, "Required", "one checksum per service index, and no other")


def _check_service(service: Service, earlier: Iterable[int | None], ddo: Ddo, checker: Checker) -> None:
    if service.is_empty:
        checker.report("EmptyService", "a service without any member")
        return
    if checker.at("index").require(service.index is not None, "Required", "a service needs an index"):
        checker.at("index").require(service.index not in set(earlier), "Duplicate", "two services have this index")
    checker.at("type").require(bool(service.type), "Required", "a service needs a type")
    checker.at("serviceEndpoint").require(
        is_http_url(service.service_endpoint), "WrongFormat", "an absolute http or https URL is needed"
    )
    checker.at("attributes", "main").require(bool(service.main), "Required", "a service needs attributes.main")
    if ddo.id is not None and is_complete_did(ddo.id) and ddo.id in str(service.main):
        checker.at("attributes", "main").report("DidInMain", "main cannot contain the DID, which is derived from it")
    if service.type == METADATA:
        check_metadata(service, checker)
    elif service.type == COMPUTE:
        check_compute_service(service, checker)


def is_http_url(text: str | None) -> bool:
    """Return whether ``text`` is an absolute http(s) URL of ASCII with a host, without user, password or blanks."""
    match = _HTTP_URL.fullmatch(text or "")
    return match is not None and len(match[0]) <= MAX_URL and 0 < int(match[1] or 80) < 2**16
