"""DIDs and documents: what a DID resolves to, and whether a document is what its publisher signed."""

from typing import TYPE_CHECKING

import click

from insitu.cli.documents import read_json, read_object, written_by
from insitu.cli.options import connected
from insitu.cli.session import Session, pass_session

if TYPE_CHECKING:
    from insitu.domain.ddo import Ddo
    from insitu.domain.document_verification import Verification


@click.group()
def did() -> None:
    """Inspect DIDs and documents."""


@did.command()
@click.argument("did")
@connected
@pass_session
def resolve(session: Session, did: str) -> None:
    """Print the document of a DID, after comparing its checksum with the one on chain."""
    session.screen.json(session.act(lambda client: client.assets.resolve(did)).to_json())


@did.command()
@click.argument("document", metavar="DID|FILE|-")
@click.option(
    "main",
    "--main",
    metavar="FILE",
    help="The main of the metadata service with the URLs of its files, as the publisher had it before encryption.",
)
@connected
@pass_session
def verify(session: Session, document: str, main: str | None) -> int:
    """Check the checksums, the DID and the signature of a document, and say which software's rules they follow.

    Documents of older software follow other rules, which are recognised. A document from a file is not compared with
    the chain, so it need not be the newest version.
    """
    from insitu.domain.document_verification import verify_document
    from insitu.domain.exit_codes import INVALID, OK

    found = verify_document(_document(session, document), read_object(main) if main is not None else None)
    verdict = {"holds": found.holds, "own": found.is_own, "verdict": found.verdict}
    session.screen.answer(found.model_dump(by_alias=True) | verdict, _facts(found, with_main=main is not None))
    return OK if found.holds else INVALID


def _document(session: Session, name: str) -> "Ddo":
    from insitu.domain.ddo import read_ddo

    if not name.startswith("did:"):
        return read_ddo(read_json(name))
    return session.act(lambda client: client.assets.resolve(name))


def _facts(found: "Verification", *, with_main: bool) -> list[tuple[str, str]]:
    def describe(software: str | None) -> str:
        return f"matches the rule of {software}" if software else "matches no known rule"

    method = [("method", "did:op: is Ocean Protocol's, from which did:nv: grew")] if found.method == "op" else []
    return [
        ("DID", f"{found.did}  {describe(found.did_rule)}"),
        *method,
        *((f"service {index}", describe(rule)) for index, rule in found.services.items()),
        ("signature", describe(found.signature_rule) + (f", by {found.signer}" if found.signer else "")),
        ("written by", written_by(found)),
        ("verdict", _verdict(found, with_main=with_main)),
    ]


def _verdict(found: "Verification", *, with_main: bool) -> str:
    if found.verdict == "holds":
        return "the document is what its publisher signed"
    if found.verdict == "broken":
        return "do not rely on this document"
    if with_main:
        services = ", ".join(found.without_urls)
        return f"everything matches except service {services}: the main that you gave is not what was hashed"
    return (
        f"everything matches except service {', '.join(found.without_urls)}, whose checksum was taken before the URLs "
        "of its files were encrypted: its content is unproven unless the publisher gives you its main with the URLs "
        "(--main FILE)"
    )
