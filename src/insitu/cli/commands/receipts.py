"""Receipts and money: fetch and check a receipt, release the payment, get the money back."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from insitu.cli.documents import read_json
from insitu.cli.options import connected, local, node
from insitu.cli.render import duration, moment, plain
from insitu.cli.session import Session, pass_session
from insitu.cli.targets import find_execution, ids
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import ReceiptView
    from insitu.domain.receipt import Predicate, VerifiedReceipt
    from insitu.sdk.agreements import Agreement
    from insitu.sdk.client import Client

__all__ = ["receipt", "refund", "release", "verify"]


@click.command()
@ids
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: print.")
@connected
@pass_session
def receipt(session: Session, ids: tuple[str, ...], output: Path | None) -> None:
    """Fetch the signed receipt of an execution: JSON, to be kept, checked, and used for releasing the payment."""

    async def fetched(client: "Client") -> "ReceiptView":
        return await (await find_execution(client, ids)).receipt()

    view = session.act(fetched)
    if output is None:
        session.screen.json(view)
        return
    output.write_text(json.dumps(view.model_dump(mode="json", by_alias=True), indent=2) + "\n", "utf-8")
    session.screen.line(str(output))


@click.command()
@click.argument("file", metavar="FILE|-")
@click.option("--provider", metavar="ADDRESS", help="Who has to have signed it; default: whoever it names itself.")
@click.option("--files", type=click.Path(path_type=Path), help="Folder with the downloaded result, to compare with it.")
@click.option("--on-chain", is_flag=True, help="Also compare it with the chain that the settings name.")
@node
@local
@pass_session
def verify(session: Session, /, file: str, *, on_chain: bool, **against: Any) -> None:
    """Check a receipt, offline unless --on-chain or --rpc is given. The exit code is 0 only if everything holds.

    With a chain: it knows the agreement, the provider granted it and committed to this very receipt, and the result
    is registered. The contracts are those of the deployments file.
    """
    from insitu.sdk.receipts import verify as verify_offline

    document = _receipt(read_json(file), file)
    asks_chain = on_chain or session.names_node
    if asks_chain:
        found = session.wait_for(_compared, session, document, against)
    else:
        found = verify_offline(document, **against)
    if session.choices.as_json:
        session.screen.json(found)
        return
    session.screen.line(click.style("the receipt holds", fg="green", bold=True))
    session.screen.facts(_facts(found))
    if against["provider"] is None:
        session.screen.note(f"signed by {found.signer}: whether you trust that account, --provider says")
    if not asks_chain:
        session.screen.note("checked offline; --on-chain also asks whether the contract has committed to it")


async def _compared(session: Session, document: dict[str, Any], against: dict[str, Any]) -> "VerifiedReceipt":
    from insitu.sdk.receipts import verify_on_chain
    from insitu.stack import open_chain

    chain = open_chain(session.settings)
    try:
        return await verify_on_chain(document, chain, **against)
    finally:
        await chain.close()


def _receipt(value: Any, source: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() & {"envelope", "payload"}:
        raise InsituError("ReceiptUnreadable", f"{source} holds no receipt")
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
        ("checked", "\n".join(found.checked)),
    ]


def _stages(predicate: "Predicate") -> list[str]:
    told = []
    for stage in predicate.stages:
        took = ""
        if stage.started_at is not None and stage.ended_at is not None:
            took = f", {duration((stage.ended_at - stage.started_at).total_seconds())}"
        title = " ".join(part for part in (str(stage.index), plain(stage.stage_type)) if part)
        told.append(f"{title}: {stage.algorithm.did} in {plain(stage.image.image)}:{plain(stage.image.tag)}{took}")
    return told


@click.command()
@click.argument("source", nargs=-1, required=True, metavar="FILE|-|AGREEMENT|EXECUTION...")
@connected
@pass_session
def release(session: Session, source: tuple[str, ...]) -> None:
    """Release the payment with a receipt. Anybody may: only the agreed receivers are paid.

    Takes a receipt's file as insitu receipt writes it, or fetches the receipt of an execution.
    """
    from_file = len(source) == 1 and (source[0] == "-" or Path(source[0]).is_file())
    stored = _receipt(read_json(source[0]), source[0]) if from_file else None

    async def released(client: "Client") -> None:
        from insitu.api.gateway_v1 import ReceiptView

        if stored is not None:
            view = _read(ReceiptView, stored, source[0])
        else:
            view = await (await find_execution(client, source)).receipt()
        mined = await client.release(view)
        if session.choices.as_json:
            session.screen.json({"transaction": mined.hash, "receiptHash": view.receipt_hash})
        else:
            session.screen.line(mined.hash)

    session.act(released)


def _read(kind: "type[ReceiptView]", value: dict[str, Any], source: str) -> "ReceiptView":
    from pydantic import ValidationError

    try:
        return kind.model_validate(value)
    except ValidationError:
        raise InsituError("ReceiptUnreadable", f"{source} is not a receipt as insitu receipt writes it") from None


@click.command()
@click.argument("agreement")
@connected
@pass_session
def refund(session: Session, agreement: str) -> None:
    """Get the money of an agreement back that was not granted, or not settled, in time. Anybody may ask for it."""

    async def refunded(client: "Client") -> None:
        _refuse_if_not_due(await client.agreements.show(agreement))
        mined = await client.agreements.refund(agreement)
        if session.choices.as_json:
            session.screen.json({"transaction": mined.hash, "serviceAgreementId": agreement})
        else:
            session.screen.line(mined.hash)

    session.act(refunded)


def _refuse_if_not_due(found: "Agreement") -> None:
    """Say in words why there is nothing to refund, or from when there is."""
    state, terms = found.state, found.terms
    if state.refunded:
        raise InsituError("ConditionNotInState", f"the money of {found.id} went back already")
    if found.price and state.settled >= terms.total:
        raise InsituError("ConditionNotInState", f"{found.id} is settled in full: nothing is left to refund")
    due = state.settlement_ends(terms) if state.granted else state.grant_ends(terms)
    if state.locked and found.now < due:
        present, then = datetime.fromtimestamp(found.now, UTC), datetime.fromtimestamp(due, UTC)
        raise InsituError("NotTimedOut", f"{found.id} can be refunded from {moment(then, present)} on", due=due)
