"""Buying: ask for the price, buy, list agreements."""

from typing import TYPE_CHECKING

import click

from insitu.cli.options import connected, sending, yes
from insitu.cli.render import ago, plain
from insitu.cli.session import Session, pass_session
from insitu.cli.views import agreement_facts, amount, now, quote_facts

if TYPE_CHECKING:
    from insitu.api.gateway_v1 import Quote
    from insitu.ports.chain import TokenInfo
    from insitu.sdk.client import Client

_service = click.option(
    "--service", "service_index", type=int, help="Index of the first data set's compute service, if there are several."
)


@click.command()
@click.argument("what", metavar="ALGORITHM|WORKFLOW")
@click.option(
    "--on",
    "data",
    multiple=True,
    metavar="DID",
    help="A data set that the algorithm would read; give several in order.",
)
@click.option("--image", metavar="NAME:TAG|DIGEST", help="The image it would run in; default: as for insitu run.")
@click.option("--entrypoint", metavar="COMMAND", help="How it would start; not needed for a single script.")
@click.option("--server", metavar="ID", help="The server it would run on; default: the cheapest that is large enough.")
@_service
@connected
@pass_session
def check(
    session: Session,
    what: str,
    data: tuple[str, ...],
    image: str | None,
    entrypoint: str | None,
    server: str | None,
    service_index: int | None,
) -> int:
    """Ask whether something may run, where, and at what price. Nothing is published, uploaded or bought.

    ALGORITHM is a script, a folder, or a DID; WORKFLOW is a DID. The gateway's answer is checked against the documents
    and the chain.

        insitu check count.py --on did:nv:…
    """
    from insitu.cli.run_request import RunRequest, read_wanted
    from insitu.domain.exit_codes import OK

    request = RunRequest(what, data, None, image=image, entrypoint=entrypoint, server=server)
    if not data and not what.startswith("did:"):
        raise click.UsageError("name a data set with --on did:nv:… (insitu search --type dataset lists them)")

    async def check_it(client: "Client") -> int:
        quote = await (await read_wanted(client, request)).check(client, service_index)
        if not quote.allowed:
            return refuse(session, quote)
        token = await client.chain.token()
        if session.choices.as_json:
            session.screen.json(quote)
        else:
            session.screen.line(click.style("allowed", fg="green", bold=True))
            session.screen.facts(quote_facts(quote, token, client.account, await uses_of(client, quote)))
        return OK

    return session.act(check_it)


@click.command()
@click.argument("workflow", metavar="WORKFLOW")
@_service
@click.option("--max-price", metavar="AMOUNT", help="Refuse a higher price, in tokens.")
@click.option("--no-wait", is_flag=True, help="Do not wait for the provider's grant.")
@sending
@yes
@connected
@pass_session
def buy(
    session: Session,
    workflow: str,
    service_index: int | None,
    max_price: str | None,
    *,
    relay: bool | None,
    offer: bool,
    no_wait: bool,
    yes: bool,
) -> int:
    """Buy a compute service for a workflow and print the agreement's id.

    The price goes into escrow. If you have no coin for gas, you only sign and the gateway sends the purchase. Until the
    agreement ends, its id is enough to run the workflow from anywhere:

        insitu run --agreement ID
    """
    from insitu.domain.exit_codes import OK

    async def buy_it(client: "Client") -> int:
        screen, token = session.screen, await client.chain.token()
        quote = await client.agreements.check(workflow, service_index)
        if not quote.allowed:
            return refuse(session, quote)
        if not yes:
            show_quote(session, quote, token, client.account, await uses_of(client, quote))
        await client.agreements.require_agreeable(quote, max_price)
        if quote.price:
            screen.confirm(
                "Pay?",
                yes=yes,
                unattended="nobody is there to confirm the payment: give --yes to pay without being asked",
            )
        with screen.activity("buying, then waiting for the provider's grant"):
            agreement = await client.agreements.buy(
                workflow,
                service_index=service_index,
                max_price=quote.price,
                wait=not no_wait,
                relay=relay,
                offer=offer,
            )
        sent = "; the gateway sent it" if agreement.relayed else ""
        screen.note(f"paid {amount(agreement.price, token)} into escrow, {agreement.status}{sent}")
        known = {"serviceAgreementId": agreement.id, "status": agreement.status, "price": str(agreement.terms.total)}
        sending = {"relayed": agreement.relayed, "transaction": agreement.transaction}
        screen.answer(known | sending, agreement.id)
        return OK

    return session.act(buy_it)


@click.command()
@click.argument("agreement", required=False)
@connected
@pass_session
def agreements(session: Session, agreement: str | None) -> None:
    """List what you bought, newest first, or show one AGREEMENT."""

    async def list_them(client: "Client") -> None:
        token = await client.chain.token()
        if agreement is not None:
            found = [await client.agreements.show(agreement)]
        else:
            found = list(await client.agreements.list())
        shown = [
            {
                "serviceAgreementId": item.id,
                "status": item.status,
                "executable": item.executable,
                "price": str(item.terms.total),
                "settled": str(item.state.settled),
                "did": item.did,
                "workflowDid": item.workflow_did,
                "endsAt": item.ends_at,
            }
            for item in found
        ]
        if agreement is not None:
            session.screen.answer(shown[0], agreement_facts(found[0], token))
            return
        rows = [(item.status, amount(item.price, token), ago(item.ends_at, now()), item.id) for item in found]
        nothing = "this account has not bought anything yet"
        session.screen.rows(shown, ("STATUS", "PRICE", "ENDS", "AGREEMENT"), rows, nothing=nothing)

    session.act(list_them)


async def uses_of(client: "Client", quote: "Quote") -> str:
    """Say what the owners allow their data to be used for, from the versions of the documents that would be bought."""
    from insitu.domain.compute_service import read_compute_service

    uses: dict[str, None] = {}
    for data in quote.inputs:
        services = (await client.assets.resolve(data.did, data.checksum)).compute_services
        uses |= dict.fromkeys(plain(read_compute_service(service).policy.use or "") for service in services)
    return "\n".join(filter(None, uses))


def show_quote(session: Session, quote: "Quote", token: "TokenInfo", account: str, uses: str) -> None:
    """Show on standard error what a person has to know before deciding."""
    for name, value in quote_facts(quote, token, account, uses):
        for position, line in enumerate(value.split("\n") if value else []):
            session.screen.note(f"{name if position == 0 else '':12}{line}")


def refuse(session: Session, quote: "Quote") -> int:
    """Print why a workflow may not run, each reason with its next step, and return the exit code."""
    from insitu.domain.exit_codes import NOT_ALLOWED, TRY_AGAIN, exit_code_of_error

    temporary = {exit_code_of_error(reason.code) for reason in quote.reasons} == {TRY_AGAIN}
    code = TRY_AGAIN if temporary else NOT_ALLOWED
    if session.choices.as_json:
        session.screen.json(quote)
        return code
    session.screen.note(click.style("not allowed", fg="red", bold=True))
    for reason in quote.reasons:
        session.screen.note(f"  {reason.code}: {plain(reason.message)}")
        if reason.next_step:
            session.screen.note(f"    → {plain(reason.next_step)}")
    return code
