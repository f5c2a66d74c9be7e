"""Receipts and money: fetch and verify a receipt, release the payment, get a refund."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from insitu.cli.documents import read_json
from insitu.cli.options import connected, local, node, yes
from insitu.cli.render import moment, plain
from insitu.cli.session import Session, pass_session
from insitu.cli.targets import find_execution, ids
from insitu.cli.views import amount
from insitu.domain.errors import InsituError
from insitu.domain.readable import duration

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import ReceiptView
    from insitu.domain.receipt import VerifiedReceipt
    from insitu.domain.receipt_opening import Opening
    from insitu.domain.receipt_parts import CommonPredicate
    from insitu.sdk.agreements import Agreement
    from insitu.sdk.client import Client


@click.command()
@ids
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: print.")
@click.option("--opening", is_flag=True, help="Instead, what its hashes stand for; only for owners and the provider.")
@connected
@pass_session
def receipt(session: Session, ids: tuple[str, ...], output: Path | None, *, opening: bool) -> None:
    """Fetch the signed receipt of an execution as JSON, to keep, verify, or release the payment with."""

    async def fetch_it(client: "Client") -> "ReceiptView | Opening":
        execution = await find_execution(client, ids)
        return await (execution.opening() if opening else execution.receipt())

    view = session.act(fetch_it)
    if output is None:
        session.screen.json(view)
        return
    output.write_text(json.dumps(view.model_dump(mode="json", by_alias=True), indent=2) + "\n", "utf-8")
    session.screen.line(str(output))


@click.command()
@click.argument("file", metavar="FILE|-")
@click.option("--provider", metavar="ADDRESS", help="The account that must have signed it; default: the one it names.")
@click.option(
    "--files", type=click.Path(path_type=Path), help="Folder with the downloaded result, to compare with the receipt."
)
@click.option("--opening", metavar="FILE", help="File from insitu receipt --opening, to compare with the receipt.")
@click.option("--on-chain", is_flag=True, help="Also compare it with the chain of the settings.")
@node
@local
@pass_session
def verify(session: Session, /, file: str, *, on_chain: bool, **against: Any) -> None:
    """Check a receipt, offline unless --on-chain or --rpc is given. The exit code is 0 only if everything is right.

    On chain, it also checks that the agreement exists, that the provider granted it and committed to this very receipt,
    and that the result is registered. The contracts are those of the deployments file.
    """
    from insitu.sdk.receipts import verify as verify_offline

    document = _require_receipt(read_json(file), file)
    if against["opening"] is not None:
        against["opening"] = read_json(against["opening"])
    asks_chain = on_chain or session.names_node
    if asks_chain:
        found = session.wait_for(_verify_on_chain, session, document, against)
    else:
        found = verify_offline(document, **against)
    if session.choices.as_json:
        session.screen.json(found)
        return
    session.screen.line(click.style("the receipt is valid", fg="green", bold=True))
    session.screen.facts(_facts(found))
    if against["provider"] is None:
        session.screen.note(f"signed by {found.signer}; to require a certain provider, give --provider ADDRESS")
    if not asks_chain:
        session.screen.note("checked offline; --on-chain also checks that the contract has committed to it")


async def _verify_on_chain(session: Session, document: dict[str, Any], against: dict[str, Any]) -> "VerifiedReceipt":
    from insitu.sdk.receipts import verify_on_chain
    from insitu.stack.parts import open_chain

    chain = open_chain(session.settings)
    try:
        return await verify_on_chain(document, chain, **against)
    finally:
        await chain.close()


def _require_receipt(value: Any, source: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() & {"envelope", "payload"}:
        raise InsituError("ReceiptUnreadable", f"{source} does not contain a receipt")
    return value


def _facts(found: "VerifiedReceipt") -> list[tuple[str, str]]:
    predicate = found.statement.predicate
    why = f"{predicate.reason.code}: {plain(predicate.reason.message)}" if predicate.reason else ""
    output = predicate.output
    return [
        ("signed by", found.signer),
        ("hash", found.receipt_hash),
        ("agreement", predicate.agreement.service_agreement_id),
        ("execution", f"{predicate.workflow_execution_id}  (number {predicate.number})"),
        ("workflow", predicate.workflow_did),
        ("outcome", predicate.outcome.value),
        ("why", why),
        ("stages", "\n".join(_stages(predicate))),
        ("output", f"{output.files} files, {output.bytes} bytes, {output.result_did}" if output else "none"),
        ("charge", f"{predicate.charge.amount} base units ({predicate.charge.rule.value})"),
        ("limits", ", ".join(f"{name}: {plain(by)}" for name, by in predicate.software.enforcement.items())),
        *_newer_facts(found),
        ("checked", "\n".join(found.checked)),
    ]


def _newer_facts(found: "VerifiedReceipt") -> list[tuple[str, str]]:
    """Return what receipts of the first form do not say."""
    from insitu.domain.receipt import Predicate

    predicate = found.statement.predicate
    if not isinstance(predicate, Predicate):
        return []
    lines = "?" if predicate.delivered.log_lines is None else predicate.delivered.log_lines
    delivered, revision = predicate.delivered, ", a revision of the one bought" if predicate.revision_of else ""
    return [
        ("version", predicate.workflow_checksum + revision),
        ("parameter", plain(json.dumps(predicate.parameters)) if predicate.parameters else ""),
        ("log", f"{delivered.log_bytes} bytes, {lines} lines could be read"),
    ]


def _stages(predicate: "CommonPredicate") -> list[str]:
    found = []
    for stage in predicate.stages:
        took = ""
        if stage.started_at is not None and stage.ended_at is not None:
            took = f", {duration((stage.ended_at - stage.started_at).total_seconds())}"
        title = " ".join(part for part in (str(stage.index), plain(stage.stage_type)) if part)
        found.append(f"{title}: {stage.algorithm.did} in {plain(stage.image.image)}:{plain(stage.image.tag)}{took}")
    return found


@click.command()
@click.argument("source", nargs=-1, required=True, metavar="FILE|-|AGREEMENT|EXECUTION...")
@connected
@pass_session
def release(session: Session, source: tuple[str, ...]) -> None:
    """Release the payment with a receipt. Anyone may do this: only the agreed receivers are paid.

    Takes a file written by insitu receipt, or fetches the receipt of an execution.
    """
    from_file = len(source) == 1 and (source[0] == "-" or Path(source[0]).is_file())
    stored = _require_receipt(read_json(source[0]), source[0]) if from_file else None

    async def release_it(client: "Client") -> None:
        from insitu.api.gateway_v1 import ReceiptView

        if stored is not None:
            view = _read_view(ReceiptView, stored, source[0])
        else:
            view = await (await find_execution(client, source)).receipt()
        mined = await client.release(view)
        session.screen.answer({"transaction": mined.hash, "receiptHash": view.receipt_hash}, mined.hash)

    session.act(release_it)


def _read_view(kind: "type[ReceiptView]", value: dict[str, Any], source: str) -> "ReceiptView":
    from pydantic import ValidationError

    try:
        return kind.model_validate(value)
    except ValidationError:
        raise InsituError("ReceiptUnreadable", f"{source} is not a file written by insitu receipt") from None


@click.command()
@click.argument("agreement")
@connected
@pass_session
def refund(session: Session, agreement: str) -> None:
    """Get back the money of an agreement that was not granted, or not settled, in time. Anyone may ask for it."""

    async def refund_it(client: "Client") -> None:
        _require_due(await client.agreements.show(agreement))
        mined = await client.agreements.refund(agreement)
        session.screen.answer({"transaction": mined.hash, "serviceAgreementId": agreement}, mined.hash)

    session.act(refund_it)


@click.command()
@click.argument("agreement")
@yes
@connected
@pass_session
def close(session: Session, agreement: str, *, yes: bool) -> None:
    """End an agreement early: nothing starts afterwards, and what is not charged comes back.

    It never costs less than waiting. If an execution failed at your risk and none succeeded, the price is charged now;
    otherwise all of it comes back. The amount is shown before you are asked.
    """

    async def close_it(client: "Client") -> None:
        token, found = await client.chain.token(), await client.agreements.preview_close(agreement)
        if found.status == "open":
            charge, returned = (amount(part, token) if part else "nothing" for part in (found.charge, found.returned))
            session.screen.note(f"closing charges {charge} and returns {returned}")
            unattended = "closing is final: confirm it with --yes"
            session.screen.confirm("Close it?", yes=yes, unattended=unattended)
        closed = await client.agreements.close(agreement, max_charge=found.charge)
        charge, returned = (amount(part, token) if part else "nothing" for part in (closed.charge, closed.returned))
        session.screen.answer(closed, f"{closed.status}: {charge} charged, {returned} returned")

    session.act(close_it)


def _require_due(found: "Agreement") -> None:
    """Raise an error that says why there is nothing to refund, or when there will be."""
    state, terms = found.state, found.terms
    if state.refunded:
        raise InsituError("ConditionNotInState", f"{found.id} has already been refunded")
    if found.price and state.settled >= terms.total:
        raise InsituError("ConditionNotInState", f"{found.id} is settled in full; there is nothing left to refund")
    due = state.settlement_ends(terms) if state.granted else state.grant_ends(terms)
    if state.locked and found.now < due:
        present, then = datetime.fromtimestamp(found.now, UTC), datetime.fromtimestamp(due, UTC)
        raise InsituError("NotTimedOut", f"{found.id} can be refunded from {moment(then, present)}", due=due)
